#include "spawn/filters.h"

#include "base/fd.h"
#include "base/list.h"
#include "base/str.h"
#include "conf/directive.h"
#include "conf/syscall.h"

#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/shm.h>

#define OWN_FILE "spawn/filters.c" // as the rows of the directives have it
#define KEPT_MAX 16                // sets
#define ARCHITECTURES_MAX 32
#define PERSONALITY_ASK 0xffffffff // of personality(2): what it is
#define API_OF_4_14 3              // of libseccomp: the kernel knows what came with Linux 4.14
#define TREE 2 // of SCMP_FLTATR_CTL_OPTIMIZE: a binary tree, instead of one comparison a call

// The architectures whose programs this machine can run, the native one first.
static const uint32_t local_architectures[] = {
        SCMP_ARCH_NATIVE,
#if defined(__x86_64__)
        SCMP_ARCH_X86,
        SCMP_ARCH_X32,
#elif defined(__aarch64__)
        SCMP_ARCH_ARM,
#elif defined(__s390x__)
        SCMP_ARCH_S390,
#endif
};

// A filter that is being made, for one architecture at a time.
struct rules {
        scmp_filter_ctx context;
        const struct exec_group *exec;
        int r; // the first failure
};

// A call that the architecture does not have, or whose arguments it hides (as socketcall(2) does),
// needs or gets no rule there.
static void add(struct rules *rules, uint32_t action, int number, unsigned n,
                const struct scmp_arg_cmp *arguments)
{
        int r = seccomp_rule_add_exact_array(rules->context, action, number, n, arguments);

        if (r == -EDOM || r == -EEXIST || (r == -EINVAL && n > 0))
                return;
        if (r < 0 && rules->r == 0)
                rules->r = r;
}

static void forbid(struct rules *rules, int number, int error)
{
        add(rules, SCMP_ACT_ERRNO((uint32_t)error), number, 0, NULL);
}

static void forbid_if(struct rules *rules, int number, int error, struct scmp_arg_cmp argument)
{
        add(rules, SCMP_ACT_ERRNO((uint32_t)error), number, 1, &argument);
}

// The argument has all of these bits. It is an int to the kernel, and the upper half of the
// register may hold anything.
#define HAS_BITS(argument, bits) \
        SCMP_CMP64((argument), SCMP_CMP_MASKED_EQ, (uint64_t)(bits), (uint64_t)(bits))
#define IS_INT(argument, value) \
        SCMP_CMP64((argument), SCMP_CMP_MASKED_EQ, UINT32_MAX, (uint64_t)(value))
#define IS_ABOVE(argument, value) SCMP_CMP64((argument), SCMP_CMP_GT, (uint64_t)(value), 0)

// ---- the restrictions --------------------------------------------------------------------------

static bool wants_families(const struct exec_group *exec)
{
        return exec->restrict_address_families.is_set;
}

static void restrict_families(struct rules *rules)
{
        const struct address_families *f = &rules->exec->restrict_address_families;
        int last = -1;

        if (f->is_allow_list && f->set == 0) {
                forbid(rules, SCMP_SYS(socket), EAFNOSUPPORT);
                return;
        }
        for (int n = 0; n < 64; n++)
                if (f->set & (UINT64_C(1) << n))
                        last = n;
        for (int n = 0; n <= last; n++)
                if (!(f->set & (UINT64_C(1) << n)) == f->is_allow_list)
                        forbid_if(rules, SCMP_SYS(socket), EAFNOSUPPORT, IS_INT(0, n));
        if (f->is_allow_list)
                forbid_if(rules, SCMP_SYS(socket), EAFNOSUPPORT, IS_ABOVE(0, last));
}

static bool wants_write_execute(const struct exec_group *exec)
{
        return exec->memory_deny_write_execute;
}

static void restrict_write_execute(struct rules *rules)
{
        forbid_if(rules, SCMP_SYS(mmap), EPERM, HAS_BITS(2, PROT_WRITE | PROT_EXEC));
        forbid_if(rules, SCMP_SYS(mmap2), EPERM, HAS_BITS(2, PROT_WRITE | PROT_EXEC));
        forbid_if(rules, SCMP_SYS(mprotect), EPERM, HAS_BITS(2, PROT_EXEC));
        forbid_if(rules, SCMP_SYS(pkey_mprotect), EPERM, HAS_BITS(2, PROT_EXEC));
        forbid_if(rules, SCMP_SYS(shmat), EPERM, HAS_BITS(2, SHM_EXEC));
}

static bool wants_realtime(const struct exec_group *exec)
{
        return exec->restrict_realtime;
}

static void restrict_realtime(struct rules *rules)
{
        static const int denied[] = {SCHED_FIFO, SCHED_RR, 4 /* reserved */};

        for (size_t i = 0; i < ARRAY_SIZE(denied); i++)
                forbid_if(rules, SCMP_SYS(sched_setscheduler), EPERM, IS_INT(1, denied[i]));
        forbid_if(rules, SCMP_SYS(sched_setscheduler), EPERM, IS_ABOVE(1, SCHED_IDLE));
}

static bool wants_suid_sgid(const struct exec_group *exec)
{
        return exec->restrict_suid_sgid;
}

static void restrict_suid_sgid(struct rules *rules)
{
        static const struct {
                int number, mode; // index of the argument
        } calls[] = {
                {SCMP_SYS(chmod), 1}, {SCMP_SYS(fchmod), 1},  {SCMP_SYS(fchmodat), 2},
                {SCMP_SYS(mkdir), 1}, {SCMP_SYS(mkdirat), 2}, {SCMP_SYS(mknod), 1},
                {SCMP_SYS(creat), 1}, {SCMP_SYS(mknodat), 2},
        };
        static const struct {
                int number, flags, mode;
        } opens[] = {{SCMP_SYS(open), 1, 2}, {SCMP_SYS(openat), 2, 3}};
        static const unsigned bits[] = {S_ISUID, S_ISGID}, makers[] = {O_CREAT, O_TMPFILE};
        int fchmodat2;

        for (size_t b = 0; b < ARRAY_SIZE(bits); b++) {
                for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
                        forbid_if(rules, calls[i].number, EPERM,
                                  HAS_BITS((unsigned)calls[i].mode, bits[b]));
                for (size_t i = 0; i < ARRAY_SIZE(opens) * ARRAY_SIZE(makers); i++)
                        add(rules, SCMP_ACT_ERRNO(EPERM), opens[i / 2].number, 2,
                            (const struct scmp_arg_cmp[]){
                                    HAS_BITS((unsigned)opens[i / 2].flags, makers[i % 2]),
                                    HAS_BITS((unsigned)opens[i / 2].mode, bits[b])});
        }
        // Its flags are in memory, which a filter cannot read.
        forbid(rules, SCMP_SYS(openat2), ENOSYS);
        if (syscall_number("fchmodat2", &fchmodat2) == 0) // younger than some libraries
                for (size_t b = 0; b < ARRAY_SIZE(bits); b++)
                        forbid_if(rules, fchmodat2, EPERM, HAS_BITS(2, bits[b]));
}

static bool wants_namespaces(const struct exec_group *exec)
{
        return exec->restrict_namespaces != NAMESPACES_UNSET &&
               (exec->restrict_namespaces & NAMESPACES_ALL) != NAMESPACES_ALL;
}

static void restrict_namespaces(struct rules *rules)
{
        uint64_t denied = NAMESPACES_ALL & ~rules->exec->restrict_namespaces;
#if defined(__s390x__)
        const unsigned clone_flags = 1;
#else
        const unsigned clone_flags = 0;
#endif

        // Its flags are in memory. Programs fall back to clone(2).
        forbid(rules, SCMP_SYS(clone3), ENOSYS);
        if (denied == NAMESPACES_ALL)
                forbid(rules, SCMP_SYS(setns), EPERM);
        else // 0: whatever the descriptor is of
                forbid_if(rules, SCMP_SYS(setns), EPERM, IS_INT(1, 0));
        for (uint64_t flag = 1; flag <= denied; flag <<= 1) {
                if (!(denied & flag))
                        continue;
                forbid_if(rules, SCMP_SYS(unshare), EPERM, HAS_BITS(0, flag));
                forbid_if(rules, SCMP_SYS(clone), EPERM, HAS_BITS(clone_flags, flag));
                if (denied != NAMESPACES_ALL)
                        forbid_if(rules, SCMP_SYS(setns), EPERM, HAS_BITS(1, flag));
        }
}

static bool wants_personality(const struct exec_group *exec)
{
        return exec->lock_personality;
}

// Personality= or what the supervisor has is kept.
static void restrict_personality(struct rules *rules)
{
        int own = rules->exec->personality, current = own >= 0 ? own : personality(PERSONALITY_ASK);

        forbid_if(rules, SCMP_SYS(personality), EPERM,
                  SCMP_CMP64(0, SCMP_CMP_NE, (uint64_t)current, 0));
}

// Each concerns other system calls than the rest, so that one filter can have all of them.
static const struct {
        bool (*is_wanted)(const struct exec_group *exec);
        void (*add)(struct rules *rules);
} restrictions[] = {
        {wants_families, restrict_families},     {wants_write_execute, restrict_write_execute},
        {wants_realtime, restrict_realtime},     {wants_suid_sgid, restrict_suid_sgid},
        {wants_namespaces, restrict_namespaces}, {wants_personality, restrict_personality},
};

static void add_restrictions(struct rules *rules)
{
        for (size_t i = 0; i < ARRAY_SIZE(restrictions); i++)
                if (restrictions[i].is_wanted(rules->exec))
                        restrictions[i].add(rules);
}

static bool has_restrictions(const struct exec_group *exec)
{
        for (size_t i = 0; i < ARRAY_SIZE(restrictions); i++)
                if (restrictions[i].is_wanted(exec))
                        return true;
        return exec->system_call_architectures != NULL;
}

// ---- the lists ---------------------------------------------------------------------------------

// Before Linux 4.14 a thread can be ended, not its process, and nothing can be logged.
static bool has_actions_of_4_14(void)
{
        return seccomp_api_get() >= API_OF_4_14;
}

static uint32_t kill_action(void)
{
        return has_actions_of_4_14() ? SCMP_ACT_KILL_PROCESS : SCMP_ACT_KILL_THREAD;
}

static uint32_t action_of(int error)
{
        return error == SYSCALL_ERROR_KILL ? kill_action() : SCMP_ACT_ERRNO((uint32_t)error);
}

static void add_filter(struct rules *rules)
{
        const struct syscall_filter *f = &rules->exec->system_call_filter;
        uint32_t denied = action_of(rules->exec->system_call_error_number);

        for (size_t i = 0; i < f->n; i++) {
                int error = f->items[i].error;
                uint32_t action = error != SYSCALL_ERROR_NONE ? action_of(error)
                                  : f->is_allow_list          ? SCMP_ACT_ALLOW
                                                              : denied;

                if (action != (f->is_allow_list ? denied : SCMP_ACT_ALLOW))
                        add(rules, action, f->items[i].number, 0, NULL);
        }
}

static void add_log(struct rules *rules)
{
        const struct syscall_filter *f = &rules->exec->system_call_log;

        for (size_t i = 0; i < f->n; i++)
                add(rules, f->is_allow_list ? SCMP_ACT_LOG : SCMP_ACT_ALLOW, f->items[i].number, 0,
                    NULL);
}

// ---- compiling ---------------------------------------------------------------------------------

// The architectures that filters have to know. Where the unit says which are allowed, the others
// are forbidden as a whole.
static size_t architectures_of(const struct exec_group *exec, uint32_t *ret)
{
        size_t n = 0;

        if (!exec->system_call_architectures) {
                memcpy(ret, local_architectures, sizeof(local_architectures));
                return ARRAY_SIZE(local_architectures);
        }
        ret[n++] = SCMP_ARCH_NATIVE; // the program itself has to start
        for (char **name = exec->system_call_architectures; *name && n < ARCHITECTURES_MAX;
             name++) {
                uint32_t token;

                if (syscall_architecture(*name, &token) == 0 && token != SCMP_ARCH_NATIVE &&
                    token != seccomp_arch_native())
                        ret[n++] = token;
        }
        return n;
}

static int new_context(const struct exec_group *exec, uint32_t architecture, uint32_t otherwise,
                       scmp_filter_ctx *ret)
{
        scmp_filter_ctx context = seccomp_init(otherwise);
        int r = context ? 0 : -ENOMEM;

        if (r == 0 && architecture != SCMP_ARCH_NATIVE) {
                r = seccomp_arch_remove(context, SCMP_ARCH_NATIVE);
                if (r == 0)
                        r = seccomp_arch_add(context, architecture);
        }
        if (r == 0)
                r = seccomp_attr_set(context, SCMP_FLTATR_ACT_BADARCH,
                                     exec->system_call_architectures ? kill_action()
                                                                     : SCMP_ACT_ALLOW);
        if (r == 0)
                r = seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, TREE);
        if (r < 0)
                seccomp_release(context);
        else
                *ret = context;
        return r;
}

// The program of the kernel, out of libseccomp by way of a file in memory.
static int export(scmp_filter_ctx context, struct sock_fprog *ret)
{
        CLEANUP(fd) int fd = memfd_create("filter", MFD_CLOEXEC);
        int r = fd < 0 ? -errno : seccomp_export_bpf(context, fd);
        off_t size = r < 0 ? r : lseek(fd, 0, SEEK_CUR);

        if (size < 0)
                return r < 0 ? r : -errno;
        struct sock_filter *code = malloc((size_t)size);

        if (!code)
                return -ENOMEM;
        ssize_t n = pread(fd, code, (size_t)size, 0);

        if (n != size) {
                r = n < 0 ? -errno : -EIO;
                free(code);
                return r;
        }
        ret->filter = code;
        ret->len = (unsigned short)((size_t)size / sizeof(*code));
        return 0;
}

static int compile(struct filter_set *set, uint32_t otherwise, void (*fill)(struct rules *rules))
{
        struct rules rules = {.exec = set->conf->exec};
        uint32_t architectures[ARCHITECTURES_MAX];
        size_t n = architectures_of(rules.exec, architectures);
        scmp_filter_ctx all = NULL;
        int r = 0;

        for (size_t i = 0; r == 0 && i < n; i++) {
                r = new_context(rules.exec, architectures[i], otherwise, &rules.context);
                if (r < 0)
                        break;
                fill(&rules);
                r = rules.r;
                if (r == 0 && all)
                        r = seccomp_merge(all, rules.context); // released, too
                if (r < 0)
                        seccomp_release(rules.context);
                else if (!all)
                        all = rules.context;
        }
        if (r == 0)
                r = export(all, &set->programs[set->n]);
        if (r == 0)
                set->n++;
        seccomp_release(all);
        return r;
}

// Would this call end the process?
static bool is_deadly(const struct exec_group *exec, int number)
{
        const struct syscall_filter *f = &exec->system_call_filter;
        int error = SYSCALL_ERROR_NONE;
        bool is_listed = syscall_filter_has(f, number, &error);

        if (is_listed && error != SYSCALL_ERROR_NONE)
                return error == SYSCALL_ERROR_KILL;
        return f->is_set && is_listed != f->is_allow_list &&
               exec->system_call_error_number == SYSCALL_ERROR_KILL;
}

static int compile_all(struct filter_set *set)
{
        const struct exec_group *exec = set->conf->exec;
        // What the child itself still does.
        static const int needed[] = {SCMP_SYS(execve), SCMP_SYS(exit_group), SCMP_SYS(write)};
        int r = 0;

        if (has_restrictions(exec))
                r = compile(set, SCMP_ACT_ALLOW, add_restrictions);
        if (r == 0 && exec->system_call_log.is_set && has_actions_of_4_14())
                r = compile(set,
                            exec->system_call_log.is_allow_list ? SCMP_ACT_ALLOW : SCMP_ACT_LOG,
                            add_log);
        if (r == 0 && exec->system_call_filter.is_set)
                r = compile(set,
                            exec->system_call_filter.is_allow_list
                                    ? action_of(exec->system_call_error_number)
                                    : SCMP_ACT_ALLOW,
                            add_filter);
        for (size_t i = 0; i < ARRAY_SIZE(needed); i++)
                set->ends_child |= is_deadly(exec, needed[i]);
        return r;
}

// ---- sets --------------------------------------------------------------------------------------

static struct list_node recent = {&recent, &recent}; // the last one used is the first
static size_t n_recent;

void filters_unref(struct filter_set *set)
{
        if (!set || --set->refs > 0)
                return;
        for (size_t i = 0; i < set->n; i++)
                free(set->programs[i].filter);
        unit_conf_unref(set->conf);
        free(set);
}

DEFINE_CLEANUP(filter_set, struct filter_set *, filters_unref)

static void forget(struct filter_set *set)
{
        list_remove(&set->node);
        n_recent--;
        filters_unref(set);
}

void filters_forget(void)
{
        while (!list_is_empty(&recent))
                forget(CONTAINER_OF(recent.next, struct filter_set, node));
}

static void remember(struct filter_set *set)
{
        list_prepend(&recent, &set->node);
        if (++n_recent > KEPT_MAX)
                forget(CONTAINER_OF(recent.prev, struct filter_set, node));
}

// Would the filters be the same? Asked of every row whose field is read here.
static bool is_same(const struct unit_conf *a, const struct unit_conf *b)
{
        size_t n;
        const struct directive *rows = directive_table(GROUP_EXEC, &n);

        if (a->exec == b->exec)
                return true;
        for (size_t i = 0; i < n; i++)
                if (rows[i].owner && rows[i].kind && streq(rows[i].owner, OWN_FILE) &&
                    !kind_equal(rows[i].kind, directive_value(&rows[i], a),
                                directive_value(&rows[i], b)))
                        return false;
        return a->exec->personality == b->exec->personality;
}

static struct filter_set *find(const struct unit_conf *conf)
{
        LIST_FOREACH (&recent, node) {
                struct filter_set *set = CONTAINER_OF(node, struct filter_set, node);

                if (!is_same(set->conf, conf))
                        continue;
                list_remove(&set->node);
                list_prepend(&recent, &set->node);
                return set;
        }
        return NULL;
}

static bool is_wanted(const struct exec_group *exec)
{
        return has_restrictions(exec) || exec->system_call_log.is_set ||
               exec->system_call_filter.is_set;
}

int filters_get(struct unit_conf *conf, struct filter_set **ret)
{
        CLEANUP(filter_set) struct filter_set *set = NULL;
        struct filter_set *known;

        // The kernel was built without: systemd goes on without, too. Where something else forbids
        // the question, the child fails if it cannot load its filters.
        if (!is_wanted(conf->exec) || (prctl(PR_GET_SECCOMP) < 0 && errno == EINVAL))
                return 0;
        known = find(conf);
        if (known) {
                known->refs++;
                *ret = known;
                return 1;
        }
        set = calloc(1, sizeof(*set));
        if (!set)
                return -ENOMEM;
        set->refs = 1;
        set->conf = unit_conf_ref(conf);
        int r = compile_all(set);

        if (r < 0)
                return r;
        set->refs++; // the list's
        remember(set);
        *ret = TAKE(set);
        return 1;
}
