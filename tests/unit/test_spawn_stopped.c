// A child that another user stops, or that hangs, before its exec: usherd does not wait for it.
#include "unit/spawn_fixture.h"

static const char *stopped_before; // the step at which the children of this round stop

static void on_alarm(int signo UNUSED)
{
        static const char text[] = "The supervisor waits for a child that was stopped before: ";

        (void)!write(STDERR_FILENO, text, sizeof(text) - 1);
        (void)!write(STDERR_FILENO, stopped_before, strlen(stopped_before));
        (void)!write(STDERR_FILENO, "\n", 1);
        _exit(1);
}

// As whoever the child's new user is may do at any time. Not by libc: this memory may be shared.
CHILD_CODE static int step_stop(struct launch *l UNUSED)
{
        return (int)SYS_CALL(SYS_kill, sys_getpid(), SIGSTOP);
}

static struct spawn_plan *plan_of(struct world *w, struct unit_conf *conf)
{
        struct spawn_plan *plan = NULL;
        struct fail why = {0};

        assert_int_equal(make_plan(w, conf, &plan, &why), SPAWN_PLAN_READY);
        return plan;
}

#define STOPPED (SLOTS_MAX + 2)

static const struct step stop = {"stop", step_stop, NULL, EXIT_EXCEPTION, 0};

static void start_stopped(struct spawn_plan *plan, struct spawn_params *params, size_t step,
                          pid_t pids[STOPPED])
{
        struct fail why = {0};

        assert_true(plan->n_steps < STEPS_MAX);
        memmove(&plan->steps[step + 1], &plan->steps[step],
                (plan->n_steps - step) * sizeof(plan->steps[0]));
        plan->steps[step] = &stop;
        plan->n_steps++;
        for (size_t i = 0; i < STOPPED; i++) {
                struct spawn_child child;

                assert_int_equal(spawn_start(plan, params, &child, &why), 0);
                fd_close(child.pidfd);
                pids[i] = child.pid;
        }
}

// A child is stopped before each step in turn, more of them than there are slots. No start waits
// for one, and one that hangs at its first step can be ended with SIGTERM.
static void test_stopped_between_steps(void **state)
{
        static const char *const plain[] = {"ExecStart", "/bin/true", NULL};
        static const char *const own_memory[] = {"ExecStart", "/bin/true", "OOMScoreAdjust", "500",
                                                 NULL};
        const char *const *const both[] = {plain, own_memory};
        struct world *w = begin(state);
        CLEANUP(unit_conf) struct unit_conf *good = make_conf(w, plain);
        struct fail report;
        int status;

        signal(SIGALRM, on_alarm);
        for (size_t kind = 0, n_steps = 1; kind < ARRAY_SIZE(both); kind++)
                for (size_t step = 0; step <= n_steps; step++) {
                        CLEANUP(unit_conf) struct unit_conf *conf = make_conf(w, both[kind]);
                        CLEANUP(spawn_plan) struct spawn_plan *plan = plan_of(w, conf);
                        struct spawn_params params = SPAWN_PARAMS_INIT;
                        pid_t pids[STOPPED];

                        n_steps = plan->n_steps;
                        stopped_before = step < n_steps ? plan->steps[step]->op : "exec";
                        params.command = &conf->service->exec_start.items[0];
                        params.is_calm = true;
                        alarm(60);
                        start_stopped(plan, &params, step, pids);
                        params = SPAWN_PARAMS_INIT;
                        assert_int_equal(run_beside(w, good, &params, &report), 0);
                        alarm(0);
                        for (size_t i = 0; i < STOPPED; i++) {
                                assert_int_equal(waitpid(pids[i], &status, WUNTRACED), pids[i]);
                                assert_true(WIFSTOPPED(status));
                                assert_int_equal(kill(pids[i], SIGTERM), 0);
                                assert_int_equal(kill(pids[i], SIGCONT), 0);
                                assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
                                // Before the first step all signals are blocked.
                                if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGTERM)
                                        fail_msg("before %s: status %x", stopped_before, status);
                        }
                        while (spawn_reclaim())
                                usleep(200);
                }
        end(w);
}

// A signal that would make a core file, which were one of our memory, just ends the child.
static void test_no_core(void **state)
{
        static const char *const lines[] = {"ExecStart", "/bin/true", "LimitCORE", "infinity",
                                            NULL};
        static const int signals[] = {SIGQUIT, SIGILL,  SIGTRAP, SIGABRT, SIGBUS,
                                      SIGFPE,  SIGSEGV, SIGXCPU, SIGXFSZ, SIGSYS};
        struct world *w = begin(state);

        if (harness_has_valgrind()) {
                end(w);
                printf("valgrind handles signals by itself and drops one that an exec overtakes\n");
                skip();
        }

        CLEANUP(unit_conf) struct unit_conf *conf = make_conf(w, lines);
        CLEANUP(spawn_plan) struct spawn_plan *plan = plan_of(w, conf);
        struct spawn_params params = SPAWN_PARAMS_INIT;
        pid_t pids[STOPPED];
        int status;

        params.command = &conf->service->exec_start.items[0];
        start_stopped(plan, &params, plan->n_steps, pids);
        for (size_t i = 0; i < STOPPED; i++) {
                assert_int_equal(waitpid(pids[i], &status, WUNTRACED), pids[i]);
                assert_int_equal(kill(pids[i], signals[i % ARRAY_SIZE(signals)]), 0);
                assert_int_equal(kill(pids[i], SIGCONT), 0);
                assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
                if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
                        fail_msg("signal %d: status %x", signals[i % ARRAY_SIZE(signals)], status);
                assert_false(WCOREDUMP(status));
        }
        end(w);
}

static const struct CMUnitTest tests[] = {
        METHODS(test_stopped_between_steps),
        METHODS(test_no_core),
};
HARNESS_MAIN(tests)
