#include "core/loop/reap.h"

#include "base/clock.h"
#include "core/start/orphans.h"
#include "unit/harness.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct fixture {
        struct events *events;
        struct reaper *reaper;
        struct orphans *orphans; // NULL: nobody keeps zombies
        struct child child;
        siginfo_t end;
        int n_ends;
};

static void begin(struct fixture *f)
{
        memset(f, 0, sizeof(*f));
        assert_int_equal(events_new(&f->events), 0);
        assert_int_equal(reaper_new(f->events, &f->reaper), 0);
        f->child = (struct child){.pidfd = -1};
}

static void begin_with_orphans(struct fixture *f)
{
        begin(f);
        assert_int_equal(orphans_new(f->events, f->reaper, &f->orphans), 0);
}

static void end(struct fixture *f)
{
        orphans_free(f->orphans);
        reaper_free(f->reaper);
        events_free(f->events);
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
                assert_true(events_turn(f->events, USEC_PER_MSEC) >= 0);
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
        struct owner owner;

        begin_with_orphans(&f);
        pid_t pid = fork_one();

        assert_int_equal(reaper_watch(f.reaper, &f.child, pid, -1, (struct owner){.self = &f},
                                      on_exit_of_child),
                         0);
        assert_int_equal(f.child.pid, pid);
        assert_true(reaper_find_owner(f.reaper, pid, &owner));
        assert_ptr_equal(owner.self, &f);
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

        begin_with_orphans(&f);
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

        begin_with_orphans(&f);
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

// Without a keeper nothing is left of it once its owner knows.
static void test_no_keeper(void **state)
{
        struct fixture f;

        begin(&f);
        pid_t pid = fork_one();

        assert_int_equal(reaper_watch(f.reaper, &f.child, pid, -1, (struct owner){.self = &f},
                                      on_exit_of_child),
                         0);
        kill(pid, SIGKILL);
        wait_for_end(&f);
        assert_int_equal(waitpid(pid, NULL, WNOHANG), -1);
        assert_int_equal(errno, ECHILD);
        end(&f);
}

// Another source has waited for it, and knows its exit status. It is reported once.
static void test_fed_end(void **state)
{
        struct fixture f;
        siginfo_t info = {.si_code = CLD_EXITED};

        begin_with_orphans(&f);
        pid_t pid = fork_one();

        assert_int_equal(reaper_watch(f.reaper, &f.child, pid, -1, (struct owner){.self = &f},
                                      on_exit_of_child),
                         0);
        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        info.si_pid = pid;
        info.si_status = 3;
        reaper_feed(f.reaper, &info, false);
        assert_int_equal(f.n_ends, 1);
        assert_int_equal(f.end.si_status, 3);
        assert_int_equal(reaper_count(f.reaper), 0);
        reaper_feed(f.reaper, &info, false);
        turns(&f, 3);
        assert_int_equal(f.n_ends, 1);
        end(&f);
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_end),
        cmocka_unit_test(test_unknown_end),
        cmocka_unit_test(test_sigchld_while_a_child_has_not_called_exec),
        cmocka_unit_test(test_no_keeper),
        cmocka_unit_test(test_fed_end),
};
HARNESS_MAIN(tests)
