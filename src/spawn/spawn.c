// The parent's side of a start: the method, the launch, the clone.
#include "spawn/spawn.h"
#include "spawn/filters.h"

#include "base/fd.h"
#include "base/str.h"
#include "spawn/slot.h"
#include "spawn/sys.h"

#include <linux/futex.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <systemd/sd-id128.h>
#include <unistd.h>

#ifndef CLONE_CLEAR_SIGHAND
#define CLONE_CLEAR_SIGHAND 0x100000000ULL
#endif

#define OWN_FDS_WAIT_NS 200000

static const char *const method_names[_SPAWN_METHOD_MAX] = {
        [SPAWN_FORK] = "fork",
        [SPAWN_SHARED] = "shared",
};

static struct {
        enum spawn_method method;
        bool has_close_range;
        bool is_at_root;
        int suid_dumpable_fd;     // /proc/sys/fs/suid_dumpable; -errno: it cannot be read
        uint64_t ignored_signals; // at the time the supervisor was started
} state;

enum spawn_method spawn_method(void)
{
        return state.method;
}

const char *spawn_method_name(enum spawn_method method)
{
        return method_names[method];
}

// ---- clone

#if SYS_HAS_CLONE
// pid or -errno. *ret_pidfd is as the kernel returned it.
static pid_t clone_in_memory(struct slot *slot, void (*fn)(void *), void *arg, int *ret_pidfd)
{
        int pidfd = -1;
        struct clone_args args = {
                .flags = CLONE_VM | CLONE_FILES | CLONE_PIDFD | CLONE_CLEAR_SIGHAND |
                         CLONE_CHILD_CLEARTID,
                .pidfd = (uintptr_t)&pidfd,
                .child_tid = (uintptr_t)&slot->busy_tid,
                .exit_signal = SIGCHLD,
                .stack = (uintptr_t)slot_stack(slot),
                .stack_size = SLOT_STACK_SIZE,
        };

        slot->busy_tid = 1;
        pid_t pid = (pid_t)sys_clone_run(&args, sizeof(args), fn, arg);

        if (pid < 0)
                slot->busy_tid = 0;
        *ret_pidfd = pidfd;
        return pid;
}

// The first thing that such a child does, and its exit.
CHILD_CODE static void trial_run(void *arg)
{
        const struct launch *l = arg;
        long r = SYS_CALL(SYS_close_range, l->window, ~0U, 2 /* CLOSE_RANGE_UNSHARE */);

        sys_exit(r < 0 ? 1 : 0);
}

// Does a child that shares our memory start and exit here as it should?
static bool sharing_works(void)
{
        struct slot *slot = slot_take();
        siginfo_t info = {0};
        int pidfd = -1;

        if (!slot)
                return false;
        slot->launch = (struct launch){.window = FD_LOW_WINDOW};
        pid_t pid = clone_in_memory(slot, trial_run, &slot->launch, &pidfd);
        bool works = pid > 0 && waitid(P_PID, (id_t)pid, &info, WEXITED) == 0 &&
                     info.si_code == CLD_EXITED && info.si_status == 0;

        fd_close(pidfd);
        // The kernel clears the word shortly before the child can be waited for.
        if (__atomic_load_n(&slot->busy_tid, __ATOMIC_ACQUIRE) != 0)
                return false; // the slot stays taken: the child may still write to it
        slot_release(slot);
        return works;
}
#else
static bool sharing_works(void)
{
        return false;
}
#endif

bool spawn_is_at_root(void)
{
        return state.is_at_root;
}

static bool find_is_at_root(void)
{
        struct stat here, root;

        return stat(".", &here) == 0 && stat("/", &root) == 0 && here.st_dev == root.st_dev &&
               here.st_ino == root.st_ino;
}

static bool has_close_range(void)
{
        // No such descriptors: the call does nothing, or does not exist.
        return SYS_CALL(SYS_close_range, ~0U - 1, ~0U, 0) == 0;
}

static void remember_ignored(void)
{
        state.ignored_signals = 0;
        for (int signo = 1; signo <= 64; signo++) {
                struct sigaction action;

                if (sigaction(signo, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
                        state.ignored_signals |= UINT64_C(1) << (signo - 1);
        }
}

int spawn_init(const char *method, struct fail *why)
{
        int wanted = _SPAWN_METHOD_INVALID;
        int r = child_report_init();

        if (r < 0)
                return fail_set(why, r, "map memory for reports", NULL);
        state.has_close_range = has_close_range();
        state.is_at_root = find_is_at_root();
        state.suid_dumpable_fd =
                fd_move_up(open("/proc/sys/fs/suid_dumpable", O_RDONLY | O_CLOEXEC));
        remember_ignored();
        for (int i = 0; method && i < _SPAWN_METHOD_MAX; i++)
                if (streq(method, method_names[i]))
                        wanted = i;
        if (method && wanted < 0)
                return fail_set(why, EINVAL, "choose the spawn method",
                                "\"%s\" is not shared or fork", method);
        state.method = wanted != SPAWN_FORK && state.has_close_range && sharing_works()
                               ? SPAWN_SHARED
                               : SPAWN_FORK;
        if (wanted == SPAWN_SHARED && state.method != SPAWN_SHARED)
                return fail_set(why, EOPNOTSUPP, "choose the spawn method", "%s", method);
        return 0;
}

void spawn_done(void)
{
        slots_done();
        child_report_done();
        filters_forget();
        state.suid_dumpable_fd = fd_close(state.suid_dumpable_fd);
}

enum spawn_pending spawn_reclaim(void)
{
        return slots_reclaim();
}

void spawn_trim(void)
{
        slots_trim();
}

// ---- filling a launch

// The index of the descriptor with this name ("a:b"), or -1.
static int find_named(const struct spawn_params *params, const char *name)
{
        const char *p = params->fd_names;

        for (size_t i = 0; p && i < params->n_fds; i++) {
                size_t n = strcspn(p, ":");

                if (strlen(name) == n && strncmp(p, name, n) == 0)
                        return params->fds[i];
                p += n;
                p = *p ? p + 1 : NULL;
        }
        return -1;
}

// Determines the socket for standard streams, and the descriptors left to pass. 0 or -EINVAL.
static int choose_socket(struct launch *l, const struct spawn_params *params, int *ret_socket)
{
        *ret_socket = params->socket_fd;
        l->n_fds = params->n_fds;
        l->n_sockets = MIN(params->n_sockets, l->n_fds);
        if (!l->plan->has_stdio_socket)
                return 0;
        if (*ret_socket < 0 && l->n_sockets == 1)
                *ret_socket = params->fds[0];
        if (l->n_sockets > 1 || *ret_socket < 0)
                return -EINVAL;
        l->has_socket = true;
        l->n_fds = l->n_sockets = 0; // they are passed as a stream
        return 0;
}

static int fill_descriptors(struct launch *l, const struct spawn_params *params, struct fail *why)
{
        int socket, r = choose_socket(l, params, &socket);

        if (r < 0)
                return fail_set(why, -r, "use the socket as standard stream",
                                params->n_fds > 1 ? "it gets %zu" : "it gets none", params->n_fds);
        if (l->n_fds > SPAWN_FDS_MAX)
                return fail_set(why, E2BIG, "pass descriptors", "%zu of them", l->n_fds);
        l->fds = arena_allocate(l->arena, (l->n_fds + 1) * sizeof(int));
        if (!l->fds)
                return fail_set(why, ENOMEM, "pass descriptors", NULL);
        for (size_t i = 0; i < l->n_fds; i++)
                l->fds[i] = params->fds[i];
        for (size_t i = 0; i < 3; i++) {
                const struct plan_stdio *io = &l->plan->stdio[l->has_socket][i];

                l->stdio_fds[i] = io->source == STDIO_FROM_SOCKET  ? socket
                                  : io->source == STDIO_FROM_LOG   ? params->log_fd
                                  : io->source == STDIO_FROM_NAMED ? find_named(params, io->name)
                                                                   : -1;
                if (io->source == STDIO_FROM_NAMED && l->stdio_fds[i] < 0)
                        return fail_set(why, ENOENT, "use a descriptor as standard stream",
                                        "none is called %s", io->name);
        }
        return 0;
}

static unsigned skipped_steps(const struct spawn_params *params)
{
        unsigned flags = params->command->flags;

        if (params->is_privileged || (flags & EXEC_FULLY_PRIVILEGED))
                return STEP_IDENTITY | STEP_PRIVILEGE;
        return flags & (EXEC_NO_SETUID | EXEC_AMBIENT_MAGIC) ? STEP_IDENTITY : 0;
}

static int fill(struct slot *slot, struct spawn_plan *plan, const struct spawn_params *params,
                int exec_fd, struct fail *why)
{
        struct launch *l = &slot->launch;

        *l = (struct launch){
                .plan = plan,
                .stdio_fds = {-1, -1, -1},
                .exec_fd = exec_fd,
                .nonblocking = params->nonblocking,
                .skip = skipped_steps(params),
                .ignored_signals = state.ignored_signals,
                .has_close_range = state.has_close_range,
                .arena = &slot->arena,
        };
        sd_id128_t id;

        if (params->invocation_id && sd_id128_from_string(params->invocation_id, &id) >= 0) {
                memcpy(l->invocation_id, id.bytes, sizeof(l->invocation_id));
                l->has_invocation_id = true;
        }
        int r = fill_descriptors(l, params, why);

        if (r == 0)
                r = plan_get_command(plan, params->command, &l->command);
        if (r == 0)
                r = launch_fill_environment(l, params);
        if (r == 0)
                r = launch_fill_command(l, params);
        if (r < 0 && (!why || why->error == 0))
                fail_set(why, r, "prepare start", "%s", params->command->path);
        return r;
}

// ---- the low window

// *fd, or a copy of it, below FD_LOW_WINDOW, held by the slot. given: need not be copied.
static bool hold_one(struct slot *slot, int given, int *fd)
{
        if (*fd < 0)
                return true;
        for (size_t i = 0; i < slot->n_held; i++)
                if (slot->held_from[i] == *fd) {
                        *fd = slot->held[i];
                        return true;
                }
        bool is_low = *fd == given && *fd < FD_LOW_WINDOW;
        int low = is_low ? *fd : fcntl(*fd, F_DUPFD_CLOEXEC, 3);

        if (low < 0)
                return false;
        if (low >= FD_LOW_WINDOW || slot->n_held >= ARRAY_SIZE(slot->held)) {
                if (!is_low)
                        close(low);
                return false;
        }
        slot->held_from[slot->n_held] = *fd;
        slot->held[slot->n_held++] = *fd = low;
        return true;
}

// The start has failed: the descriptor that it took over is the caller's again.
static void give_back(struct slot *slot, int given)
{
        for (size_t i = 0; i < slot->n_held; i++)
                if (slot->held[i] == given)
                        slot->held[i] = -1;
}

// True: every descriptor that the child needs is in the window. False: the launch is unchanged.
static bool hold_descriptors(struct slot *slot, int given)
{
        struct launch *l = &slot->launch;
        int old_stdio[3], old_exec = l->exec_fd, old_fds[FD_LOW_WINDOW];
        bool fits = l->n_fds < FD_LOW_WINDOW;

        if (!fits)
                return false;
        memcpy(old_stdio, l->stdio_fds, sizeof(old_stdio));
        memcpy(old_fds, l->fds, l->n_fds * sizeof(int));
        for (size_t i = 0; fits && i < l->n_fds; i++)
                fits = hold_one(slot, given, &l->fds[i]);
        for (size_t i = 0; fits && i < 3; i++)
                fits = hold_one(slot, given, &l->stdio_fds[i]);
        fits = fits && hold_one(slot, given, &l->exec_fd);
        if (fits)
                return true;
        give_back(slot, given);
        slot_let_go(slot);
        memcpy(l->stdio_fds, old_stdio, sizeof(old_stdio));
        memcpy(l->fds, old_fds, l->n_fds * sizeof(int));
        l->exec_fd = old_exec;
        return false;
}

// ---- the process

// May a child with another uid share our memory? Only if no user but root can access it meanwhile.
// A change of uid sets the dumpable flag of the memory to fs.suid_dumpable (commit_creds() of the
// kernel): 0 and 2 are safe. The value can change at any time, so it is read each time.
static bool is_memory_closed(void)
{
        char text[4];

        return prctl(PR_GET_DUMPABLE, 0L, 0L, 0L, 0L) != 1 &&
               pread(state.suid_dumpable_fd, text, sizeof(text), 0) > 0 && text[0] != '1';
}

static bool may_share(const struct spawn_plan *plan)
{
        return state.method == SPAWN_SHARED && !(plan->needs & STEP_OWN_MEMORY) &&
               ((!plan->sets_uid && !plan->sets_gid) || is_memory_closed());
}

// Blocks all signals: a handler must not run in the child. (A cloned child has no handlers from the
// start.)
static uint64_t block_signals(void)
{
        uint64_t all = UINT64_MAX, old = 0;

        (void)SYS_CALL(SYS_rt_sigprocmask, SIG_SETMASK, &all, &old, sizeof(all));
        return old;
}

static void restore_signals(uint64_t old)
{
        (void)SYS_CALL(SYS_rt_sigprocmask, SIG_SETMASK, &old, NULL, sizeof(old));
}

static pid_t fork_child(struct slot *slot, int *ret_pidfd)
{
        slot->launch.clears_signals = true;
        uint64_t mask = block_signals();
        pid_t pid = fork();

        if (pid == 0)
                child_run(&slot->launch); // does not return
        restore_signals(mask);
        if (pid < 0)
                return -errno;
        *ret_pidfd = (int)SYS_CALL(SYS_pidfd_open, pid, 0);
        return pid;
}

static pid_t start_child(struct slot *slot, enum spawn_method method, int *ret_pidfd)
{
        *ret_pidfd = -1;
#if SYS_HAS_CLONE
        if (method == SPAWN_SHARED)
                return clone_in_memory(slot, child_run, &slot->launch, ret_pidfd);
#endif
        return fork_child(slot, ret_pidfd);
}

// Never waits for a slot: the child that holds one may be stopped, or hang for ever.
static struct slot *take_slot(const struct spawn_plan *plan, enum spawn_method *ret_method)
{
        (void)slots_reclaim();
        struct slot *slot = may_share(plan) ? slot_take() : NULL;

        *ret_method = slot ? SPAWN_SHARED : SPAWN_FORK;
        return slot ? slot : slot_take_for_fork();
}

// Waits until the child has its own descriptor table: some ten microseconds. Until then the child
// runs with our uid and opens no file. The wait is bounded, since the child may not be scheduled at
// once.
static void await_own_fds(struct slot *slot)
{
        const struct timespec limit = {.tv_nsec = OWN_FDS_WAIT_NS};

        (void)SYS_CALL(SYS_futex, &slot->launch.has_own_fds, FUTEX_WAIT_PRIVATE, 0, &limit);
        (void)slots_reclaim();
}

static int start(struct slot *slot, enum spawn_method method, const struct spawn_params *params,
                 struct spawn_child *ret, struct fail *why)
{
        int pidfd = -1, given = params->given_fd ? *params->given_fd : -1;

        if (method == SPAWN_SHARED) {
                if (hold_descriptors(slot, given))
                        slot->launch.window = FD_LOW_WINDOW;
                else
                        method = SPAWN_FORK;
        }
        slot->launch.is_awaited =
                method == SPAWN_SHARED && (params->is_calm || slots_are_crowded());
        pid_t pid = start_child(slot, method, &pidfd);

        if (pid < 0) {
                give_back(slot, given);
                return fail_set(why, (int)-pid, "make a process", "%s", slot->launch.executable);
        }
        if (given >= 0 && !slot_holds(slot, given))
                fd_close(given); // the child has a copy
        if (params->given_fd)
                *params->given_fd = -1;
        ret->pid = pid;
        ret->pidfd = pidfd < 0 ? -1 : fd_move_up(pidfd);
        if (ret->pidfd < 0)
                ret->pidfd = -1; // then only the pid identifies it
        if (slot->launch.is_awaited)
                await_own_fds(slot);
        return 0;
}

int spawn_start(struct spawn_plan *plan, const struct spawn_params *params, struct spawn_child *ret,
                struct fail *why)
{
        struct spawn_child child = {.pid = 0, .pidfd = -1, .exec_fd = -1};
        int ends[2] = {-1, -1};

        if (params->want_exec_result && pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
                return fail_set(why, errno, "make a pipe", NULL);
        CLEANUP(fd) int write_end = ends[1];
        enum spawn_method method;
        struct slot *slot = take_slot(plan, &method);

        slot->plan = spawn_plan_ref(plan);
        int r = fill(slot, plan, params, write_end, why);

        if (r == 0)
                r = start(slot, method, params, &child, why);
        // Only a child that shares our memory and still runs needs the slot.
        if (r < 0 || __atomic_load_n(&slot->busy_tid, __ATOMIC_ACQUIRE) == 0)
                slot_release(slot);
        if (r == 0 && ends[0] >= 0) {
                child.exec_fd = fd_move_up(ends[0]);
                if (child.exec_fd < 0)
                        child.exec_fd = -1; // it will not report: the start counts as done at once
        } else {
                fd_close(ends[0]);
        }
        if (r == 0)
                *ret = child;
        return r;
}
