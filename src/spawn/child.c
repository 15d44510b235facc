// The child between clone and exec: runs the steps and execs, or leaves a report and exits.
#include "spawn/step.h"
#include "spawn/sys.h"

#include <linux/futex.h>
#include <stdatomic.h>
#include <sys/mman.h>

#define REPORTS_MAX 64 // failures whose exit status has not been handled yet

struct report {
        atomic_int pid; // 0: the entry is free; written last
        int error;
        const char *op; // of the program's text: the same address in parent and child
        char detail[FAIL_DETAIL_MAX];
};

static struct reports {
        atomic_uint next;
        struct report items[REPORTS_MAX];
} * reports;

int child_report_init(void)
{
        void *p;

        if (reports)
                return 0;
        p = mmap(NULL, sizeof(*reports), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (p == MAP_FAILED)
                return -errno;
        reports = p;
        return 0;
}

void child_report_done(void)
{
        if (reports)
                munmap(reports, sizeof(*reports));
        reports = NULL;
}

CHILD_CODE static void copy_text(char *to, const char *from, size_t size)
{
        size_t i = 0;

        for (; from && from[i] && i + 1 < size; i++)
                to[i] = from[i];
        to[i] = '\0';
}

// What is written to exec_fd when the exec did not happen.
struct exec_message {
        int error;
        const char *op;
        char detail[FAIL_DETAIL_MAX];
};

CHILD_CODE __attribute__((noreturn)) static void end(struct launch *l, const char *op, int error,
                                                     int status)
{
        struct report *report;

        if (l->exec_fd >= 0) {
                struct exec_message message = {.error = error, .op = op};

                copy_text(message.detail, l->detail, sizeof(message.detail));
                (void)sys_write(l->exec_fd, &message, sizeof(message));
        }
        if (reports) {
                report = &reports->items[atomic_fetch_add(&reports->next, 1) % REPORTS_MAX];
                atomic_store(&report->pid, 0);
                report->error = error;
                report->op = op;
                copy_text(report->detail, l->detail, sizeof(report->detail));
                atomic_store(&report->pid, sys_getpid());
        }
        sys_exit(status);
}

int spawn_report_take(pid_t pid, struct fail *ret)
{
        if (!reports || pid <= 0)
                return 0;
        for (size_t i = 0; i < REPORTS_MAX; i++) {
                struct report *report = &reports->items[i];
                char detail[FAIL_DETAIL_MAX];

                if (atomic_load(&report->pid) != pid)
                        continue;
                copy_text(detail, report->detail, sizeof(detail));
                fail_set(ret, report->error, report->op, detail[0] ? "%s" : NULL, detail);
                atomic_store(&report->pid, 0);
                return 1;
        }
        return 0;
}

int spawn_exec_result(int exec_fd, struct fail *why)
{
        struct exec_message message;
        ssize_t n = read(exec_fd, &message, sizeof(message));

        if (n < 0)
                return errno == EINTR ? -EAGAIN : -errno;
        if (n == 0)
                return 1;
        if ((size_t)n != sizeof(message)) // a pipe always takes so few bytes at once
                return -EBADMSG;
        message.detail[sizeof(message.detail) - 1] = '\0';
        fail_set(why, message.error, message.op, message.detail[0] ? "%s" : NULL, message.detail);
        return 0;
}

// Writes the pid in decimal to the places of LISTEN_PID and the like.
CHILD_CODE static void write_pid(struct launch *l)
{
        char digits[PID_DIGITS];
        size_t n = 0;

        if (l->n_pid_slots == 0)
                return;
        for (unsigned pid = (unsigned)sys_getpid(); pid > 0 && n < PID_DIGITS; pid /= 10)
                digits[n++] = (char)('0' + pid % 10);
        for (size_t s = 0; s < l->n_pid_slots; s++) {
                for (size_t i = 0; i < n; i++)
                        l->pid_slots[s][i] = digits[n - 1 - i];
                l->pid_slots[s][n] = '\0';
        }
}

CHILD_CODE void child_run(void *arg)
{
        struct launch *l = arg;
        const struct spawn_plan *plan = l->plan;
        int r;

        if (l->window > 0) {
                r = (int)SYS_CALL(SYS_close_range, l->window, ~0U, 2 /* CLOSE_RANGE_UNSHARE */);
                if (r < 0)
                        end(l, "unshare descriptors", -r, EXIT_FDS);
                __atomic_store_n(&l->has_own_fds, 1, __ATOMIC_RELEASE);
                if (l->is_awaited)
                        (void)SYS_CALL(SYS_futex, &l->has_own_fds, FUTEX_WAKE_PRIVATE, 1);
        }
        write_pid(l);
        for (size_t i = 0; i < plan->n_steps; i++) {
                const struct step *step = plan->steps[i];

                if (step->flags & l->skip)
                        continue;
                l->detail = NULL;
                r = step->run(l);
                if (r < 0)
                        end(l, step->op, -r, step->exit_status);
        }
        l->detail = l->executable;
        if (l->command->is_missing)
                r = -ENOENT;
        else
                r = (int)SYS_CALL(SYS_execve, l->executable, l->argv, l->envp);
        // as with systemd, a missing program counts as success if the command may fail
        if (r == -ENOENT && (l->command->source->flags & EXEC_IGNORE_FAILURE))
                sys_exit(0);
        end(l, "exec", -r, EXIT_EXEC);
}
