// A real manager inside the test program, with unit files in a folder of its own: real processes,
// real signals, real time. Each test has one folder and one manager.
#pragma once

#include "base/buf.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/str.h"
#include "conf/settings.h"
#include "core/service/service.h"
#include "core/unit/dependency.h"
#include "core/unit/index.h"
#include "core/unit/job.h"
#include "core/unit/manager.h"
#include "core/unit/registry.h"
#include "unit/harness.h"

#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#define FIXTURE_PATIENCE (20 * USEC_PER_SEC)

struct fixture {
        char dir[64];
        struct settings settings;
        struct manager *manager;
        struct unit *keep; // names every unit, so that none is unloaded when it is over
        struct buf log;    // all that was logged
};

static inline void on_log_line(const struct log_line *line, void *data)
{
        buf_printf(&((struct fixture *)data)->log, "%s: %s\n", line->unit ? line->unit : "-",
                   line->text);
}

static inline void fixture_init(struct fixture *f, const char *method)
{
        char *unit_path[] = {f->dir, NULL};
        char runtime[96], xdg[96];
        char *environment[] = {(char *)"PATH=/usr/bin:/bin", xdg, NULL};

        *f = (struct fixture){.dir = "/tmp/usher-service-XXXXXX"};
        assert_non_null(mkdtemp(f->dir));
        snprintf(runtime, sizeof(runtime), "%s/run", f->dir);
        snprintf(xdg, sizeof(xdg), "XDG_RUNTIME_DIR=%s/xdg", f->dir);
        assert_int_equal(mkdir(runtime, 0700), 0);
        assert_int_equal(mkdir(xdg + strlen("XDG_RUNTIME_DIR="), 0700), 0);
        assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
        log_set_level(LOG_DEBUG);
        log_set_hook(on_log_line, f);
        settings_init(&f->settings);

        struct manager_options options = {.settings = &f->settings,
                                          .unit_path = unit_path,
                                          .environment = environment,
                                          .runtime_dir = runtime,
                                          .is_user = true,
                                          .spawn_method = method};

        assert_int_equal(manager_new(&options, &f->manager), 0);
        assert_int_equal(manager_open(f->manager), 0);
        assert_int_equal(registry_load_unit(f->manager, "local-fs.target", &f->keep), 0);
        assert_int_equal(job_request(f->manager, JOB_START, f->keep, JOB_REPLACE, NULL, NULL),
                         REQUEST_OK);
}

static inline void fixture_done(struct fixture *f)
{
        manager_free(f->manager);
        settings_done(&f->settings);
        log_set_hook(NULL, NULL);
        assert_int_equal(fs_remove_tree(f->dir), 0);
        buf_done(&f->log);
}

// The file's text, with every @ replaced by the test's folder.
static inline void fixture_unit(struct fixture *f, const char *name, const char *text)
{
        CLEANUP(buf) struct buf out = BUF_NULL;
        CLEANUP(free) char *path = fs_path_join(f->dir, name);

        for (const char *p = text; *p; p++)
                if (*p == '@')
                        buf_puts(&out, f->dir);
                else
                        buf_putc(&out, *p);
        assert_non_null(path);
        assert_int_equal(fs_write_file_atomic(path, buf_text(&out), 0644), 0);
        struct conf_loader *loader;

        assert_int_equal(index_new(f->manager, NULL, NULL, &loader), 0);
        conf_loader_free(f->manager->loader);
        f->manager->loader = loader;
}

static inline struct service *fixture_service(struct fixture *f, const char *name)
{
        struct unit *u = NULL;

        assert_int_equal(registry_load_unit(f->manager, name, &u), 0);
        assert_ptr_equal(u->ops, &service_ops);
        assert_int_equal(dependency_add(f->keep, DEP_AFTER, u), 0);
        return CONTAINER_OF(u, struct service, unit);
}

static inline struct service *fixture_job(struct fixture *f, enum job_type type, const char *name)
{
        struct service *s = fixture_service(f, name);
        struct request_failure why = {0};

        if (job_request(f->manager, type, &s->unit, JOB_REPLACE, NULL, &why) != REQUEST_OK)
                fail_msg("%s", why.text);
        return s;
}

static inline void fixture_turn(struct fixture *f)
{
        assert_true(events_turn(f->manager->events, 20 * USEC_PER_MSEC) >= 0);
}

static inline void fixture_wait(struct fixture *f, usec_t how_long)
{
        for (usec_t end = clock_now() + how_long; clock_now() < end;)
                fixture_turn(f);
}

// Valgrind loses signals that reach a forked child right before its exec: sent once more.
static inline void fixture_repeat_signal(struct service *s)
{
        if (harness_has_valgrind() && s->run.state == SERVICE_STOP_SIGTERM && s->run.main.pid > 0)
                (void)kill(s->run.main.pid, SIGTERM);
}

// Until the unit is in the state, and has no job.
static inline void fixture_await(struct fixture *f, struct service *s, enum service_state state)
{
        usec_t begin = clock_now(), repeat = begin + FIXTURE_PATIENCE / 10;

        while (s->run.state != state || s->unit.job) {
                if (clock_now() > begin + FIXTURE_PATIENCE)
                        fail_msg("%s is %s, not %s\n%s", s->unit.id,
                                 service_state_name(s->run.state), service_state_name(state),
                                 buf_text(&f->log));
                if (clock_now() > repeat) {
                        repeat = USEC_INFINITY;
                        fixture_repeat_signal(s);
                }
                fixture_turn(f);
        }
}

static inline void fixture_await_log(struct fixture *f, const char *text)
{
        for (usec_t end = clock_now() + FIXTURE_PATIENCE; !strstr(buf_text(&f->log), text);) {
                if (clock_now() > end)
                        fail_msg("not logged: %s\n%s", text, buf_text(&f->log));
                fixture_turn(f);
        }
}

static inline void fixture_logged(struct fixture *f, const char *text)
{
        if (!strstr(buf_text(&f->log), text))
                fail_msg("not logged: %s\n%s", text, buf_text(&f->log));
}

// What a file in the test's folder holds; "" where it is not there. Valid until the next call.
static inline const char *fixture_read(struct fixture *f, const char *name)
{
        static char text[4096];
        CLEANUP(free) char *path = fs_path_join(f->dir, name), *content = NULL;

        text[0] = '\0';
        if (path && fs_read_file(path, sizeof(text) - 1, &content, NULL) == 0)
                strcpy(text, content);
        return text;
}

static inline void fixture_await_file(struct fixture *f, const char *name)
{
        for (usec_t end = clock_now() + FIXTURE_PATIENCE; !fixture_read(f, name)[0];) {
                if (clock_now() > end)
                        fail_msg("no file %s\n%s", name, buf_text(&f->log));
                fixture_turn(f);
        }
}
