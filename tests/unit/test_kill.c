// Finding what belongs to a unit without a cgroup, and ending it.
#include "spawn/kill.h"

#include "base/fd.h"
#include "base/proc.h"
#include "base/str.h"
#include "unit/harness.h"

#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define ID "00112233445566778899aabbccddeeff"

// A shell as leader of a session, with this environment; what it prints last is awaited.
static pid_t start_shell(const char *script, char *const *env)
{
        int out[2];
        char byte;

        assert_int_equal(pipe(out), 0);
        pid_t pid = fork();

        if (pid == 0) {
                char *const argv[] = {(char *)"sh", (char *)"-c", (char *)script, NULL};

                setsid();
                dup2(out[1], 1);
                execve("/bin/sh", argv, env);
                _exit(1);
        }
        close(out[1]);
        assert_int_equal(read(out[0], &byte, 1), 1); // "ready"
        close(out[0]);
        return pid;
}

static bool has_pid(const struct kill_pids *pids, pid_t pid)
{
        for (size_t i = 0; i < pids->n; i++)
                if (pids->items[i] == pid)
                        return true;
        return false;
}

static void end_all(const struct kill_pids *pids)
{
        assert_true(kill_all(pids, NULL, 0, SIGKILL) >= 0);
        while (waitpid(-1, NULL, 0) > 0)
                continue;
}

static void test_marks(void **state)
{
        static char *const env[] = {(char *)"PATH=/usr/bin:/bin", (char *)"INVOCATION_ID=" ID,
                                    NULL};

        assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
        // One in the session, one that left it with its environment, one that lost its parent.
        pid_t leader = start_shell("sleep 60 & setsid sleep 61 & (sleep 62 &) ; sleep 0.2; "
                                   "echo ready; wait",
                                   env);
        const struct kill_marks by_session = {.main_pid = leader};
        const struct kill_marks by_both = {.main_pid = leader, .invocation_id = ID};
        const struct kill_marks by_id = {.invocation_id = ID};
        CLEANUP(kill_pids) struct kill_pids session = {0}, both = {0}, id = {0}, none = {0};

        assert_int_equal(kill_find_marked(&by_session, &session), 0);
        assert_int_equal(session.n, 3); // leader, 60, 62
        assert_true(has_pid(&session, leader));
        assert_int_equal(kill_find_marked(&by_both, &both), 0);
        assert_int_equal(both.n, 4);
        assert_int_equal(kill_find_marked(&by_id, &id), 0);
        assert_int_equal(id.n, 4);
        assert_false(both.is_cut);
        // All but the leader.
        assert_int_equal(kill_all(&both, &leader, 1, SIGKILL), 3);
        end_all(&both);
        assert_int_equal(kill_find_marked(&by_both, &none), 0); // zombies do not count
        assert_int_equal(none.n, 0);
}

static void test_process(void **state)
{
        pid_t pid = fork();

        if (pid == 0) {
                pause();
                _exit(0);
        }
        CLEANUP(fd) int pidfd = kill_pidfd_open(pid);
        int status;

        if (pidfd >= 0)
                assert_true(pidfd >= FD_LOW_WINDOW);
        else
                assert_int_equal(pidfd, -ENOSYS); // an old kernel, or valgrind
        assert_int_equal(kill_process(pid, pidfd, SIGTERM), 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(WTERMSIG(status), SIGTERM);
        assert_int_equal(kill_process(pid, pidfd, SIGTERM), -ESRCH);
}

static int find_once(void *arg UNUSED)
{
        CLEANUP(kill_pids) struct kill_pids pids = {0};
        const struct kill_marks own = {.main_pid = getppid()};

        return kill_find_marked(&own, &pids);
}

static void test_oom(void **state)
{
        oom_prove(find_once, NULL);
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_marks),
        cmocka_unit_test(test_process),
        cmocka_unit_test(test_oom),
};
HARNESS_MAIN(tests)
