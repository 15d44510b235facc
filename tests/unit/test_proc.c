#include "base/proc.h"

#include "unit/harness.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>

// A child with an awkward name that waits until it is killed.
static pid_t start_child(void)
{
        int fds[2];
        char byte;

        assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
        pid_t pid = fork();
        if (pid == 0) {
                setsid();
                prctl(PR_SET_NAME, "a) R 1 (b) S");
                (void)!write(fds[1], "x", 1);
                for (;;)
                        pause();
        }
        assert_int_equal(read(fds[0], &byte, 1), 1);
        close(fds[0]);
        close(fds[1]);
        return pid;
}

static void test_facts(void **state)
{
        CLEANUP(free) char *comm = NULL;
        pid_t pid = start_child();
        struct proc_stat stat;
        struct proc_uids uids;
        uint64_t mine, its;

        assert_int_equal(proc_get_comm(pid, &comm), 0);
        assert_string_equal(comm, "a) R 1 (b) S");
        assert_int_equal(proc_get_stat(pid, &stat), 0);
        assert_int_equal(stat.parent, getpid());
        assert_int_equal(stat.group, pid);
        assert_int_equal(stat.session, pid);
        assert_int_equal(stat.n_threads, 1);
        assert_true(stat.has_environment);
        assert_int_equal(proc_get_uids(pid, &uids), 0);
        assert_int_equal(uids.real, getuid());
        assert_int_equal(uids.effective, geteuid());
        assert_int_equal(proc_get_start_time(getpid(), &mine), 0);
        assert_int_equal(proc_get_start_time(pid, &its), 0);
        assert_true(its >= mine && its - mine < 100000);
        assert_true(proc_is_alive(pid));
        kill(pid, SIGKILL);
        siginfo_t info;
        assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
        assert_int_equal(proc_get_stat(pid, &stat), 0);
        assert_int_equal(stat.state, 'Z');
        assert_false(proc_is_alive(pid));
        CLEANUP(free) char *cmdline = NULL;
        assert_int_equal(proc_get_cmdline(pid, &cmdline), 0);
        assert_string_equal(cmdline, "[a) R 1 (b) S]"); // a zombie has none of its own
        waitpid(pid, NULL, 0);
}

static void test_a_process_that_is_gone(void **state)
{
        char *text = NULL;
        pid_t pid = fork();
        struct proc_stat stat;
        struct proc_uids uids;
        uint64_t ticks;

        if (pid == 0)
                _exit(0);
        waitpid(pid, NULL, 0);
        assert_int_equal(proc_get_comm(pid, &text), -ESRCH);
        assert_int_equal(proc_get_cmdline(pid, &text), -ESRCH);
        assert_int_equal(proc_get_environ(pid, "A", &text), -ESRCH);
        assert_int_equal(proc_get_stat(pid, &stat), -ESRCH);
        assert_int_equal(proc_get_uids(pid, &uids), -ESRCH);
        assert_int_equal(proc_get_start_time(pid, &ticks), -ESRCH);
        assert_false(proc_is_alive(pid));
        assert_null(text);
}

static void test_words_and_environment(void **state)
{
        CLEANUP(free) char *cmdline = NULL, *value = NULL, *empty = NULL;
        char *none = NULL;
        int fds[2];
        char byte;

        assert_int_equal(pipe(fds), 0);
        pid_t pid = fork();
        if (pid == 0) {
                dup2(fds[1], STDOUT_FILENO);
                execle("/bin/sh", "sh", "-c", "echo; kill -STOP $$; :", "two words", NULL,
                       (const char *[]){"AB=1", "A=2=3", "EMPTY=", NULL});
                _exit(1);
        }
        assert_int_equal(read(fds[0], &byte, 1), 1); // the exec is over
        assert_int_equal(proc_get_cmdline(pid, &cmdline), 0);
        assert_string_equal(cmdline, "sh -c echo; kill -STOP $$; : two words");
        assert_int_equal(proc_get_environ(pid, "A", &value), 0);
        assert_string_equal(value, "2=3");
        assert_int_equal(proc_get_environ(pid, "EMPTY", &empty), 0);
        assert_string_equal(empty, "");
        assert_int_equal(proc_get_environ(pid, "B", &none), -ENXIO);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        close(fds[0]);
        close(fds[1]);
}

// Many enough that the kernel tells them in several pieces.
#define N_CHILDREN 1000

static void test_children(void **state)
{
        struct proc_children c;
        pid_t pids[N_CHILDREN], pid;
        int fds[2], r = proc_children_open(&c, 0, 0);

        if (r == -EOPNOTSUPP)
                skip();
        assert_int_equal(r, 0);
        assert_int_equal(proc_children_next(&c, &pid), 0);
        assert_int_equal(pipe(fds), 0);
        for (size_t i = 0; i < N_CHILDREN; i++) {
                pids[i] = fork();
                assert_true(pids[i] >= 0);
                if (pids[i] == 0) {
                        close(fds[1]);
                        _exit((int)read(fds[0], &pid, 1));
                }
        }
        for (int round = 0; round < 2; round++) {
                proc_children_rewind(&c);
                for (size_t i = 0; i < N_CHILDREN; i++) {
                        assert_int_equal(proc_children_next(&c, &pid), 1);
                        assert_int_equal(pid, pids[i]);
                }
                assert_int_equal(proc_children_next(&c, &pid), 0);
                assert_int_equal(proc_children_next(&c, &pid), 0);
        }
        close(fds[0]);
        close(fds[1]);
        for (size_t i = 0; i < N_CHILDREN; i++)
                assert_int_equal(waitpid(pids[i], NULL, 0), pids[i]);
        proc_children_close(&c);
        assert_int_equal(proc_children_open(&c, pids[0], pids[0]), -ESRCH);
}

static int all(void *arg)
{
        CLEANUP(free) char *a = NULL, *b = NULL, *c = NULL;
        uint64_t ticks;
        int r = proc_get_comm(getpid(), &a);

        if (r >= 0)
                r = proc_get_cmdline(getpid(), &b);
        if (r >= 0)
                r = proc_get_environ(getpid(), "PATH", &c);
        if (r >= 0)
                r = proc_get_start_time(getpid(), &ticks);
        return r;
}

static void test_oom(void **state)
{
        oom_prove(all, NULL);
}

// A child that is there at the moment is before it; one that is forked afterwards is not, also
// within the unit of start times.
static void test_moments(void **state)
{
        for (int i = 0; i < 20; i++) {
                struct proc_moment moment;
                pid_t children[2];

                for (size_t k = 0; k < 2; k++) {
                        if (k == 1)
                                proc_moment_now(&moment);
                        children[k] = fork();
                        if (children[k] == 0) {
                                pause();
                                _exit(0);
                        }
                        assert_true(children[k] > 0);
                }
                assert_true(proc_is_before(children[0], &moment));
                assert_false(proc_is_before(children[1], &moment));
                for (size_t k = 0; k < 2; k++) {
                        kill(children[k], SIGKILL);
                        assert_int_equal(waitpid(children[k], NULL, 0), children[k]);
                        assert_false(proc_is_before(children[k], &moment));
                }
        }
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_facts),
        cmocka_unit_test(test_a_process_that_is_gone),
        cmocka_unit_test(test_words_and_environment),
        cmocka_unit_test(test_children),
        cmocka_unit_test(test_moments),
        cmocka_unit_test(test_oom),
};
HARNESS_MAIN(tests)
