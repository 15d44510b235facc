// Shared by the tests of processes: a folder, settings and an environment for plans, one process
// of a conf and its status, and a table of tests with each spawn method.
#pragma once

#include "spawn/spawn.h"

#include "base/buf.h"
#include "base/fd.h"
#include "base/fs.h"
#include "base/inquiry.h"
#include "base/str.h"
#include "base/strv.h"
#include "conf/assign.h"
#include "spawn/exit_status.h"
#include "spawn/slot.h"
#include "spawn/step.h"
#include "spawn/sys.h"
#include "unit/harness.h"
#include "unit/mounts_fixture.h"

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
        struct spawn_environment environment;
        unsigned n_lookups; // that plans have needed
};

static inline struct world *begin(void **state)
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
        assert_int_equal(spawn_environment_base(false, NULL, &w.environment.block), 0);
        w.settings.environment = &w.environment;
        return &w;
}

static inline void end(struct world *w)
{
        while (spawn_reclaim())
                usleep(200);
        spawn_done();
        mounts_done();
        strv_free(w->environment.block);
        assert_int_equal(fs_remove_tree(w->dir), 0);
}

// A service with these lines; "@" stands for the test's folder.
static inline struct unit_conf *make_conf(struct world *w, const char *const *lines)
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

// With all look-ups that it needs.
static inline int make_plan(struct world *w, struct unit_conf *conf, struct spawn_plan **ret,
                            struct fail *why)
{
        CLEANUP(spawn_lookup) struct spawn_lookup *lookup = NULL;
        int r;

        while ((r = spawn_plan_new(&w->settings, conf, "test.service", &lookup, ret, why)) ==
               SPAWN_PLAN_NEEDS_LOOKUP) {
                struct inquiry *h = spawn_lookup_inquiry(lookup);

                w->n_lookups++;
                assert_int_equal(inquiry_launch(h), 0);
                while (inquiry_read(h) == -EAGAIN) {
                        struct pollfd p = {.fd = inquiry_fd(h), .events = POLLIN};

                        assert_int_equal(poll(&p, 1, 30000), 1);
                }
        }
        return r;
}

// Starts the first ExecStart= and waits: the status of waitpid(2). Others may be on their way.
static inline int run_beside(struct world *w, struct unit_conf *conf, struct spawn_params *params,
                             struct fail *report)
{
        CLEANUP(spawn_plan) struct spawn_plan *plan = NULL;
        struct spawn_child child;
        struct fail why = {0};
        int status;

        assert_int_equal(make_plan(w, conf, &plan, &why), SPAWN_PLAN_READY);
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

static inline int run_with(struct world *w, struct unit_conf *conf, struct spawn_params *params,
                           struct fail *report)
{
        int status = run_beside(w, conf, params, report);

        while (spawn_reclaim())
                usleep(200);
        return status;
}

static inline int run(struct world *w, const char *const *lines, struct fail *report)
{
        CLEANUP(unit_conf) struct unit_conf *conf = make_conf(w, lines);
        struct spawn_params params = SPAWN_PARAMS_INIT;

        return run_with(w, conf, &params, report);
}

static inline char *read_file(const struct world *w, const char *name)
{
        CLEANUP(free) char *path = fs_path_join(w->dir, name);
        char *text = NULL;

        return fs_read_file(path, 65536, &text, NULL) < 0 ? NULL : text;
}

#define SH "/bin/sh -c "

#define METHOD(test, method)                                       \
        {                                                          \
#test "@" method, test, NULL, NULL, (void *)method \
        }
#define METHODS(test) METHOD(test, "fork"), METHOD(test, "shared")
