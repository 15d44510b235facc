#include "core/unit/index.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "base/strv.h"
#include "conf/search.h"
#include "conf/unit_name.h"
#include "core/loop/diag_log.h"
#include "core/unit/registry.h"

// The shortest interval between searches for a new file of a unit that is in the index: for such a
// unit, only a drop-in folder or a file with higher precedence can be new.
#define LOOK_EVERY (USEC_PER_MSEC)

enum trust_mode index_trust(const struct manager *m)
{
        return trust_mode_choose(m->settings->refuse_writable, m->options.is_user,
                                 m->options.compat_systemd, m->options.is_path_given);
}

int index_new(struct manager *m, const struct cfgfile *cfgfile, struct diag *diag,
              struct conf_loader **ret)
{
        const struct conf_loader_options options = {
                .unit_path = m->options.unit_path,
                .is_user = m->options.is_user,
                .compat_systemd = m->options.compat_systemd,
                .boot_role = m->options.is_user   ? BOOT_NOT_OURS
                             : m->options.is_pid1 ? BOOT_FIRST
                                                  : BOOT_BESIDE,
                .is_path_given = m->options.is_path_given,
                .trust = index_trust(m),
                .cfgfile = cfgfile,
                .settings = m->settings,
                .diag = diag,
        };

        return conf_loader_new(&options, ret);
}

// Would something start this unit, now that it has a file?
static bool is_startable(struct conf_loader *loader, const char *name)
{
        CLEANUP(search_result) struct search_result found = {0};
        CLEANUP(free) char *socket = NULL;
        enum unit_type type = unit_name_type(name);

        if (unit_name_is_template(name) || (type != UNIT_SOCKET && type != UNIT_SERVICE))
                return false;
        // A service is started by its socket.
        if (type == UNIT_SERVICE && (unit_name_change_suffix(name, UNIT_SOCKET, &socket) < 0 ||
                                     conf_loader_has_file(loader, socket)))
                return false;
        if (search_find(conf_loader_search(loader), name, &found) < 0)
                return false;
        return (found.verdict == SEARCH_FOUND || found.verdict == SEARCH_BLOCK) &&
               streq(found.id, name);
}

int index_note_new(struct manager *m, struct conf_loader *fresh)
{
        CLEANUP(strv) char **names = NULL;
        int r = conf_loader_list(fresh, &names);

        STRV_FOREACH (name, names)
                if (r == 0 && !conf_loader_has_file(m->loader, *name) && is_startable(fresh, *name))
                        r = strv_push(&m->new_names, *name);
        return r;
}

// An instance is found by its template, too.
static bool is_in_index(const struct manager *m, const char *name)
{
        CLEANUP(free) char *template = NULL;

        if (conf_loader_has_file(m->loader, name))
                return true;
        return unit_name_is_instance(name) && unit_name_template(name, &template) == 0 &&
               conf_loader_has_file(m->loader, template);
}

void index_refresh(struct manager *m, const char *name)
{
        CLEANUP(conf_loader) struct conf_loader *fresh = NULL;
        struct diag diag = diag_log_once(m->complaints);
        usec_t now = clock_now();

        // A reload has its own index, and so does the start.
        if (m->is_reloading || (now < m->index_looked + LOOK_EVERY && is_in_index(m, name)))
                return;
        m->index_looked = now;
        if (search_is_fresh(conf_loader_search(m->loader)))
                return;
        int r = index_new(m, m->options.cfgfile, &diag, &fresh);

        if (r == 0)
                r = index_note_new(m, fresh);
        if (r < 0) {
                log_write(LOG_ERR, "The unit folders have changed, and cannot be read: %s",
                          strerror(-r));
                return;
        }
        struct conf_loader *old = m->loader;

        m->loader = fresh;
        fresh = old; // the clean-up frees it
}

int index_look_again(struct unit *u)
{
        struct manager *m = u->manager;
        CLEANUP(unit_conf) struct unit_conf *conf = NULL;
        struct diag diag = diag_log_once(m->complaints);

        if (u->conf->load_state != LOAD_NOT_FOUND || m->is_reloading || m->is_building ||
            !active_state_is_inactive_or_failed(unit_active_state(u)))
                return 0;
        index_refresh(m, u->id);
        if (!is_in_index(m, u->id))
                return 0;
        int r = conf_load(m->loader, u->id, &diag, &conf);

        // A name that has become an alias of another unit stays as it is until it is unloaded.
        if (r < 0 || conf->load_state == LOAD_NOT_FOUND || !streq(conf->id, u->id))
                return r;
        unit_replace_conf(u, TAKE(conf));
        return registry_rebuild_unit(u);
}
