#include "core/loop/reap.h"

#include "base/clock.h"
#include "core/unit/manager.h"
#include "unit/harness.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct fixture {
        struct manager manager;
        struct reaper *reaper;
        struct child child;
        siginfo_t end;
        int n_ends;
};

static void begin(struct fixture *f)
{
        memset(f, 0, sizeof(*f));
        assert_int_equal(events_new(&f->manager.events), 0);
        assert_int_equal(reaper_new(&f->manager, &f->reaper), 0);
        f->child = (struct child){.pidfd = -1};
}

static void end(struct fixture *f)
{
        reaper_free(f->reaper);
        events_free(f->manager.events);
}

static void on_exit_of_child(struct child *c, const siginfo_t *info)
{
        struct fixture *f = CONTAINER_OF(c, struct fixture, child);

        f->end = *info;
        f->n_ends++;
}

static void turns(struct fixture *f, int n)
{
        while (n-- > 0)
                assert_true(events_turn(f->manager.events, USEC_PER_MSEC) >= 0);
}

// A child of ours that has every descriptor of ours until it is killed.
static pid_t fork_one(void)
{
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0) {
                alarm(60);
                for (;;)
                        pause();
        }
        return pid;
}

static void wait_for_end(struct fixture *f)
{
        for (int i = 0; i < 5000 && f->n_ends == 0; i++)
                turns(f, 1);
        assert_int_equal(f->n_ends, 1);
}

static void test_end(void **state)
{
        struct fixture f;

        begin(&f);
        pid_t pid = fork_one();

        assert_int_equal(reaper_watch(f.reaper, &f.child, pid, -1, (struct owner){.self = &f},
                                      on_exit_of_child),
                         0);
        assert_int_equal(f.child.pid, pid);
        assert_ptr_equal(reaper_find(f.reaper, pid, on_exit_of_child), &f.child);
        assert_int_equal(reaper_count(f.reaper), 1);
        turns(&f, 3);
        assert_int_equal(f.n_ends, 0);
        kill(pid, SIGKILL);
        wait_for_end(&f);
        assert_int_equal(f.end.si_code, CLD_KILLED);
        assert_int_equal(f.end.si_status, SIGKILL);
        assert_int_equal(f.child.pid, 0);
        assert_int_equal(reaper_count(f.reaper), 0);
        end(&f);
}

// Somebody else has waited for it: that is no success.
static void test_unknown_end(void **state)
{
        struct fixture f;

        begin(&f);
        pid_t pid = fork_one();

        assert_int_equal(reaper_watch(f.reaper, &f.child, pid, -1, (struct owner){.self = &f},
                                      on_exit_of_child),
                         0);
        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        f.end.si_code = CLD_EXITED;
        wait_for_end(&f);
        assert_int_equal(f.end.si_pid, pid);
        assert_int_equal(f.end.si_code, 0);
        end(&f);
}

// SIGCHLD is not listened to between an exit and the next sweep. A child that was forked before
// that and has not called exec yet keeps what was listened with.
static void test_sigchld_while_a_child_has_not_called_exec(void **state)
{
        struct fixture f;
        void *blocks[64];

        begin(&f);
        pid_t slow = fork_one();

        for (int round = 0; round < 4; round++) {
                raise(SIGCHLD);
                turns(&f, 2);
                // What has been freed is somebody else's by now.
                for (size_t i = 0; i < ARRAY_SIZE(blocks); i++) {
                        blocks[i] = malloc(8 * i + 1);
                        assert_non_null(blocks[i]);
                        memset(blocks[i], 0xff, 8 * i + 1);
                }
                raise(SIGCHLD);
                turns(&f, 2);
                for (size_t i = 0; i < ARRAY_SIZE(blocks); i++)
                        free(blocks[i]);
                turns(&f, 120); // until the next sweep
        }
        assert_int_equal(reaper_watch(f.reaper, &f.child, slow, -1, (struct owner){.self = &f},
                                      on_exit_of_child),
                         0);
        kill(slow, SIGKILL);
        wait_for_end(&f);
        end(&f);
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_end),
        cmocka_unit_test(test_unknown_end),
        cmocka_unit_test(test_sigchld_while_a_child_has_not_called_exec),
};
HARNESS_MAIN(tests)
