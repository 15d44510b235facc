// What is started: the unit of --target; else default.target where a file or link gives one; else
// every socket found and every service that something wants and no socket triggers.
#include "core/unit/boot.h"

#include "base/log.h"
#include "base/strv.h"
#include "conf/unit_name.h"
#include "core/loop/diag_log.h"
#include "core/unit/job.h"
#include "core/unit/registry.h"

// Stands for all that is started where no target says it.
#define BOOT_TARGET "usher-start.target"
#define BOOT_TEXT "[Unit]\nDescription=Units that usherd starts\n"

// Targets that units are installed into though no file may be there for them.
static const char *const wanting_targets[] = {"multi-user.target", "graphical.target",
                                              "default.target",    "basic.target",
                                              "sockets.target",    "network-online.target"};

static int start(struct manager *m, struct unit *u)
{
        struct request_failure failure;

        if (job_request(m, JOB_START, u, JOB_REPLACE, NULL, &failure) == REQUEST_OK)
                return 0;
        log_unit(u->id, LOG_ERR, 0, "Cannot be started: %s", failure.text);
        return failure.error == REQUEST_FAILED ? -ENOMEM : -ENOENT;
}

static int start_by_name(struct manager *m, const char *name)
{
        struct unit *u = NULL;
        int r = registry_load_unit(m, name, &u);

        if (r < 0) {
                log_write(LOG_ERR, "%s cannot be started: %s", name, strerror(-r));
                return r;
        }
        return start(m, u);
}

// Timers and paths are loaded only so that the log says that they are not acted on.
static bool is_looked_at(enum unit_type type)
{
        return type == UNIT_SOCKET || type == UNIT_TARGET || type == UNIT_TIMER ||
               type == UNIT_PATH;
}

// Loads everything that could be started, and what it names.
static int load_all(struct manager *m)
{
        CLEANUP(strv) char **names = NULL;
        struct unit *u;
        int r = conf_loader_list(m->loader, &names);

        STRV_FOREACH (name, names) {
                enum unit_type type = unit_name_type(*name);

                if (r < 0)
                        return r;
                if (unit_name_is_template(*name) || !is_looked_at(type))
                        continue;
                r = registry_load_unit(m, *name, &u);
        }
        for (size_t i = 0; i < ARRAY_SIZE(wanting_targets) && r == 0; i++)
                r = registry_load_unit(m, wanting_targets[i], &u);
        return r;
}

static bool is_wanted_service(const struct unit *u)
{
        static const uint32_t wanted =
                DEP_BIT(DEP_WANTED_BY) | DEP_BIT(DEP_REQUIRED_BY) | DEP_BIT(DEP_UPHELD_BY);
        bool is_wanted = false;

        UNIT_FOREACH_DEPENDENCY (u, DEP_BIT(DEP_TRIGGERED_BY), other)
                return false;
        UNIT_FOREACH_DEPENDENCY (u, wanted, other)
                is_wanted = true;
        return is_wanted;
}

// Names of all that is to be started.
static int find_wanted(struct manager *m, char ***ret)
{
        size_t n = 0;
        CLEANUP(strv) char **names = calloc(map_size(m->units) + 1, sizeof(char *));

        if (!names)
                return -ENOMEM;
        for (struct unit *u = registry_next_unit(m, NULL); u; u = registry_next_unit(m, u)) {
                if (u->conf->load_state != LOAD_LOADED)
                        continue; // loading has complained
                if (u->conf->type != UNIT_SOCKET &&
                    (u->conf->type != UNIT_SERVICE || !is_wanted_service(u)))
                        continue;
                names[n] = strdup(u->id);
                if (!names[n++])
                        return -ENOMEM;
        }
        *ret = TAKE(names);
        return 0;
}

static int start_all(struct manager *m)
{
        CLEANUP(unit_conf) struct unit_conf *conf = NULL;
        CLEANUP(strv) char **wanted = NULL;
        struct diag diag = diag_log();
        struct unit *u = NULL;
        int r = load_all(m);

        if (r == 0)
                r = find_wanted(m, &wanted);
        if (r == 0)
                r = conf_load_text(m->loader, BOOT_TARGET, BOOT_TEXT, &diag, &conf);
        // As if by links of its own.
        if (r == 0)
                r = strv_extend(&conf->linked_wants, wanted);
        if (r == 0 && !conf->linked_wants)
                log_write(LOG_WARNING, "There is nothing to start: no .socket, and no .service "
                                       "that something wants.");
        if (r == 0)
                r = registry_add_unit(m, conf, &u);
        if (r == 0)
                r = registry_build(m);
        return r < 0 ? r : start(m, u);
}

int manager_start(struct manager *m, const char *target)
{
        if (target)
                return start_by_name(m, target);
        if (conf_loader_has_file(m->loader, "default.target"))
                return start_by_name(m, "default.target");
        return start_all(m);
}

void boot_on_job_removed(struct manager *m)
{
        if (job_count(m) > 0 || m->is_started)
                return;
        m->is_started = true;
        if (m->ops)
                m->ops->on_started(m);
        trim_later(&m->trim);
        for (struct core_observer *o = m->observers; o; o = o->next)
                if (o->on_startup_finished)
                        o->on_startup_finished(o);
}
