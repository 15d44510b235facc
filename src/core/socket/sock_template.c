// The template of a socket's connections (Accept=yes): its conf, read when the socket starts, and
// the plan that they share.
#include "base/log.h"
#include "base/str.h"
#include "conf/load.h"
#include "core/loop/diag_log.h"
#include "core/socket/sock_priv.h"
#include "core/unit/index.h"
#include "spawn/plan.h"

int sock_template_name(const struct sock *s, char **ret)
{
        const char *id = s->unit.id;
        size_t n = strcspn(id, "@");
        char *name;

        if (id[n] == '\0')
                n = strlen(id) - strlen(".socket");
        name = str_printf("%.*s@.service", (int)n, id);
        if (!name)
                return -ENOMEM;
        *ret = name;
        return 0;
}

void sock_template_drop(struct sock *s)
{
        unit_conf_unref(TAKE(s->template_conf));
        spawn_plan_unref(TAKE(s->template_plan));
}

// level: of the complaint about one that is missing or bad.
static int load(struct sock *s, int level)
{
        struct manager *m = s->unit.manager;
        CLEANUP(free) char *name = NULL;
        struct diag diag = diag_log_once(m->complaints);
        struct unit_conf *conf = NULL;

        if (s->template_conf)
                return 0;
        int r = sock_template_name(s, &name);

        if (r < 0)
                return r;
        index_refresh(m, name);
        r = conf_load(m->loader, name, &diag, &conf);
        if (r < 0)
                return r;
        if (conf->load_state != LOAD_LOADED) {
                log_unit(s->unit.id, level, 0, "Cannot serve connections: %s: %s", name,
                         conf->load_error ? conf->load_error : load_state_name(conf->load_state));
                unit_conf_unref(conf);
                return -ENOENT;
        }
        if (!sock_may_serve(s, conf)) {
                unit_conf_unref(conf);
                return -EACCES;
        }
        s->template_conf = conf;
        sock_unawait_unit(s);
        if (conf->service->restart != RESTART_NO && manager_differs(m, DIFFERENCE_CONNECTION_COPY))
                log_unit(
                        name, LOG_NOTICE, 0,
                        "Restart= has no effect on connections: an instance ends with the one that "
                        "it serves, the next client gets another.");
        return 0;
}

int sock_template_load(struct sock *s)
{
        return load(s, LOG_ERR);
}

void sock_template_try(struct sock *s)
{
        int r = load(s, LOG_DEBUG);

        if (r == 0)
                log_unit(s->unit.id, LOG_NOTICE, 0, "Connections are served at last.");
        else if (r == -EACCES) // it is there, and is refused
                sock_unawait_unit(s);
}

// With systemd each connection is a unit, which stays loaded when it has failed (difference
// failed-instances).
bool sock_template_needs_unit(const struct sock *s)
{
        const struct unit_conf *conf = s->template_conf;
        const struct unit_group *u = conf->unit;

        return !manager_differs(s->unit.manager, DIFFERENCE_FAILED_INSTANCES) ||
               conf->needs_own_instance || u->requires || u->requisite || u->wants || u->binds_to ||
               u->part_of || u->upholds || u->conflicts || u->before || u->after || u->on_failure ||
               u->on_success || conf->linked_requires || conf->linked_wants ||
               conf->linked_upholds || u->conditions.n > 0 || u->asserts.n > 0 ||
               conf->service->sockets;
}

// The file may still appear; each connection looks for it, and so does sock_retry. A valid template
// is kept, since a later reload may break it.
bool sock_template_check(struct sock *s)
{
        CLEANUP(free) char *name = NULL;

        if (s->template_conf)
                return sock_may_serve(s, s->template_conf);
        if (sock_template_name(s, &name) < 0)
                return true;
        index_refresh(s->unit.manager, name);
        bool has_file = conf_loader_has_file(s->unit.manager->loader, name);
        int r = has_file ? sock_template_load(s) : -ENOENT;

        if (!has_file)
                log_unit(
                        s->unit.id, LOG_WARNING, 0,
                        "Its connections need %s, which is not there: they are closed until it is.",
                        name);
        if (r < 0 && r != -EACCES)
                (void)sock_await_unit(s, name); // with X-BindRetry=no only connections look for it
        return r != -EACCES;
}

void sock_template_reloaded(struct sock *s)
{
        const struct socket_group *conf = s->unit.conf->socket;

        // The plan depends on other files, too.
        spawn_plan_unref(TAKE(s->template_plan));
        if (conf && !conf->accept) {
                sock_template_drop(s);
                if (sock_state_is_up(s->state))
                        sock_unawait_unit(s);
        } else if (conf && !s->template_conf && s->state == SOCK_LISTENING) {
                (void)sock_template_check(s);
        }
}
