// A manager that a harness keeps from input to input, with unit files in a folder of its own. Its
// loop is not turned, unless the harness does.
#pragma once

#include "base/fs.h"
#include "base/log.h"
#include "conf/settings.h"
#include "core/service/service.h"
#include "core/unit/dependency.h"
#include "core/unit/job.h"
#include "core/unit/manager.h"
#include "core/unit/registry.h"
#include "fuzz/input.h"

#include <sys/stat.h>

struct manager_unit {
        const char *name, *text;
};

static char manager_dir[] = "/tmp/usher-fuzz-XXXXXX";

static inline void manager_remove_dir(void)
{
        (void)fs_remove_tree(manager_dir);
}

// Silent: what is logged is for nobody.
static inline struct manager *manager_begin(const struct manager_unit *units, size_t n)
{
        static struct settings settings;
        static char runtime[64], units_dir[64];
        char *unit_path[] = {units_dir, NULL};
        char *environment[] = {(char *)"PATH=/usr/bin:/bin", NULL};
        struct manager *m;

        log_set_level(-1);
        settings_init(&settings);
        assert(mkdtemp(manager_dir) && atexit(manager_remove_dir) == 0);
        strcat(strcpy(runtime, manager_dir), "/run");
        strcat(strcpy(units_dir, manager_dir), "/units");
        assert(mkdir(runtime, 0700) == 0 && mkdir(units_dir, 0755) == 0);
        for (size_t i = 0; i < n; i++) {
                CLEANUP(free) char *path = fs_path_join(units_dir, units[i].name);

                assert(path && fs_write_file_atomic(path, units[i].text, 0644) == 0);
        }
        assert(manager_new(&(struct manager_options){.settings = &settings,
                                                     .unit_path = unit_path,
                                                     .environment = environment,
                                                     .runtime_dir = runtime,
                                                     .is_user = true,
                                                     .spawn_method = "fork"},
                           &m) == 0);
        assert(manager_open(m) == 0);
        return m;
}

// Loads a unit, and keeps it loaded.
static inline struct unit *manager_keep(struct manager *m, const char *name)
{
        struct unit *keep, *u;

        assert(registry_load_unit(m, "local-fs.target", &keep) == 0);
        assert(registry_load_unit(m, name, &u) == 0 && u->conf->load_state == LOAD_LOADED);
        assert(dependency_add(keep, DEP_AFTER, u) == 0);
        return u;
}

// For a harness that turns the loop, which unloads what nobody needs.
static inline void manager_keep_all(struct manager *m)
{
        struct unit *keep = registry_find_unit(m, "local-fs.target");

        assert(job_request(m, JOB_START, keep, JOB_REPLACE, NULL, NULL) == REQUEST_OK);
        while (job_count(m) > 0)
                assert(events_turn(m->events, 0) >= 0);
}

// A process that is over and was not waited for: its pid is nobody else's, and a signal to it or to
// its group does no harm.
static inline pid_t manager_make_zombie(void)
{
        siginfo_t info;
        pid_t pid = fork();

        assert(pid >= 0);
        if (pid == 0) {
                (void)setsid();
                _exit(0);
        }
        assert(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) == 0);
        return pid;
}
