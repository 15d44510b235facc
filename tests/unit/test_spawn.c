// Processes from plans, with each method: what they get, what they do not get, and how a step that
// fails is told.
#include "spawn/spawn.h"

#include "base/buf.h"
#include "base/fd.h"
#include "base/fs.h"
#include "base/str.h"
#include "base/strv.h"
#include "conf/assign.h"
#include "spawn/exit_status.h"
#include "spawn/slot.h"
#include "spawn/step.h"
#include "spawn/sys.h"
#include "unit/harness.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct world {
        char dir[64];
        struct spawn_settings settings;
        char **environment;
};

static struct world *begin(void **state)
{
        static struct world w;
        struct fail why = {0};

        if (harness_has_valgrind() && !streq(*state, "fork")) {
                printf("valgrind knows no clone with shared memory\n");
                skip();
        }
        w = (struct world){.dir = "/tmp/usher-spawn-XXXXXX"};
        assert_non_null(mkdtemp(w.dir));
        assert_int_equal(spawn_init(*state, &why), 0);
        assert_string_equal(spawn_method_name(spawn_method()), *state);
        assert_int_equal(spawn_environment_base(false, NULL, &w.environment), 0);
        w.settings.environment = w.environment;
        return &w;
}

static void end(struct world *w)
{
        while (spawn_reclaim())
                usleep(200);
        spawn_done();
        strv_free(w->environment);
        assert_int_equal(fs_remove_tree(w->dir), 0);
}

// A service with these lines; "@" stands for the test's folder.
static struct unit_conf *make_conf(struct world *w, const char *const *lines)
{
        struct specifier_context specifiers = {.unit_name = "test.service"};
        CLEANUP(conf_builder) struct conf_builder *b = NULL;
        struct unit_conf *conf;

        assert_int_equal(conf_builder_new("test.service", UNIT_SERVICE, &specifiers, NULL, &b), 0);
        for (; *lines; lines += 2) {
                CLEANUP(buf) struct buf value = BUF_NULL;

                for (const char *c = lines[1]; *c; c++)
                        if (*c == '@')
                                buf_puts(&value, w->dir);
                        else
                                buf_putc(&value, *c);
                assert_int_equal(
                        conf_builder_assign(b, "Service", lines[0], buf_text(&value), "FILE", 1),
                        0);
        }
        assert_int_equal(conf_builder_finish(b, &conf), 0);
        return conf;
}

// Starts the first ExecStart= and waits: the status of waitpid(2). Others may be on their way.
static int run_beside(struct world *w, struct unit_conf *conf, struct spawn_params *params,
                      struct fail *report)
{
        CLEANUP(spawn_plan) struct spawn_plan *plan = NULL;
        struct ids_lookup *lookup = NULL;
        struct spawn_child child;
        struct fail why = {0};
        int status;

        int r = spawn_plan_new(&w->settings, conf, "test.service", NULL, &plan, &lookup, &why);

        if (r == SPAWN_PLAN_NEEDS_LOOKUP) { // a name that is in no local file
                struct pollfd p = {.fd = ids_lookup_fd(lookup), .events = POLLIN};

                while (!ids_lookup_is_over(lookup))
                        assert_int_equal(poll(&p, 1, 30000), 1);
                r = spawn_plan_new(&w->settings, conf, "test.service", lookup, &plan, NULL, &why);
                ids_lookup_free(lookup);
        }
        assert_int_equal(r, SPAWN_PLAN_READY);
        params->command = &conf->service->exec_start.items[0];
        params->unit_name = "test.service";
        assert_int_equal(spawn_start(plan, params, &child, &why), 0);
        assert_true(child.pidfd == -1 || child.pidfd >= FD_LOW_WINDOW);
        assert_int_equal(waitpid(child.pid, &status, 0), child.pid);
        if (spawn_report_take(child.pid, report) == 0)
                *report = (struct fail){0};
        fd_close(child.pidfd);
        return status;
}

static int run_with(struct world *w, struct unit_conf *conf, struct spawn_params *params,
                    struct fail *report)
{
        int status = run_beside(w, conf, params, report);

        while (spawn_reclaim())
                usleep(200);
        return status;
}

static int run(struct world *w, const char *const *lines, struct fail *report)
{
        CLEANUP(unit_conf) struct unit_conf *conf = make_conf(w, lines);
        struct spawn_params params = SPAWN_PARAMS_INIT;

        return run_with(w, conf, &params, report);
}

static char *read_file(const struct world *w, const char *name)
{
        CLEANUP(free) char *path = fs_path_join(w->dir, name);
        char *text = NULL;

        return fs_read_file(path, 65536, &text, NULL) < 0 ? NULL : text;
}

#define SH "/bin/sh -c "

// ---- one setting each, and what the process sees of it

static const struct {
        const char *lines[5], *expected; // of the file "out"
} rows[] = {
        {{"ExecStart", SH "'echo \"$0\" \"$1\" >@/out' a \"b c\""}, "a b c\n"},
        {{"ExecStart", SH "'echo $X >@/out'", "Environment", "X=y"}, "y\n"},
        {{"ExecStart", SH "'pwd >@/out'", "WorkingDirectory", "/usr"}, "/usr\n"},
        {{"ExecStart", SH "'pwd >@/out'"}, "/\n"},
        {{"ExecStart", SH "'umask >@/out'", "UMask", "0027"}, "0027\n"},
        {{"ExecStart", SH "'nice >@/out'", "Nice", "5"}, "5\n"},
        {{"ExecStart", SH "'ulimit -Sc >@/out; ulimit -Hc >>@/out'", "LimitCORE", "1M:2M"},
         "2048\n4096\n"},
        {{"ExecStart", SH "'readlink /proc/self/fd/0 >@/out'"}, "/dev/null\n"},
        {{"ExecStart", SH "'cat >@/out'", "StandardInput", "file:@/in"}, "input\n"},
        {{"ExecStart", SH "'echo said'", "StandardOutput", "truncate:@/out"}, "said\n"},
        {{"ExecStart",
          SH "'ps -o pid= -o sid= $$$$ | (read p s; test $p = $s && echo leader) >@/out'"},
         "leader\n"},
        {{"ExecStart", SH "'grep SigBlk /proc/self/status >@/out'"}, "SigBlk:\t0000000000000000\n"},
        // Without the two that the C library keeps for itself.
        {{"ExecStart", SH "'grep SigIgn /proc/self/status | tail -c 8 >@/out'"}, "0001000\n"},
        {{"ExecStart", SH "'grep SigIgn /proc/self/status | tail -c 8 >@/out'", "IgnoreSIGPIPE",
          "no"},
         "0000000\n"},
        {{"ExecStart", SH "'cat /proc/self/oom_score_adj >@/out'", "OOMScoreAdjust", "300"},
         "300\n"},
        // The byte that marks specifiers of templates is a byte like others.
        {{"ExecStart", SH "'printf %%s \"$0\" >@/out' a\\x01i"}, "a\001i"},
        {{"ExecStart", SH "'printf %%s \"$X\" >@/out'", "EnvironmentFile", "@/env"}, "b\001n"},
};

static void test_settings(void **state)
{
        struct world *w = begin(state);
        CLEANUP(free) char *in = fs_path_join(w->dir, "in"), *out = fs_path_join(w->dir, "out");

        CLEANUP(free) char *env = fs_path_join(w->dir, "env");

        assert_int_equal(fs_write_file_atomic(in, "input\n", 0644), 0);
        assert_int_equal(fs_write_file_atomic(env, "X=b\001n\n", 0644), 0);
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct fail report;

                int status = run(w, rows[i].lines, &report);
                CLEANUP(free) char *text = read_file(w, "out");

                if (status != 0 || !text || !streq(text, rows[i].expected))
                        fail_msg("%s: status %x, %s", rows[i].lines[1], status, text);
                unlink(out);
        }
        end(w);
}

// A plan that instances share: what the unit says of each is filled in, other bytes stay.
static void test_template(void **state)
{
        struct world *w = begin(state);
        struct specifier_context specifiers = {.unit_name = "test@.service",
                                               .defer_instance = true};
        CLEANUP(conf_builder) struct conf_builder *b = NULL;
        CLEANUP(unit_conf) struct unit_conf *conf = NULL;
        CLEANUP(spawn_plan) struct spawn_plan *plan = NULL;
        CLEANUP(free) char *env = fs_path_join(w->dir, "env");
        CLEANUP(free)
        char *line = str_printf(SH "'printf %%%%s \"$0 $X $Y\" >%s/out' \"%%i a\\x01i\"", w->dir);
        struct spawn_params params = SPAWN_PARAMS_INIT;
        struct spawn_child child;
        struct fail why = {0};
        int status;

        assert_int_equal(fs_write_file_atomic(env, "X=b\001n\n", 0644), 0);
        assert_int_equal(conf_builder_new("test@.service", UNIT_SERVICE, &specifiers, NULL, &b), 0);
        assert_int_equal(conf_builder_assign(b, "Service", "ExecStart", line, "f", 1), 0);
        assert_int_equal(conf_builder_assign(b, "Service", "EnvironmentFile", env, "f", 2), 0);
        assert_int_equal(conf_builder_assign(b, "Service", "Environment", "Y=%n", "f", 3), 0);
        assert_int_equal(conf_builder_finish(b, &conf), 0);
        assert_int_equal(
                spawn_plan_new(&w->settings, conf, "test@.service", NULL, &plan, NULL, &why), 0);
        params.command = &conf->service->exec_start.items[0];
        params.unit_name = "test@x.service";
        assert_int_equal(spawn_start(plan, &params, &child, &why), 0);
        assert_int_equal(waitpid(child.pid, &status, 0), child.pid);
        fd_close(child.pidfd);
        CLEANUP(free) char *text = read_file(w, "out");

        assert_int_equal(status, 0);
        assert_string_equal(text, "x a\001i b\001n test@x.service");
        end(w);
}

// ---- steps that fail

static const struct {
        const char *lines[5];
        int status;
        const char *op; // of the report
} failures[] = {
        {{"ExecStart", "/nonexistent/program"}, EXIT_EXEC, "exec"},
        {{"ExecStart", "nosuchprogram-anywhere"}, EXIT_EXEC, "exec"},
        {{"ExecStart", "/etc/passwd"}, EXIT_EXEC, "exec"},
        {{"ExecStart", "/bin/true", "WorkingDirectory", "/nonexistent"}, EXIT_CHDIR, NULL},
        {{"ExecStart", "/bin/true", "WorkingDirectory", "-/nonexistent"}, 0, NULL},
        {{"ExecStart", "/bin/true", "User", "nosuchuser-here"}, EXIT_USER, NULL},
        {{"ExecStart", "/bin/true", "Group", "nosuchgroup-here"}, EXIT_GROUP, NULL},
        {{"ExecStart", "/bin/true", "StandardInput", "file:/nonexistent"}, EXIT_STDIN, NULL},
        {{"ExecStart", "/bin/true", "StandardOutput", "file:/nonexistent/x"}, EXIT_STDOUT, NULL},
        {{"ExecStart", "/bin/true", "StandardError", "file:/nonexistent/x"}, EXIT_STDERR, NULL},
        {{"ExecStart", SH "'exit 7'"}, 7, NULL},
};

static void test_failures(void **state)
{
        struct world *w = begin(state);

        for (size_t i = 0; i < ARRAY_SIZE(failures); i++) {
                struct fail report;
                int status = run(w, failures[i].lines, &report);
                bool is_own = failures[i].status >= EXIT_CHDIR;

                if (!WIFEXITED(status) || WEXITSTATUS(status) != failures[i].status)
                        fail_msg("%s %s: status %x", failures[i].lines[1],
                                 failures[i].lines[3] ? failures[i].lines[3] : "", status);
                // What failed, and why, is known without a look into the child.
                if ((report.error != 0) != is_own)
                        fail_msg("%s %s: report %d", failures[i].lines[1],
                                 failures[i].lines[3] ? failures[i].lines[3] : "", report.error);
                if (failures[i].op)
                        assert_string_equal(report.op, failures[i].op);
        }
        end(w);
}

// ---- descriptors

static void test_descriptors(void **state)
{
        struct world *w = begin(state);
        static const char *const lines[] = {
                "ExecStart",
                SH "'ls /proc/self/fd | tr \"\\n\" \" \" >@/out; "
                   "echo $LISTEN_FDS $LISTEN_FDNAMES >>@/out; "
                   "test $LISTEN_PID = $$$$ && readlink /proc/self/fd/4 >>@/out'",
                NULL};
        CLEANUP(unit_conf) struct unit_conf *conf = make_conf(w, lines);
        CLEANUP(fd) int one = fd_move_up(open("/dev/zero", O_RDONLY | O_CLOEXEC));
        CLEANUP(fd) int two = fd_move_up(open("/dev/full", O_RDONLY | O_CLOEXEC));
        // What has no business there, at a number that a child is about to get, and higher.
        CLEANUP(fd) int low = fcntl(one, F_DUPFD_CLOEXEC, 5);
        CLEANUP(fd) int high = fcntl(one, F_DUPFD_CLOEXEC, 300);
        struct spawn_params params = SPAWN_PARAMS_INIT;
        const int fds[] = {one, two};
        struct fail report;

        assert_true(low >= 0 && high >= 0);
        params.fds = fds;
        params.n_fds = params.n_sockets = 2;
        params.fd_names = "first:second";
        assert_int_equal(run_with(w, conf, &params, &report), 0);
        CLEANUP(free) char *text = read_file(w, "out");
        // 5 is ls's own, for the folder.
        assert_string_equal(text, "0 1 2 3 4 5 2 first:second\n/dev/full\n");
        // They stay the caller's.
        assert_true(fcntl(one, F_GETFD) >= 0 && fcntl(two, F_GETFD) >= 0);
        end(w);
}

static void test_socket_as_stdio(void **state)
{
        struct world *w = begin(state);
        static const char *const lines[] = {"ExecStart", "/bin/cat", "StandardInput", "socket",
                                            NULL};
        CLEANUP(unit_conf) struct unit_conf *conf = make_conf(w, lines);
        struct spawn_params params = SPAWN_PARAMS_INIT;
        struct fail report;
        char text[16] = "";
        int pair[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
        assert_int_equal(write(pair[1], "there and back", 14), 14);
        assert_int_equal(shutdown(pair[1], SHUT_WR), 0);
        params.socket_fd = fd_move_up(pair[0]);
        assert_int_equal(run_with(w, conf, &params, &report), 0);
        fd_close(params.socket_fd);
        assert_int_equal(read(pair[1], text, sizeof(text)), 14);
        assert_string_equal(text, "there and back");
        assert_int_equal(read(pair[1], text, 1), 0); // nobody holds a copy
        fd_close(pair[1]);
        end(w);
}

static void test_exec_result(void **state)
{
        struct world *w = begin(state);
        static const char *const good[] = {"ExecStart", "/bin/true", NULL};
        static const char *const bad[] = {"ExecStart", "/nonexistent/x", NULL};
        const char *const *const both[] = {good, bad};

        for (int i = 0; i < 2; i++) {
                CLEANUP(unit_conf) struct unit_conf *conf = make_conf(w, both[i]);
                CLEANUP(spawn_plan) struct spawn_plan *plan = NULL;
                struct spawn_params params = SPAWN_PARAMS_INIT;
                struct ids_lookup *lookup = NULL;
                struct spawn_child child;
                struct fail why = {0};
                int status, r = -EAGAIN;

                assert_int_equal(spawn_plan_new(&w->settings, conf, "test.service", NULL, &plan,
                                                &lookup, &why),
                                 SPAWN_PLAN_READY);
                params.command = &conf->service->exec_start.items[0];
                params.want_exec_result = true;
                assert_int_equal(spawn_start(plan, &params, &child, &why), 0);
                for (int turn = 0; turn < 5000; turn++) {
                        r = spawn_exec_result(child.exec_fd, &why);
                        if (r != -EAGAIN)
                                break;
                        (void)spawn_reclaim(); // else we hold the other end ourselves
                        usleep(1000);
                }
                assert_int_equal(r, i == 0);
                if (i == 1)
                        assert_int_equal(why.error, ENOENT);
                assert_int_equal(waitpid(child.pid, &status, 0), child.pid);
                (void)spawn_report_take(child.pid, &why);
                fd_close(child.exec_fd);
                fd_close(child.pidfd);
        }
        end(w);
}

// ---- many, and what is handed over

#define BURST 300

// More than have a place at once: each waits for it.
static void test_burst(void **state)
{
        static const char *const lines[] = {"ExecStart", "/bin/true", NULL};
        struct world *w = begin(state);
        CLEANUP(unit_conf) struct unit_conf *conf = make_conf(w, lines);
        CLEANUP(spawn_plan) struct spawn_plan *plan = NULL;
        struct spawn_params params = SPAWN_PARAMS_INIT;
        struct fail why = {0};
        int status;

        assert_int_equal(
                spawn_plan_new(&w->settings, conf, "test.service", NULL, &plan, NULL, &why),
                SPAWN_PLAN_READY);
        params.command = &conf->service->exec_start.items[0];
        for (int i = 0; i < BURST; i++) {
                struct spawn_child child;

                assert_int_equal(spawn_start(plan, &params, &child, &why), 0);
                fd_close(child.pidfd);
        }
        for (int i = 0; i < BURST; i++)
                assert_true(waitpid(-1, &status, 0) > 0 && status == 0);
        end(w);
}

// ---- a child that stops or hangs

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

static struct spawn_plan *make_plan(struct world *w, struct unit_conf *conf)
{
        struct spawn_plan *plan = NULL;
        struct fail why = {0};

        assert_int_equal(
                spawn_plan_new(&w->settings, conf, "test.service", NULL, &plan, NULL, &why),
                SPAWN_PLAN_READY);
        return plan;
}

#define STOPPED (SLOTS_MAX + 2)

static void start_stopped(struct spawn_plan *plan, struct spawn_params *params, size_t step,
                          pid_t pids[STOPPED])
{
        struct fail why = {0};

        assert_true(plan->n_steps < STEPS_MAX);
        memmove(&plan->steps[step + 1], &plan->steps[step],
                (plan->n_steps - step) * sizeof(plan->steps[0]));
        plan->steps[step] = (struct step){"stop", step_stop, EXIT_EXCEPTION, 0};
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
                        CLEANUP(spawn_plan) struct spawn_plan *plan = make_plan(w, conf);
                        struct spawn_params params = SPAWN_PARAMS_INIT;
                        pid_t pids[STOPPED];

                        n_steps = plan->n_steps;
                        stopped_before = step < n_steps ? plan->steps[step].op : "exec";
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
        CLEANUP(unit_conf) struct unit_conf *conf = make_conf(w, lines);

        CLEANUP(spawn_plan) struct spawn_plan *plan = make_plan(w, conf);
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
                assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
                assert_false(WCOREDUMP(status));
        }
        end(w);
}

// Taken over by a start that succeeds, and by no other; the other end sees the child's end of it.
static void test_given_descriptor(void **state)
{
        static const char *const lines[] = {"ExecStart", SH "'echo hello >&3'", NULL};
        struct world *w = begin(state);
        CLEANUP(unit_conf) struct unit_conf *conf = make_conf(w, lines);
        CLEANUP(spawn_plan) struct spawn_plan *plan = NULL;
        struct spawn_params params = SPAWN_PARAMS_INIT;
        struct fail why = {0};
        struct spawn_child child;
        char text[16];

        assert_int_equal(
                spawn_plan_new(&w->settings, conf, "test.service", NULL, &plan, NULL, &why),
                SPAWN_PLAN_READY);
        params.command = &conf->service->exec_start.items[0];
        for (int variant = 0; variant < 4; variant++) {
                int ends[2], too_many[SPAWN_FDS_MAX + 1];
                int status, given;

                assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
                given = variant % 2 ? fd_move_up(ends[1]) : ends[1];
                params.given_fd = &given;
                params.fds = too_many;
                for (size_t i = 0; i < ARRAY_SIZE(too_many); i++)
                        too_many[i] = given;
                params.n_fds = params.n_sockets = ARRAY_SIZE(too_many);
                assert_true(spawn_start(plan, &params, &child, &why) < 0);
                assert_true(given >= 0 && fcntl(given, F_GETFD) >= 0);

                params.n_fds = params.n_sockets = 1;
                params.is_calm = variant >= 2;
                assert_int_equal(spawn_start(plan, &params, &child, &why), 0);
                assert_int_equal(given, -1);
                assert_int_equal(read(ends[0], text, sizeof(text)), 6);
                assert_int_equal(waitpid(child.pid, &status, 0), child.pid);
                (void)spawn_reclaim();
                assert_int_equal(read(ends[0], text, sizeof(text)), 0);
                fd_close(child.pidfd);
                fd_close(ends[0]);
        }
        end(w);
}

// ---- memory

static int plan_once(void *arg)
{
        static const struct spawn_settings settings = {0};
        CLEANUP(spawn_plan) struct spawn_plan *plan = NULL;
        struct ids_lookup *lookup = NULL;
        struct fail why = {0};

        return spawn_plan_new(&settings, arg, "test.service", NULL, &plan, &lookup, &why);
}

static void test_plan_oom(void **state)
{
        struct world w = {.dir = "/tmp"};
        static const char *const lines[] = {"ExecStart",
                                            "/bin/sh -c 'echo $X' %n",
                                            "Environment",
                                            "X=1 Y=2",
                                            "User",
                                            "root",
                                            "RuntimeDirectory",
                                            "usher-test",
                                            "LimitNOFILE",
                                            "10:20",
                                            "StandardInput",
                                            "socket",
                                            NULL};
        CLEANUP(unit_conf) struct unit_conf *conf = make_conf(&w, lines);

        oom_prove(plan_once, conf);
}

#define METHOD(test, method)                                       \
        {                                                          \
#test "@" method, test, NULL, NULL, (void *)method \
        }
#define METHODS(test) METHOD(test, "fork"), METHOD(test, "shared")

static const struct CMUnitTest tests[] = {
        METHODS(test_settings),
        METHODS(test_failures),
        METHODS(test_template),
        METHODS(test_descriptors),
        METHODS(test_socket_as_stdio),
        METHODS(test_exec_result),
        METHODS(test_burst),
        METHODS(test_given_descriptor),
        METHODS(test_stopped_between_steps),
        METHODS(test_no_core),
        cmocka_unit_test(test_plan_oom),
};
HARNESS_MAIN(tests)
