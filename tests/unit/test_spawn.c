// Processes from plans, with each spawn method: what they inherit, what they do not inherit, and
// how the failure of a step is reported.
#include "unit/spawn_fixture.h"

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
        CLEANUP(spawn_lookup) struct spawn_lookup *lookup = NULL;
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
        assert_int_equal(spawn_plan_new(&w->settings, conf, "test@.service", &lookup, &plan, &why),
                         0);
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

// What instances can share: nothing that a plan alone can fill in.
static void test_shared(void **state UNUSED)
{
        static const struct {
                const char *name, *value;
                bool is_own;
        } lines[] = {
                {"User", "%i", true},
                {"User", "nobody", false},
                {"SupplementaryGroups", "%i", true},
                {"WorkingDirectory", "/srv/%i", true},
                {"StandardInput", "file:/srv/%i", true},
                {"StandardOutput", "append:/srv/%i", true},
                {"StandardInputText", "%i", true},
                {"TTYPath", "/dev/%i", true},
                {"ExecSearchPath", "/srv/%i", true},
                {"EnvironmentFile", "-/srv/%i", true},
                {"PassEnvironment", "%i", true},
                {"UnsetEnvironment", "%i", true},
                {"RuntimeDirectory", "%i", true},
                {"StateDirectory", "a:%i", true},
                {"OpenFile", "/srv/%i", true},
                {"ExecStartPre", "/bin/%i %i", false},
                {"ExecStart", "/bin/echo %i", false},
                {"Environment", "A=%i", false},
                {"Environment", "A=%p", false},
                {"SyslogIdentifier", "%i", false},
                {"PIDFile", "/run/%i.pid", true},
                {"BusName", "org.example.%i", true},
        };
        struct specifier_context specifiers = {.unit_name = "test@.service",
                                               .defer_instance = true};

        for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
                CLEANUP(conf_builder) struct conf_builder *b = NULL;
                CLEANUP(unit_conf) struct unit_conf *conf = NULL;

                print_message("%s=%s\n", lines[i].name, lines[i].value);
                assert_int_equal(
                        conf_builder_new("test@.service", UNIT_SERVICE, &specifiers, NULL, &b), 0);
                assert_int_equal(
                        conf_builder_assign(b, "Service", lines[i].name, lines[i].value, "f", 1),
                        0);
                assert_int_equal(conf_builder_finish(b, &conf), 0);
                assert_int_equal(conf->needs_own_plan || conf->needs_own_instance, lines[i].is_own);
        }
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
                struct spawn_child child;
                struct fail why = {0};
                int status, r = -EAGAIN;

                assert_int_equal(make_plan(w, conf, &plan, &why), SPAWN_PLAN_READY);
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

        assert_int_equal(make_plan(w, conf, &plan, &why), SPAWN_PLAN_READY);
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

        assert_int_equal(make_plan(w, conf, &plan, &why), SPAWN_PLAN_READY);
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
        static const struct spawn_environment environment = {0};
        static const struct spawn_settings settings = {.environment = &environment};
        CLEANUP(spawn_plan) struct spawn_plan *plan = NULL;
        CLEANUP(spawn_lookup) struct spawn_lookup *lookup = NULL;
        struct fail why = {0};

        return spawn_plan_new(&settings, arg, "test.service", &lookup, &plan, &why);
}

// Files on a file system that may not answer are read by another process, at each start again.
static void test_plan_of_remote_files(void **state)
{
        struct world *w = begin(state);
        static const char *const lines[] = {"ExecStart",
                                            "prog $A $B",
                                            "ExecSearchPath",
                                            "/none:@/way/far",
                                            "EnvironmentFile",
                                            "@/way/far/env",
                                            "EnvironmentFile",
                                            "-@/way/far/none",
                                            "EnvironmentFile",
                                            "@/way/far/*.more",
                                            NULL,
                                            NULL};
        CLEANUP(unit_conf) struct unit_conf *conf = make_conf(w, lines);
        CLEANUP(spawn_plan) struct spawn_plan *plan = NULL, *again = NULL;
        CLEANUP(free) char *far = fs_path_join(w->dir, "real/far"), *text = NULL;
        CLEANUP(free) char *way = fs_path_join(w->dir, "way"), *prog = fs_path_join(far, "prog");
        CLEANUP(free) char *env = fs_path_join(far, "env"), *more = fs_path_join(far, "x.more");
        CLEANUP(free)
        char *script = str_printf("#!/bin/sh\nprintf %%s \"$*\" >%s/out\n", w->dir);
        struct spawn_params params = SPAWN_PARAMS_INIT;
        struct fail report = {0}, why = {0};

        assert_int_equal(fs_mkdir_p(far, 0755), 0);
        assert_int_equal(symlink("real", way), 0);
        assert_int_equal(fs_write_file_atomic(prog, script, 0755), 0);
        assert_int_equal(fs_write_file_atomic(env, "A=one\n", 0644), 0);
        assert_int_equal(fs_write_file_atomic(more, "B=two\n", 0644), 0);
        // It answers, as far as the kernel's table knows.
        assert_int_equal(make_plan(w, conf, &plan, &why), SPAWN_PLAN_READY);
        assert_int_equal(w->n_lookups, 0);
        mounts_fixture_add(far, "nfs4");
        assert_true(spawn_plan_is_stale(plan));
        assert_int_equal(make_plan(w, conf, &again, &why), SPAWN_PLAN_READY);
        assert_int_equal(w->n_lookups, 1);
        assert_true(spawn_plan_is_stale(again));
        assert_int_equal(run_with(w, conf, &params, &report), 0);
        text = read_file(w, "out");
        assert_string_equal(text, "one two");
        // A file that is missing there is reported like one that is missing here.
        assert_int_equal(unlink(env), 0);
        spawn_plan_unref(TAKE(again));
        assert_int_equal(make_plan(w, conf, &again, &why), -ENOENT);
        assert_non_null(strstr(why.detail, "/way/far/env"));
        end(w);
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

static const struct CMUnitTest tests[] = {
        METHODS(test_settings),          METHODS(test_template),
        cmocka_unit_test(test_shared),   METHODS(test_failures),
        METHODS(test_descriptors),       METHODS(test_socket_as_stdio),
        METHODS(test_exec_result),       METHODS(test_burst),
        METHODS(test_given_descriptor),  METHODS(test_plan_of_remote_files),
        cmocka_unit_test(test_plan_oom),
};
HARNESS_MAIN(tests)
