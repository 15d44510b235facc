#include "core/unit/manager.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mounts.h"
#include "base/str.h"
#include "base/strv.h"
#include "conf/cfgfile.h"
#include "core/loop/diag_log.h"
#include "core/loop/log_ring.h"
#include "core/loop/reap.h"
#include "core/start/errand.h"
#include "core/start/orphans.h"
#include "core/start/removal.h"
#include "core/unit/dependency.h"
#include "core/unit/index.h"
#include "core/unit/job.h"
#include "core/unit/registry.h"
#include "core/unit/target.h"

#include <sys/random.h>
#include <sys/stat.h>

static int copy_options(struct manager *m, const struct manager_options *from)
{
        struct manager_options *to = &m->options;

        *to = *from;
        to->unit_path = to->environment = NULL;
        to->runtime_dir = to->spawn_method = NULL;
        to->listen_fds = NULL;
        to->n_listen_fds = 0;
        to->cfgfile = NULL;
        int r = strv_copy(from->unit_path, &to->unit_path);

        if (r == 0)
                r = strv_copy(from->environment, &to->environment);
        if (r == 0)
                r = str_set((char **)&to->runtime_dir, from->runtime_dir);
        if (r == 0)
                r = str_set((char **)&to->spawn_method, from->spawn_method);
        if (r == 0 && from->n_listen_fds > 0) {
                m->adoptable = calloc(from->n_listen_fds, sizeof(int));
                if (!m->adoptable)
                        return -ENOMEM;
                memcpy(m->adoptable, from->listen_fds, from->n_listen_fds * sizeof(int));
                m->n_adoptable = from->n_listen_fds;
        }
        return r;
}

static int init(struct manager *m, const struct manager_options *options)
{
        struct diag diag = diag_log();
        int r = copy_options(m, options);

        if (r == 0)
                r = log_ring_new(m->settings->log_buffer_size, &m->log_ring);
        if (r == 0)
                r = diag_memory_new(&m->complaints);
        if (r == 0)
                r = environment_new(&m->environment);
        if (r == 0)
                r = manager_set_environment(m);
        if (r == 0)
                r = events_new(&m->events);
        m->trim.events = m->events;
        if (r == 0)
                r = job_queue_new(m, &m->jobs);
        if (r == 0)
                r = reaper_new(m->events, &m->reaper);
        if (r == 0)
                r = orphans_new(m->events, m->reaper, &m->orphans);
        if (r == 0)
                r = errands_new(m->events, m->reaper, m->settings, &m->errands);
        if (r == 0)
                r = removals_new(m->errands, &m->removals);
        if (r == 0)
                r = index_new(m, options->cfgfile, &diag, &m->loader);
        return r;
}

int manager_new(const struct manager_options *options, struct manager **ret)
{
        CLEANUP(manager) struct manager *m = calloc(1, sizeof(*m));

        if (!m)
                return -ENOMEM;
        m->settings = options->settings;
        m->uid = geteuid();
        m->default_umask = umask(0);
        umask(m->default_umask);
        m->startup = clock_now();
        m->startup_rt = clock_now_realtime();
        list_init(&m->collectable);
        list_init(&m->auto_held);
        for (int i = 0; i < _UNIT_TYPE_MAX; i++) {
                list_init(&m->by_type[i]);
                m->types[i] = &placeholder_ops;
        }
        m->types[UNIT_TARGET] = &target_ops;
        m->units = map_new();
        if (!m->units)
                return -ENOMEM;
        int r = init(m, options);

        if (r < 0)
                return r;
        m->options.cfgfile = options->cfgfile;
        *ret = TAKE(m);
        return 0;
}

static void free_type(struct manager *m, enum unit_type type)
{
        LIST_FOREACH (&m->by_type[type], node)
                registry_remove_unit(CONTAINER_OF(node, struct unit, type_node));
}

static void free_units(struct manager *m)
{
        m->is_stopping = true;
        for (struct unit *u = registry_next_unit(m, NULL); u; u = registry_next_unit(m, u))
                dependency_clear(u);
        // A socket refers to the services of its connections, and releases them.
        free_type(m, UNIT_SOCKET);
        for (int i = 0; i < _UNIT_TYPE_MAX; i++)
                free_type(m, (enum unit_type)i);
}

void manager_free(struct manager *m)
{
        if (!m)
                return;
        job_queue_free(m->jobs);
        m->jobs = NULL;
        if (m->units)
                free_units(m);
        free(m->unbuilt);
        removals_free(m->removals);
        if (m->ops)
                m->ops->close(m);
        if (m->events) {
                timer_stop(m->events, &m->auto_timer);
                timer_stop(m->events, &m->stop_timer);
        }
        trim_done(&m->trim);
        errands_free(m->errands);
        orphans_free(m->orphans);
        reaper_free(m->reaper);
        environment_free(m->environment);
        log_ring_free(m->log_ring);
        diag_memory_free(m->complaints);
        conf_loader_free(m->loader);
        cfgfile_free(m->options.cfgfile);
        events_free(m->events);
        mounts_done();
        map_free(m->units);
        map_free(m->folders);
        for (size_t i = 0; i < m->n_adoptable; i++)
                fd_close(m->adoptable[i]);
        free(m->adoptable);
        strv_free(m->report.lines);
        strv_free(m->new_names);
        strv_free(m->options.unit_path);
        strv_free(m->options.environment);
        free((char *)m->options.runtime_dir);
        free((char *)m->options.spawn_method);
        free(m);
}

// ---- the environment

// A container's environment is meant for the programs that run in it.
static bool passes_environment(const struct manager *m)
{
        bool is_container =
                m->options.is_pid1 && manager_differs(m, DIFFERENCE_ENVIRONMENT_IN_CONTAINER);
        int wanted = m->settings->pass_environment;

        return m->options.is_user || (wanted >= 0 ? wanted > 0 : is_container);
}

int manager_set_environment(struct manager *m)
{
        const struct environment_source source = {
                .own = m->options.environment,
                .manager = m->settings->manager_environment,
                .defaults = m->settings->default_environment,
                .passes_all = passes_environment(m),
        };

        return environment_lay_out(m->environment, &source);
}

// ---- ids

int manager_random_id(struct manager *m, sd_id128_t *ret)
{
        if (m->n_random_ids == 0) {
                if (getrandom(m->random_ids, sizeof(m->random_ids), 0) !=
                    (ssize_t)sizeof(m->random_ids))
                        return -errno;
                m->n_random_ids = MANAGER_RANDOM_IDS;
        }
        *ret = m->random_ids[--m->n_random_ids];
        // RFC 4122: the bits of version 4 and its variant.
        ret->bytes[6] = (ret->bytes[6] & 0x0f) | 0x40;
        ret->bytes[8] = (ret->bytes[8] & 0x3f) | 0x80;
        return 0;
}

// ---- observers

void manager_add_observer(struct manager *m, struct core_observer *o)
{
        o->next = m->observers;
        m->observers = o;
}

void manager_remove_observer(struct manager *m, struct core_observer *o)
{
        for (struct core_observer **p = &m->observers; *p; p = &(*p)->next)
                if (*p == o) {
                        *p = o->next;
                        return;
                }
}
