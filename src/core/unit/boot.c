// What is started: the units that are named on the command line; else default.target if a file or
// link provides one (for PID 1 together with the enabled sockets of usher's own folders); else
// every socket that is enabled or has no [Install] section, and every service that some unit wants
// and no socket triggers.
#include "core/unit/boot.h"

#include "base/log.h"
#include "base/str.h"
#include "base/strv.h"
#include "conf/unit_name.h"
#include "conf/unit_path.h"
#include "core/loop/diag_log.h"
#include "core/unit/job.h"
#include "core/unit/registry.h"

// Stands for everything that is started if no target lists it.
#define BOOT_TEXT "[Unit]\nDescription=Units that usherd starts\n"

// Targets that units are installed into even if they have no file.
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

// Timers and paths are loaded only so that the log can say that usher ignores them.
static bool is_looked_at(enum unit_type type)
{
        return type == UNIT_SOCKET || type == UNIT_TARGET || type == UNIT_TIMER ||
               type == UNIT_PATH;
}

// Loads every unit that could be started, and the units that it names.
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

static bool is_wanted(const struct unit *u)
{
        static const uint32_t wanted =
                DEP_BIT(DEP_WANTED_BY) | DEP_BIT(DEP_REQUIRED_BY) | DEP_BIT(DEP_UPHELD_BY);

        return dependency_next(&u->deps, 0, wanted) < u->deps.n;
}

static bool is_triggered(const struct unit *u)
{
        return dependency_next(&u->deps, 0, DEP_BIT(DEP_TRIGGERED_BY)) < u->deps.n;
}

static bool is_in_systemd_folder(const struct unit *u)
{
        const char *path = u->conf->fragment_path;
        CLEANUP(free) char *dir = path ? strndup(path, (size_t)(strrchr(path, '/') - path)) : NULL;

        return dir && unit_path_is_systemd(dir, false);
}

// Does it have an [Install] section, none of whose links exists?
static bool is_disabled(const struct unit *u)
{
        const struct install_group *g = u->conf->install;
        const char *state = "";

        if (!g->wanted_by && !g->required_by && !g->upheld_by && !g->alias && !g->also)
                return false;
        if (conf_unit_file_state(u->manager->loader, u->id, &state) < 0)
                return false;
        // A block of usher.conf counts as static, whatever its [Install] section says.
        return !streq(state, "enabled") && !streq(state, "enabled-runtime") &&
               !streq(state, "static");
}

// Which units are started, and which are left out because they are disabled.
struct selection {
        char **names, **disabled;
        bool takes_disabled; // the command line gives the folders: all units in them are meant to
                             // start
        bool is_linked_only; // as systemd: leaves out units that no [Install] section enables
        bool is_own_only;    // units in systemd's folders are for default.target to start
};

static void selection_done(struct selection *c)
{
        strv_free(c->names);
        strv_free(c->disabled);
}

static int choose(struct selection *s, const struct unit *u)
{
        // Refused units (loading has complained about them) also stay in memory, for clients that
        // list them.
        if (u->conf->load_state == LOAD_NOT_FOUND || u->conf->load_state == LOAD_MASKED)
                return 0;
        if (u->conf->type == UNIT_SERVICE)
                return !s->is_own_only && is_wanted(u) && !is_triggered(u)
                               ? strv_push(&s->names, u->id)
                               : 0;
        if (u->conf->type != UNIT_SOCKET || (s->is_own_only && is_in_systemd_folder(u)))
                return 0;
        if (s->is_linked_only && !is_wanted(u))
                return 0;
        return strv_push(!s->takes_disabled && is_disabled(u) ? &s->disabled : &s->names, u->id);
}

static int choose_units(struct manager *m, struct selection *c)
{
        int r = load_all(m);

        for (struct unit *u = registry_next_unit(m, NULL); u && r == 0;
             u = registry_next_unit(m, u))
                r = choose(c, u);
        conf_loader_forget_states(m->loader);
        return r;
}

static void log_disabled(char *const *names)
{
        CLEANUP(free) char *text = names ? strv_join(names, " ") : NULL;

        if (text)
                log_write(LOG_NOTICE,
                          "Not started, since nothing enables them: %s (usherctl enable --now %s)",
                          text, text);
}

// One target that wants all of them, as if it had links of its own.
static int start_together(struct manager *m, char *const *names)
{
        CLEANUP(unit_conf) struct unit_conf *conf = NULL;
        struct diag diag = diag_log();
        struct unit *u = NULL;
        int r = conf_load_text(m->loader, BOOT_TARGET, BOOT_TEXT, &diag, &conf);

        if (r == 0)
                r = strv_extend(&conf->linked_wants, names);
        if (r == 0)
                r = registry_add_unit(m, conf, &u);
        if (r == 0)
                r = registry_build(m);
        return r < 0 ? r : start(m, u);
}

static int start_found(struct manager *m, bool has_default)
{
        struct selection c = {
                .takes_disabled = m->options.is_path_given,
                .is_linked_only = !m->options.is_path_given &&
                                  !manager_differs(m, DIFFERENCE_DISABLED_STAYS_OFF),
                .is_own_only = has_default,
        };
        int r = choose_units(m, &c);

        if (r == 0 && has_default)
                r = strv_push(&c.names, "default.target");
        if (r == 0)
                log_disabled(c.disabled);
        if (r == 0 && !c.names)
                log_write(LOG_WARNING,
                          "There is nothing to start: no .socket%s, and no .service "
                          "that something wants.",
                          c.disabled ? " that is enabled" : "");
        if (r == 0)
                r = start_together(m, c.names);
        selection_done(&c);
        return r;
}

int manager_start(struct manager *m, char *const *names)
{
        bool has_default = conf_loader_has_file(m->loader, "default.target");
        int r = 0;

        STRV_FOREACH (name, names)
                if (r == 0)
                        r = start_by_name(m, *name);
        if (names)
                return r;
        // The image's default.target does not know the units in usher's own folders.
        if (has_default && (!m->options.is_pid1 || m->options.is_path_given))
                return start_by_name(m, "default.target");
        return start_found(m, has_default);
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
