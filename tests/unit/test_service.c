// The life of services, with each spawn method.
#include "core/service/service.h"

#include "base/proc.h"
#include "unit/service_fixture.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

static struct fixture *begin(void **state)
{
        static struct fixture f;

        if (harness_has_valgrind() && !streq(*state, "fork")) {
                printf("valgrind knows no clone with shared memory\n");
                skip();
        }
        fixture_init(&f, *state);
        return &f;
}

// ---- one start each: what becomes of it

struct row {
        const char *name, *text;
        enum service_state state;
        enum service_result result;
        const char *log;   // NULL: any
        const char *trace; // what the commands wrote to "trace"; NULL: nothing
};

#define SH "/bin/sh -c "
#define NOTE(what) SH "'echo " what " >>@/trace'"

static const struct row rows[] = {
        {"clean", "ExecStart=/bin/true\n", SERVICE_DEAD, SERVICE_SUCCESS,
         "Deactivated successfully.", NULL},
        {"unclean", "ExecStart=/bin/false\n", SERVICE_FAILED, SERVICE_FAILURE_EXIT_CODE,
         "Main process exited, code=exited, status=1/FAILURE", NULL},
        {"ignored", "ExecStart=-/bin/false\n", SERVICE_DEAD, SERVICE_SUCCESS, "(success)", NULL},
        {"status", "ExecStart=" SH "'exit 75'\nSuccessExitStatus=TEMPFAIL\n", SERVICE_DEAD,
         SERVICE_SUCCESS, NULL, NULL},
        {"signal", "ExecStart=" SH "'kill -USR1 $$$$'\n", SERVICE_FAILED, SERVICE_FAILURE_SIGNAL,
         "Main process exited, code=killed, status=10/USR1", NULL},
        {"clean-signal", "ExecStart=" SH "'kill -TERM $$$$'\n", SERVICE_DEAD, SERVICE_SUCCESS, NULL,
         NULL},
        {"oneshot-signal", "Type=oneshot\nExecStart=" SH "'kill -TERM $$$$'\n", SERVICE_FAILED,
         SERVICE_FAILURE_SIGNAL, NULL, NULL},
        {"missing", "ExecStart=/nonexistent/x\n", SERVICE_FAILED, SERVICE_FAILURE_EXIT_CODE,
         "status=203/EXEC", NULL},
        {"missing-exec", "Type=exec\nExecStart=/nonexistent/x\n", SERVICE_FAILED,
         SERVICE_FAILURE_EXIT_CODE, "Failed at step EXEC", NULL},
        {"several",
         "Type=oneshot\nExecStart=" NOTE("a") "\nExecStart=-/bin/false\nExecStart=" NOTE("b") "\n",
         SERVICE_DEAD, SERVICE_SUCCESS, NULL, "a\nb\n"},
        {"several-fail",
         "Type=oneshot\nExecStart=/bin/false\nExecStart=" NOTE("b") "\nExecStopPost=" NOTE(
                 "post") "\n",
         SERVICE_FAILED, SERVICE_FAILURE_EXIT_CODE, NULL, "post\n"},
        {"exited", "Type=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n", SERVICE_EXITED,
         SERVICE_SUCCESS, NULL, NULL},
        {"order",
         "ExecCondition=" NOTE("cond") "\nExecStartPre=" NOTE(
                 "pre") "\nExecStart=" SH "'sleep 0.1'\n"
                        "ExecStartPost=" NOTE(
                                "post") "\n"
                                        "ExecStop=" NOTE(
                                                "sto"
                                                "p") "\nExecStopPost=" NOTE("stoppost") "\n",
         SERVICE_DEAD, SERVICE_SUCCESS, NULL, "cond\npre\npost\nstop\nstoppost\n"},
        {"condition-skip",
         "ExecCondition=" SH
         "'exit 1'\nExecStart=" NOTE("main") "\nExecStopPost=" NOTE("post") "\n",
         SERVICE_DEAD, SERVICE_SKIP_CONDITION, "Skipped due to 'exec-condition'.", "post\n"},
        {"condition-fail", "ExecCondition=" SH "'exit 255'\nExecStart=" NOTE("main") "\n",
         SERVICE_FAILED, SERVICE_FAILURE_EXIT_CODE, NULL, NULL},
        {"pre-fail",
         "ExecStartPre=/bin/false\nExecStart=" NOTE("main") "\nExecStop=" NOTE(
                 "stop") "\nExecStopPost=" NOTE("post") "\n",
         SERVICE_FAILED, SERVICE_FAILURE_EXIT_CODE, "Control process exited", "post\n"},
        {"post-fail",
         "ExecStart=/bin/sleep 60\nExecStartPost=/bin/false\nExecStopPost=" NOTE("post") "\n",
         SERVICE_FAILED, SERVICE_FAILURE_EXIT_CODE, NULL, "post\n"},
        {"start-timeout",
         "ExecStartPre=/bin/sleep 60\nExecStart=/bin/true\nTimeoutStartSec=100ms\n", SERVICE_FAILED,
         SERVICE_FAILURE_TIMEOUT, "start-pre operation timed out. Terminating.", NULL},
        {"start-timeout-kill",
         "Type=oneshot\nExecStart=/bin/sleep 60\nTimeoutStartSec=100ms\n"
         "TimeoutStartFailureMode=kill\n",
         SERVICE_FAILED, SERVICE_FAILURE_TIMEOUT, "status=9/KILL", NULL},
        {"runtime-max", "ExecStart=/bin/sleep 60\nRuntimeMaxSec=100ms\n", SERVICE_FAILED,
         SERVICE_FAILURE_TIMEOUT, "Service reached runtime time limit. Stopping.", NULL},
        {"result-environment",
         "ExecStart=" SH
         "'exit 7'\nExecStopPost=" NOTE("$SERVICE_RESULT $EXIT_CODE $EXIT_STATUS") "\n",
         SERVICE_FAILED, SERVICE_FAILURE_EXIT_CODE, NULL, "exit-code exited 7\n"},
        {"result-signal",
         "ExecStart=" SH
         "'kill -KILL $$$$'\nExecStopPost=" NOTE("$SERVICE_RESULT $EXIT_CODE $EXIT_STATUS") "\n",
         SERVICE_FAILED, SERVICE_FAILURE_SIGNAL, NULL, "signal killed KILL\n"},
        {"forking-fail", "Type=forking\nExecStart=/bin/false\n", SERVICE_FAILED,
         SERVICE_FAILURE_EXIT_CODE, "Control process exited, code=exited, status=1/FAILURE", NULL},
        {"forking-nobody", "Type=forking\nPIDFile=@/pid\nExecStart=/bin/true\n", SERVICE_FAILED,
         SERVICE_FAILURE_PROTOCOL, NULL, NULL},
        {"environment-file", "ExecStart=/bin/true\nEnvironmentFile=@/none\n", SERVICE_FAILED,
         SERVICE_FAILURE_RESOURCES, "Failed with result 'resources'.", NULL},
        {"stdin-socket", "ExecStart=/bin/true\nStandardInput=socket\n", SERVICE_FAILED,
         SERVICE_FAILURE_RESOURCES, "Failed to run 'start' task", NULL},
};

// PermissionsStartOnly=: only ExecStart= is run as the user.
static void test_permissions_start_only(void **state)
{
        struct fixture *f = begin(state);

        fixture_unit(f, "p.service",
                     "[Service]\nType=oneshot\nRemainAfterExit=yes\nUser=65534\nGroup=65534\n"
                     "PermissionsStartOnly=yes\n"
                     "ExecStartPre=" SH "'id -u >>@/trace; chmod 666 @/trace; chmod 711 @'\n"
                     "ExecStart=" SH "'id -u >>@/trace'\nExecStartPost=" SH "'id -u >>@/trace'\n");
        if (geteuid() == 0) {
                struct service *s = fixture_job(f, JOB_START, "p.service");

                fixture_await(f, s, SERVICE_EXITED);
                assert_string_equal(fixture_read(f, "trace"), "0\n65534\n0\n");
        }
        fixture_done(f);
}

static void test_rows(void **state)
{
        struct fixture *f = begin(state);

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                CLEANUP(free) char *name = str_printf("%s.service", rows[i].name);
                CLEANUP(free) char *text = str_printf("[Service]\n%s", rows[i].text);
                CLEANUP(free) char *trace = fs_path_join(f->dir, "trace");

                buf_clear(&f->log);
                fixture_unit(f, name, text);
                struct service *s = fixture_job(f, JOB_START, name);

                fixture_await(f, s, rows[i].state);
                if (s->run.result != rows[i].result)
                        fail_msg("%s: result %s\n%s", name, service_result_name(s->run.result),
                                 buf_text(&f->log));
                if (rows[i].log)
                        fixture_logged(f, rows[i].log);
                if (!streq(fixture_read(f, "trace"), rows[i].trace ? rows[i].trace : ""))
                        fail_msg("%s: trace is %s\n%s", name, fixture_read(f, "trace"),
                                 buf_text(&f->log));
                unlink(trace);
        }
        fixture_done(f);
}

// ---- stops

static const struct {
        const char *name, *text, *stop_log;
        enum service_state state;
        enum service_result result;
        bool leaves_child; // the process whose pid is in "child" is alive afterwards
} stops[] = {
        {"plain", "ExecStart=/bin/sleep 60\n", "Deactivated successfully.", SERVICE_DEAD,
         SERVICE_SUCCESS, false},
        {"deaf",
         "ExecStart=" SH "'trap \"\" TERM; touch @/up; while :; do sleep 0.05; done'\n"
         "TimeoutStopSec=200ms\nExecStartPost=" SH "'until test -e @/up; do sleep 0.02; done'\n",
         "State 'stop-sigterm' timed out. Killing.", SERVICE_FAILED, SERVICE_FAILURE_TIMEOUT,
         false},
        {"signal", "ExecStart=/bin/sleep 60\nKillSignal=SIGUSR1\nSuccessExitStatus=SIGUSR1\n",
         "status=10/USR1 (success)", SERVICE_DEAD, SERVICE_SUCCESS, false},
        {"stopped", "ExecStart=" SH "'kill -STOP $$$$; exec sleep 60'\n", NULL, SERVICE_DEAD,
         SERVICE_SUCCESS, false},
        {"exec-stop", "ExecStart=/bin/sleep 60\nExecStop=/bin/kill -INT $MAINPID\n",
         "code=killed, status=2/INT (success)", SERVICE_DEAD, SERVICE_SUCCESS, false},
        {"child-group",
         "ExecStart=" SH "'sleep 60 & echo $$! >@/child; wait'\n"
         "ExecStartPost=" SH "'until test -s @/child; do sleep 0.02; done'\n",
         NULL, SERVICE_DEAD, SERVICE_SUCCESS, false},
        {"child-session",
         "ExecStart=" SH "'setsid sleep 60 & echo $$! >@/child; wait'\n"
         "ExecStartPost=" SH "'until test -s @/child; do sleep 0.02; done'\n",
         NULL, SERVICE_DEAD, SERVICE_SUCCESS, false},
        {"child-mixed",
         "KillMode=mixed\nExecStart=" SH "'setsid sleep 60 & echo $$! >@/child; wait'\n"
         "ExecStartPost=" SH "'until test -s @/child; do sleep 0.02; done'\n",
         NULL, SERVICE_DEAD, SERVICE_SUCCESS, false},
        {"child-process",
         "KillMode=process\nExecStart=" SH "'sleep 60 & echo $$! >@/child; wait'\n"
         "ExecStartPost=" SH "'until test -s @/child; do sleep 0.02; done'\n",
         NULL, SERVICE_DEAD, SERVICE_SUCCESS, true},
        {"forking", "Type=forking\nExecStart=" SH "'setsid sleep 60 & echo $$! >@/child'\n", NULL,
         SERVICE_DEAD, SERVICE_SUCCESS, false},
        {"forking-pid-file",
         "Type=forking\nPIDFile=@/child\nExecStart=" SH
         "'setsid sleep 60 & (sleep 0.1; echo $$! >@/child) &'\n",
         NULL, SERVICE_DEAD, SERVICE_SUCCESS, false},
        {"forking-pid-file-of-many-lines",
         "Type=forking\nPIDFile=@/child\nExecStart=" SH
         "'setsid sleep 60 & (echo $$!; seq 100) >@/new; mv @/new @/child'\n",
         NULL, SERVICE_DEAD, SERVICE_SUCCESS, false},
};

static void test_stops(void **state)
{
        struct fixture *f = begin(state);

        for (size_t i = 0; i < ARRAY_SIZE(stops); i++) {
                CLEANUP(free) char *name = str_printf("%s.service", stops[i].name);
                CLEANUP(free) char *text = str_printf("[Service]\n%s", stops[i].text);
                CLEANUP(free) char *child = fs_path_join(f->dir, "child");

                buf_clear(&f->log);
                unlink(child);
                fixture_unit(f, name, text);
                struct service *s = fixture_job(f, JOB_START, name);

                fixture_await(f, s, SERVICE_RUNNING);
                pid_t main = s->run.main.pid, pid = atoi(fixture_read(f, "child"));

                assert_true(main > 0);
                if (pid > 0)
                        assert_true(proc_is_alive(pid));
                fixture_job(f, JOB_STOP, name);
                fixture_await(f, s, stops[i].state);
                if (s->run.result != stops[i].result)
                        fail_msg("%s: result %s\n%s", name, service_result_name(s->run.result),
                                 buf_text(&f->log));
                if (stops[i].stop_log)
                        fixture_logged(f, stops[i].stop_log);
                assert_false(proc_is_alive(main));
                if (pid > 0 && proc_is_alive(pid) != stops[i].leaves_child)
                        fail_msg("%s: child\n%s", name, buf_text(&f->log));
                if (stops[i].leaves_child)
                        kill(pid, SIGKILL);
        }
        fixture_done(f);
}

// A stop while it is being started: ExecStop= is left out, ExecStopPost= is not.
static void test_stop_in_start(void **state)
{
        struct fixture *f = begin(state);

        fixture_unit(f, "a.service",
                     "[Service]\nExecStartPre=/bin/sleep 60\nExecStart=/bin/true\nExecStop=" NOTE(
                             "stop") "\nExecStopPost=" NOTE("post") "\n");
        struct service *s = fixture_job(f, JOB_START, "a.service");

        for (int i = 0; i < 500 && s->run.state != SERVICE_START_PRE; i++)
                fixture_turn(f);
        assert_int_equal(s->run.state, SERVICE_START_PRE);
        fixture_job(f, JOB_STOP, "a.service");
        fixture_await(f, s, SERVICE_FAILED); // by the signal that ended ExecStartPre=
        assert_string_equal(fixture_read(f, "trace"), "post\n");
        fixture_done(f);
}

// ---- restarts

static void test_restart_until_limit(void **state)
{
        struct fixture *f = begin(state);

        fixture_unit(f, "a.service",
                     "[Unit]\nStartLimitBurst=3\nStartLimitIntervalSec=1min\n[Service]\n"
                     "ExecStart=" SH "'echo x >>@/trace; exit 3'\n"
                     "Restart=on-failure\nRestartSec=20ms\n");
        struct service *s = fixture_job(f, JOB_START, "a.service");

        fixture_await_log(f, "Start request repeated too quickly.");
        fixture_await(f, s, SERVICE_FAILED);
        assert_string_equal(fixture_read(f, "trace"), "x\nx\nx\n");
        fixture_logged(f, "Scheduled restart job, restart counter is at 1.");
        fixture_logged(f, "Scheduled restart job, restart counter is at 3.");
        assert_int_equal(s->n_restarts, 3);
        assert_true(s->unit.start_limit_hit);
        fixture_done(f);
}

static void test_manual_stop_wins(void **state)
{
        struct fixture *f = begin(state);

        fixture_unit(f, "a.service",
                     "[Service]\nExecStart=/bin/sleep 60\nRestart=always\nRestartSec=10s\n");
        struct service *s = fixture_job(f, JOB_START, "a.service");

        fixture_await(f, s, SERVICE_RUNNING);
        fixture_job(f, JOB_STOP, "a.service");
        fixture_await(f, s, SERVICE_DEAD);
        // and a stop while it waits for its restart
        fixture_job(f, JOB_START, "a.service");
        fixture_await(f, s, SERVICE_RUNNING);
        assert_int_equal(kill(s->run.main.pid, SIGKILL), 0);
        fixture_await(f, s, SERVICE_AUTO_RESTART);
        assert_true(timer_is_set(&s->run.timer));
        fixture_job(f, JOB_STOP, "a.service");
        fixture_await(f, s, SERVICE_DEAD);
        assert_false(timer_is_set(&s->run.timer));
        fixture_done(f);
}

static void test_restart_job(void **state)
{
        struct fixture *f = begin(state);

        fixture_unit(f, "a.service", "[Service]\nExecStart=/bin/sleep 60\n");
        struct service *s = fixture_job(f, JOB_START, "a.service");

        fixture_await(f, s, SERVICE_RUNNING);
        pid_t pid = s->run.main.pid;
        sd_id128_t id = s->run.invocation_id;

        fixture_job(f, JOB_RESTART, "a.service");
        fixture_await(f, s, SERVICE_RUNNING);
        assert_true(s->run.main.pid > 0 && s->run.main.pid != pid);
        assert_false(sd_id128_equal(id, s->run.invocation_id));
        assert_int_equal(s->n_restarts, 0);
        fixture_job(f, JOB_STOP, "a.service");
        fixture_await(f, s, SERVICE_DEAD);
        fixture_done(f);
}

// ---- the rest

static void test_reload(void **state)
{
        struct fixture *f = begin(state);

        fixture_unit(f, "a.service",
                     "[Service]\nExecStart=/bin/sleep 60\nExecReload=" SH
                     "'test -d /proc/$MAINPID && echo ok >>@/trace'\nExecReload=" SH
                     "'test ! -e @/bad'\n");
        struct service *s = fixture_job(f, JOB_START, "a.service");

        fixture_await(f, s, SERVICE_RUNNING);
        pid_t pid = s->run.main.pid;

        fixture_job(f, JOB_RELOAD, "a.service");
        fixture_await_file(f, "trace");
        fixture_await(f, s, SERVICE_RUNNING);
        assert_string_equal(run_reload_result(&s->run), "success");
        fixture_unit(f, "bad", "");
        fixture_job(f, JOB_RELOAD, "a.service");
        fixture_wait(f, 50 * USEC_PER_MSEC);
        fixture_await(f, s, SERVICE_RUNNING);
        assert_string_equal(run_reload_result(&s->run), "exit-code");
        assert_int_equal(s->run.result, SERVICE_SUCCESS);
        assert_int_equal(s->run.main.pid, pid);
        fixture_job(f, JOB_STOP, "a.service");
        fixture_await(f, s, SERVICE_DEAD);
        fixture_done(f);
}

static void test_folders_and_files_go(void **state)
{
        struct fixture *f = begin(state);
        CLEANUP(free) char *folder = fs_path_join(f->dir, "xdg/thing");

        fixture_unit(f, "a.service",
                     "[Service]\nRuntimeDirectory=thing\nPIDFile=@/pid\nExecStart=" SH
                     "'echo $$$$ >@/pid; touch $RUNTIME_DIRECTORY/x; sleep 60'\n");
        struct service *s = fixture_job(f, JOB_START, "a.service");

        fixture_await(f, s, SERVICE_RUNNING);
        fixture_await_file(f, "pid");
        assert_int_equal(access(folder, F_OK), 0);
        fixture_job(f, JOB_STOP, "a.service");
        fixture_await(f, s, SERVICE_DEAD);
        assert_int_equal(access(folder, F_OK), -1);
        assert_string_equal(fixture_read(f, "pid"), "");
        fixture_done(f);
}

static void test_output(void **state)
{
        struct fixture *f = begin(state);

        fixture_unit(f, "a.service",
                     "[Service]\nType=oneshot\nExecStart=" SH
                     "'echo one line; echo \"<3>an error\" >&2; printf \"no end\"'\n");
        struct service *s = fixture_job(f, JOB_START, "a.service");

        fixture_await(f, s, SERVICE_DEAD);
        fixture_logged(f, "one line\n");
        fixture_logged(f, "an error\n");
        fixture_logged(f, "no end\n");
        assert_null(strstr(buf_text(&f->log), "<3>"));
        fixture_done(f);
}

// Another process has waited for the main process, so its exit status is unknown. That counts as a
// failure, unless a stop was requested.
static void test_unknown_end(void **state)
{
        struct fixture *f = begin(state);

        // KillSignal= is one that does nothing: it ends when the test wants it to.
        fixture_unit(f, "a.service", "[Service]\nExecStart=/bin/sleep 60\nKillSignal=SIGCONT\n");
        for (int is_stop = 0; is_stop < 2; is_stop++) {
                struct service *s = fixture_job(f, JOB_START, "a.service");

                fixture_await(f, s, SERVICE_RUNNING);
                pid_t pid = s->run.main.pid;

                if (is_stop)
                        (void)fixture_job(f, JOB_STOP, "a.service");
                while (is_stop && s->run.state != SERVICE_STOP_SIGTERM)
                        fixture_turn(f);
                assert_int_equal(kill(pid, SIGKILL), 0);
                assert_int_equal(waitpid(pid, NULL, 0), pid);
                fixture_await(f, s, is_stop ? SERVICE_DEAD : SERVICE_FAILED);
                assert_int_equal(s->run.result,
                                 is_stop ? SERVICE_SUCCESS : SERVICE_FAILURE_EXIT_CODE);
                assert_int_equal(s->main_status.code, 0);
        }
        fixture_logged(f, "Main process exited, code=unknown, status=0/n/a");
        fixture_done(f);
}

// Each with every way to spawn.
#define METHOD(test, method)                                       \
        {                                                          \
#test "@" method, test, NULL, NULL, (void *)method \
        }
#define METHODS(test) METHOD(test, "fork"), METHOD(test, "shared")

static const struct CMUnitTest tests[] = {
        METHODS(test_rows),
        METHODS(test_permissions_start_only),
        METHODS(test_stops),
        METHODS(test_stop_in_start),
        METHODS(test_restart_until_limit),
        METHODS(test_manual_stop_wins),
        METHODS(test_restart_job),
        METHODS(test_reload),
        METHODS(test_folders_and_files_go),
        METHODS(test_output),
        METHODS(test_unknown_end),
};

HARNESS_MAIN(tests)
