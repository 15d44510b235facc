// A reload: new confs for all units in memory, then all edges are rebuilt. Services keep running;
// the types decide in ops->reconfigure what a new conf changes (sockets keep the descriptors that
// still fit).
#include "base/array.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "base/strv.h"
#include "conf/cfgfile.h"
#include "conf/unit_name.h"
#include "core/loop/diag_log.h"
#include "core/loop/log_ring.h"
#include "core/unit/collect.h"
#include "core/unit/dependency.h"
#include "core/unit/index.h"
#include "core/unit/registry.h"

#include <stdio.h>

// The interval at which the loop is served while files are read, so that clients need not wait.
#define TURN_EVERY (2 * USEC_PER_MSEC)

// Maximum number of lines in a report.
#define REPORTED_MAX 64

// What is to be swapped; everything is read before the first swap.
struct change {
        struct unit *unit;
        struct unit_conf *conf;     // NULL: unchanged
        struct unit_conf *template; // of its connections; NULL: unchanged
        bool is_template_gone;      // the old one is dropped, and there is no new one
};

struct changes {
        struct change *items;
        size_t n, capacity;
        usec_t begin_rt; // time before the first file was read
        usec_t turn;     // when the loop was served last
};

static void change_done(struct change *c)
{
        unit_conf_unref(TAKE(c->conf));
        unit_conf_unref(TAKE(c->template));
}

static void changes_done(struct changes *c)
{
        for (size_t i = 0; i < c->n; i++)
                change_done(&c->items[i]);
        free(c->items);
}

// Takes the contents of r, also on failure.
static int changes_add(struct changes *c, struct change *change)
{
        if (!change->conf && !change->template && !change->is_template_gone)
                return 0;
        if (ARRAY_RESERVE(c->items, c->n, c->capacity, 16) < 0) {
                change_done(change);
                return -ENOMEM;
        }
        c->items[c->n++] = *change;
        return 0;
}

// ---- the report

static void report_line(struct manager *m, const char *line)
{
        struct reload_report *report = &m->report;

        if (strv_contains(report->lines, line))
                return;
        // Without memory the line is only in the log.
        if (strv_length(report->lines) >= REPORTED_MAX || strv_push(&report->lines, line) < 0)
                report->is_truncated = true;
}

// Logs complaints that were not logged since the last reload, as any load does, and reports them.
static void emit(struct diag *diag, const struct diag_entry *entry)
{
        struct manager *m = diag->data;
        struct diag log = diag_log_once(m->complaints);
        char text[1024];

        log.emit(&log, entry);
        if (entry->class != DIAG_NOTICE)
                report_line(m, diag_format(entry, text, sizeof(text)));
}

static struct diag report_sink(struct manager *m)
{
        return (struct diag){.emit = emit, .data = m};
}

static void report_unit(struct manager *m, const char *unit, int level, const char *text)
{
        CLEANUP(free) char *line = str_printf("%s: %s", unit, text);

        log_unit(unit, level, 0, "%s", text);
        if (line)
                report_line(m, line);
}

// ---- reading

// If a name has become an alias of another unit, the unit that has it does not become that unit:
// what runs under the name keeps it, under a conf that says so.
static int load_again(struct conf_loader *loader, struct unit *u, struct unit_conf **ret)
{
        CLEANUP(unit_conf) struct unit_conf *conf = NULL;
        struct diag diag = report_sink(u->manager);

        if (u->conf->transient) {
                *ret = unit_conf_ref(u->conf);
                return 0;
        }
        int r = conf_load(loader, u->id, &diag, &conf);

        if (r < 0)
                return r;
        if (strcmp(conf->id, u->id) != 0) {
                log_unit(u->id, LOG_WARNING, 0,
                         "It is an alias of %s now. It keeps its settings until it is unloaded.",
                         conf->id);
                *ret = unit_conf_ref(u->conf);
                return 0;
        }
        *ret = TAKE(conf);
        return 0;
}

// A unit that a reload would make invalid keeps its old conf (difference reload-keeps-bad-unit).
static bool is_kept(const struct unit *u, const struct unit_conf *old,
                    const struct unit_conf *fresh)
{
        return manager_differs(u->manager, DIFFERENCE_RELOAD_KEEPS_BAD_UNIT) &&
               unit_conf_is_worse(old, fresh);
}

// The reason why its new files are ignored; NULL: they are used. A fault that it already had is no
// reason.
static int keep(struct unit *u, const char *name, const struct unit_conf *fresh,
                const char *unguarded, char **ret)
{
        const char *why = unguarded           ? unguarded
                          : fresh->load_error ? fresh->load_error
                          : fresh->load_state == LOAD_LOADED
                                  ? "an address that it listens on is wrong"
                                  : load_state_name(fresh->load_state);
        CLEANUP(free)
        char *text =
                str_printf("It keeps its settings, since the new ones cannot be used: %s%s%s.",
                           streq(name, u->id) ? "" : name, streq(name, u->id) ? "" : ": ", why);

        if (!text)
                return -ENOMEM;
        if (!u->kept || !streq(u->kept, text)) {
                report_unit(u->manager, u->id, LOG_ERR, text);
                u->manager->report.is_worse = true;
        }
        if (!*ret)
                *ret = TAKE(text);
        return 0;
}

// Also if only the sources of the settings or the links differ.
static bool is_same(const struct unit_conf *a, const struct unit_conf *b)
{
        return a->load_state == b->load_state && str_eq_ptr(a->fragment_path, b->fragment_path) &&
               str_eq_ptr(a->load_error, b->load_error) && strv_equal(a->names, b->names) &&
               strv_equal(a->dropin_paths, b->dropin_paths) &&
               strv_equal(a->linked_wants, b->linked_wants) &&
               strv_equal(a->linked_requires, b->linked_requires) &&
               strv_equal(a->linked_upholds, b->linked_upholds) &&
               strv_equal(a->unacted, b->unacted) && str_eq_ptr(a->unguarded, b->unguarded) &&
               unit_conf_equal(a, b);
}

// Why a socket that is up would answer more peers than are asked for with this conf of a unit in
// place of the one that it has; NULL: it would not, or it does so already. New string.
static char *find_unguarded(struct unit *u, const struct unit_conf *fresh)
{
        char *why = NULL;

        UNIT_FOREACH_DEPENDENCY (u, DEP_BIT(DEP_TRIGGERED_BY), socket)
                if (!why && fresh->unguarded && !u->conf->unguarded &&
                    !active_state_is_inactive_or_failed(unit_active_state(socket)))
                        why = unit_conf_why_unguarded(socket->conf, fresh);
        if (!fresh->socket || !u->conf->socket || unit_conf_has_network(u->conf) ||
            active_state_is_inactive_or_failed(unit_active_state(u)))
                return why;
        UNIT_FOREACH_DEPENDENCY (u, DEP_BIT(DEP_TRIGGERS), service)
                if (!why)
                        why = unit_conf_why_unguarded(fresh, service->conf);
        if (!why && u->ops->template_conf && *u->ops->template_conf(u))
                why = unit_conf_why_unguarded(fresh, *u->ops->template_conf(u));
        return why;
}

static int read_own(struct conf_loader *loader, struct unit *u, struct change *c, char **ret_kept)
{
        CLEANUP(unit_conf) struct unit_conf *conf = NULL;
        int r = load_again(loader, u, &conf);

        if (r < 0)
                return r;
        CLEANUP(free) char *unguarded = find_unguarded(u, conf);

        if (unguarded || is_kept(u, u->conf, conf))
                return keep(u, u->id, conf, unguarded, ret_kept);
        // Reported as if this reload had made it worse, unless it keeps its old conf.
        u->manager->report.is_worse |= unit_conf_is_worse(u->conf, conf);
        if (conf != u->conf && !is_same(u->conf, conf))
                c->conf = TAKE(conf);
        return 0;
}

static int read_template(struct conf_loader *loader, struct unit *u, struct change *c,
                         char **ret_kept)
{
        CLEANUP(unit_conf) struct unit_conf *conf = NULL;
        struct diag diag = report_sink(u->manager);
        const struct unit_conf *old = u->ops->template_conf ? *u->ops->template_conf(u) : NULL;
        int r;

        if (!old)
                return 0;
        r = conf_load(loader, old->id, &diag, &conf);
        if (r < 0)
                return r;
        bool is_up = !active_state_is_inactive_or_failed(unit_active_state(u));
        CLEANUP(free)
        char *unguarded = is_up && !old->unguarded
                                  ? unit_conf_why_unguarded(c->conf ? c->conf : u->conf, conf)
                                  : NULL;

        if (unguarded || is_kept(u, old, conf))
                return keep(u, old->id, conf, unguarded, ret_kept);
        u->manager->report.is_worse |= unit_conf_is_worse(old, conf);
        if (conf->load_state == LOAD_LOADED)
                c->template = TAKE(conf);
        else
                c->is_template_gone = true;
        return 0;
}

static int read_one(struct manager *m, struct conf_loader *loader, struct unit *u,
                    struct changes *changes)
{
        CLEANUP(free) char *kept = NULL;
        struct change c = {.unit = u};
        int r = read_own(loader, u, &c, &kept);

        if (r == 0)
                r = read_template(loader, u, &c, &kept);
        if (r < 0) {
                change_done(&c);
                return r;
        }
        u->reload = m->n_reloads;
        free(u->kept);
        u->kept = TAKE(kept);
        return changes_add(changes, &c);
}

// No unit is removed meanwhile, and new units are appended to their type's list, so this walk sees
// them.
static int read_units(struct manager *m, struct conf_loader *loader, struct changes *changes,
                      bool lets_others)
{
        for (struct unit *u = registry_next_unit(m, NULL); u; u = registry_next_unit(m, u)) {
                int r = 0;

                if (u->reload != m->n_reloads)
                        r = read_one(m, loader, u, changes);
                if (r == 0 && lets_others && clock_now() - changes->turn > TURN_EVERY) {
                        r = events_serve(m->events);
                        changes->turn = clock_now();
                }
                if (r < 0)
                        return r;
        }
        return 0;
}

static int read_all(struct manager *m, struct conf_loader *loader, struct changes *changes)
{
        int r = read_units(m, loader, changes, true);

        // Units that were loaded while the loop was served are read without a further pause.
        return r < 0 ? r : read_units(m, loader, changes, false);
}

// A socket that is up but has lost its file keeps its state and connections without an address.
static void report_closed(struct unit *u, const struct unit_conf *fresh)
{
        bool is_masked = fresh->load_state == LOAD_MASKED;

        if (!u->conf->socket || (!is_masked && fresh->load_state != LOAD_NOT_FOUND) ||
            active_state_is_inactive_or_failed(unit_active_state(u)))
                return;
        report_unit(u->manager, u->id, LOG_WARNING,
                    is_masked ? "It is masked now, so it no longer listens: unmask it, or stop it."
                              : "Its file is gone, so it no longer listens: put the file back and "
                                "reload, or stop it.");
}

static void swap(struct change *c)
{
        struct unit_conf **template =
                c->template || c->is_template_gone ? c->unit->ops->template_conf(c->unit) : NULL;

        // It may have been dropped meanwhile.
        if (template && *template) {
                unit_conf_unref(*template);
                *template = TAKE(c->template);
        }
        if (c->conf) {
                report_closed(c->unit, c->conf);
                unit_replace_conf(c->unit, TAKE(c->conf));
        }
}

// Names and edges depend on the confs alone and are rebuilt from scratch. If memory runs out, the
// next load makes the missing ones.
static int rebuild(struct manager *m)
{
        int r = 0;

        m->n_unbuilt = 0;
        for (struct unit *u = registry_next_unit(m, NULL); u; u = registry_next_unit(m, u)) {
                registry_drop_aliases(u);
                dependency_clear(u);
        }
        for (struct unit *u = registry_next_unit(m, NULL); u; u = registry_next_unit(m, u)) {
                STRV_FOREACH (name, u->conf->names)
                        if (r == 0 && !registry_find_unit(m, *name))
                                r = registry_add_name(u, *name);
                if (r == 0)
                        r = registry_queue_build(u);
        }
        if (r < 0)
                return r;
        m->is_building = true;
        r = registry_build(m);
        m->is_building = false;
        return r;
}

static void notify_observers(struct manager *m, bool is_active)
{
        for (struct core_observer *o = m->observers; o; o = o->next)
                if (o->on_reloading)
                        o->on_reloading(o, is_active);
}

static void apply(struct manager *m, struct changes *changes)
{
        int r = 0;

        for (size_t i = 0; i < changes->n; i++)
                swap(&changes->items[i]);
        if (changes->n > 0)
                r = rebuild(m);
        if (r < 0)
                log_write(LOG_ERR, "Not all dependencies could be made: %s", strerror(-r));
        for (struct unit *u = registry_next_unit(m, NULL); u; u = registry_next_unit(m, u)) {
                if (u->reload == m->n_reloads && !u->kept)
                        u->conf_rt = changes->begin_rt;
                if (u->ops->reloaded)
                        u->ops->reloaded(u);
        }
}

// ---- what is new

// The new units found since the last reload, and those that this one finds.
static void report_new(struct manager *m, struct conf_loader *fresh)
{
        char text[UNIT_NAME_MAX + 64];

        if (index_note_new(m, fresh) < 0)
                log_write(LOG_DEBUG, "New files are not named: no memory.");
        strv_sort_unique(m->new_names);
        STRV_FOREACH (name, m->new_names) {
                const struct unit *u = registry_find_unit(m, *name);

                if (!conf_loader_has_file(fresh, *name) ||
                    (u && !active_state_is_inactive_or_failed(unit_active_state(u))))
                        continue;
                snprintf(text, sizeof(text), "is new: usherctl start %s", *name);
                report_unit(m, *name, LOG_NOTICE, text);
        }
        strv_free(TAKE(m->new_names));
}

static int reload(struct manager *m)
{
        CLEANUP(conf_loader) struct conf_loader *loader = NULL;
        CLEANUP(cfgfile) struct cfgfile *cfgfile = NULL;
        struct changes changes = {.begin_rt = clock_now_realtime(), .turn = clock_now()};
        int r = 0;

        struct diag diag = report_sink(m);

        if (m->options.load_config)
                r = m->options.load_config(m->options.load_config_data, &diag, &cfgfile);
        m->report.is_worse = r < 0;
        if (r == 0)
                r = index_new(m, cfgfile, &diag, &loader);
        if (r == 0)
                r = read_all(m, loader, &changes);
        if (r == 0) {
                struct conf_loader *old_loader = m->loader;
                struct cfgfile *old_cfgfile = m->options.cfgfile;

                report_new(m, loader);
                m->loader = loader;
                m->options.cfgfile = cfgfile;
                log_ring_set_limit(m->log_ring, m->settings->log_buffer_size);
                if (manager_set_environment(m) < 0)
                        log_write(LOG_ERR, "The environment of services stays as it is: no memory");
                apply(m, &changes);
                // freed by the clean-up
                loader = old_loader;
                cfgfile = old_cfgfile;
        }
        changes_done(&changes);
        return r;
}

int manager_reload(struct manager *m)
{
        notify_observers(m, true);
        m->is_reloading = true;
        m->n_reloads++;
        diag_memory_forget(m->complaints);
        strv_free(m->report.lines);
        m->report = (struct reload_report){0};
        int r = reload(m);

        m->is_reloading = false;
        // Checks that were deferred during the reload.
        for (struct unit *u = registry_next_unit(m, NULL); u; u = registry_next_unit(m, u))
                collect_unit_later(u);
        notify_observers(m, false);
        trim_later(&m->trim);
        return r;
}
