// How the descendants of a process are found, and how signals are sent to those that were found.
#include "spawn/kill.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/proc.h"
#include "unit/harness.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

// A shell as leader of a session; what it prints last is awaited.
static pid_t start_shell(const char *script)
{
        int out[2];
        char byte;

        assert_int_equal(pipe(out), 0);
        pid_t pid = fork();

        if (pid == 0) {
                setsid();
                dup2(out[1], 1);
                execl("/bin/sh", "sh", "-c", script, NULL);
                _exit(1);
        }
        close(out[1]);
        assert_int_equal(read(out[0], &byte, 1), 1); // "ready"
        close(out[0]);
        return pid;
}

static void end_all(const struct kill_walk *w)
{
        for (size_t i = 0; i < w->n; i++)
                (void)kill_found(&w->items[i], SIGKILL);
        while (waitpid(-1, NULL, 0) > 0)
                continue;
}

// Its children and theirs, whatever session they are in; an orphan is none.
static void test_walk(void **state)
{
        CLEANUP(kill_walk) struct kill_walk w = KILL_WALK_NULL, none = KILL_WALK_NULL;

        assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
        pid_t root = start_shell("sleep 60 & setsid sh -c 'sleep 61 & sleep 62; :' & "
                                 "(sleep 63 &) ; sleep 0.3; echo ready; wait");

        assert_int_equal(kill_walk_add(&w, root), 0);
        assert_int_equal(w.n_roots, 1);
        assert_int_equal(kill_walk_step(&w, USEC_INFINITY), 0);
        assert_int_equal(w.n, 5); // the two shells, 60, 61, 62
        assert_int_equal(w.items[0].pid, root);
        assert_false(w.is_cut);
        assert_int_equal(kill_walk_step(&w, USEC_INFINITY), 0);
        assert_int_equal(w.n, 5);
        for (size_t i = 0; i < w.n; i++)
                assert_int_equal(kill_found(&w.items[i], SIGKILL), 0);
        // The orphan is ours.
        struct proc_children c;
        pid_t pid;

        if (proc_children_open(&c, 0, 0) == 0) {
                while (proc_children_next(&c, &pid) > 0)
                        (void)kill(pid, SIGKILL);
                proc_children_close(&c);
        }
        end_all(&w);
        assert_int_equal(kill_walk_add(&none, root), 0);
        assert_int_equal(none.n, 0);
        assert_int_equal(kill_walk_step(&none, USEC_INFINITY), 0);
}

// No call goes on for long; all of them together find everything.
static void test_steps(void **state)
{
        CLEANUP(kill_walk) struct kill_walk w = KILL_WALK_NULL;
        pid_t root = start_shell("for i in 1 2 3 4 5 6 7 8; do sh -c 'sleep 60 & sleep 60; :' & "
                                 "done; sleep 0.3; echo ready; wait");
        unsigned n_steps = 1;

        assert_int_equal(kill_walk_add(&w, root), 0);
        while (kill_walk_step(&w, 0) > 0)
                n_steps++;
        assert_int_equal(w.n, 1 + 3 * 8);
        assert_true(n_steps > 2 * 8);
        end_all(&w);
}

static void *wait_for_end(void *arg)
{
        for (;;)
                pause();
        return arg;
}

static void *fork_and_wait(void *ready)
{
        if (fork() == 0)
                for (;;)
                        pause();
        (void)!write(*(int *)ready, "x", 1);
        return wait_for_end(NULL);
}

// One whose main thread has ended goes on, though it looks like a zombie. Every thread has children
// of its own.
static void test_threads(void **state)
{
        CLEANUP(kill_walk) struct kill_walk w = KILL_WALK_NULL;
        int ready[2];
        char byte;

        assert_int_equal(pipe(ready), 0);
        pid_t pid = fork();

        if (pid == 0) {
                pthread_t thread;

                if (pthread_create(&thread, NULL, fork_and_wait, &ready[1]) != 0 ||
                    pthread_create(&thread, NULL, fork_and_wait, &ready[1]) != 0)
                        _exit(1);
                pthread_exit(NULL);
        }
        assert_int_equal(read(ready[0], &byte, 1), 1);
        assert_int_equal(read(ready[0], &byte, 1), 1);
        close(ready[0]);
        close(ready[1]);
        struct proc_stat stat = {0};

        for (int i = 0; i < 20000 && stat.state != 'Z'; i++) {
                assert_int_equal(proc_get_stat(pid, &stat), 0);
                usleep(1000);
        }
        assert_int_equal(kill_walk_add(&w, pid), 0);
        assert_int_equal(kill_walk_step(&w, USEC_INFINITY), 0);
        assert_int_equal(w.n, 3);
        end_all(&w);
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

// Another process with the pid of one that was found gets nothing.
static void test_found_is_another(void **state)
{
        pid_t pid = fork();
        struct kill_found found = {.pid = pid};

        if (pid == 0)
                for (;;)
                        pause();
        assert_int_equal(proc_get_start_time(pid, &found.start), 0);
        assert_int_equal(kill_found(&found, 0), 0);
        found.start--;
        assert_int_equal(kill_found(&found, SIGKILL), -ESRCH);
        found.start++;
        assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
        assert_int_equal(kill_found(&found, SIGKILL), 0);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        assert_int_equal(kill_found(&found, SIGKILL), -ESRCH);
}

static int walk_once(void *root)
{
        CLEANUP(kill_walk) struct kill_walk w = KILL_WALK_NULL;
        int r = kill_walk_add(&w, *(pid_t *)root);

        return r == 0 ? kill_walk_step(&w, USEC_INFINITY) : r;
}

static void test_oom(void **state)
{
        CLEANUP(kill_walk) struct kill_walk w = KILL_WALK_NULL;
        pid_t root = start_shell("sleep 60 & sleep 61 & sleep 0.3; echo ready; wait");

        oom_prove(walk_once, &root);
        assert_int_equal(kill_walk_add(&w, root), 0);
        assert_int_equal(kill_walk_step(&w, USEC_INFINITY), 0);
        end_all(&w);
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_walk),
        cmocka_unit_test(test_steps),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_process),
        cmocka_unit_test(test_found_is_another),
        cmocka_unit_test(test_oom),
};
HARNESS_MAIN(tests)
