// The rules of lint that look beyond one line: requirements, users, addresses, output.
#include "base/fd.h"
#include "base/str.h"
#include "base/strv.h"
#include "conf/address.h"
#include "conf/lint_priv.h"
#include "conf/specifier.h"

#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>

static void say(struct lint *l, enum diag_class class, const struct unit_conf *conf,
                const char *fmt, ...) PRINTF(4, 5);

static void say(struct lint *l, enum diag_class class, const struct unit_conf *conf,
                const char *fmt, ...)
{
        CLEANUP(free) char *text = NULL;
        va_list ap;

        va_start(ap, fmt);
        if (vasprintf(&text, fmt, ap) < 0)
                text = NULL;
        va_end(ap);
        diag_report(l->options.diag, class, conf->id, conf->fragment_path, 0, "%s",
                    text ? text : fmt);
}

// ---- requirements

static const char *why_unusable(const struct unit_conf *conf)
{
        static const char *const reasons[_LOAD_STATE_MAX] = {
                [LOAD_NOT_FOUND] = "there is no such unit",
                [LOAD_MASKED] = "that unit is masked",
                [LOAD_BAD_SETTING] = "that unit cannot be used",
                [LOAD_ERROR] = "that unit cannot be read",
        };

        return reasons[conf->load_state];
}

int lint_check_requirements(struct lint *l, const struct unit_conf *conf)
{
        const struct {
                const char *directive;
                char *const *names;
        } lists[] = {
                {"Requires", conf->unit->requires},
                {"Requisite", conf->unit->requisite},
                {"BindsTo", conf->unit->binds_to},
        };

        for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
                STRV_FOREACH (name, lists[i].names) {
                        CLEANUP(unit_conf) struct unit_conf *other = NULL;
                        int r = lint_load_named(l, *name, &other);

                        if (r < 0)
                                return r;
                        if (other && why_unusable(other))
                                say(l, DIAG_ERROR, conf, "%s=%s: %s, so a start is refused",
                                    lists[i].directive, *name, why_unusable(other));
                        if (strv_contains(conf->unit->conflicts, *name))
                                say(l, DIAG_ERROR, conf,
                                    "%s=%s contradicts Conflicts=%s, so a start is refused",
                                    lists[i].directive, *name, *name);
                }
        return 0;
}

// ---- users

static void check_user(struct lint *l, const struct unit_conf *conf, const char *directive,
                       const char *name, bool is_group)
{
        if (!name || specifier_has_marks(name) || strspn(name, "0123456789") == strlen(name) ||
            (is_group ? (void *)getgrnam(name) : (void *)getpwnam(name)))
                return;
        say(l, DIAG_WARNING, conf, "%s=%s: this machine has no such %s, so a start would fail",
            directive, name, is_group ? "group" : "user");
}

void lint_check_users(struct lint *l, const struct unit_conf *conf)
{
        if (conf->socket) {
                check_user(l, conf, "SocketUser", conf->socket->socket_user, false);
                check_user(l, conf, "SocketGroup", conf->socket->socket_group, true);
        }
        if (!conf->exec)
                return;
        check_user(l, conf, "User", conf->exec->user, false);
        check_user(l, conf, "Group", conf->exec->group, true);
        STRV_FOREACH (name, conf->exec->supplementary_groups)
                check_user(l, conf, "SupplementaryGroups", *name, true);
}

// ---- environment files

static bool runs_as_root(const struct exec_group *exec)
{
        return !exec->user || streq(exec->user, "root") || streq(exec->user, "0");
}

void lint_check_environment_files(struct lint *l, const struct unit_conf *conf)
{
        const struct exec_group *exec = conf->exec;

        if (!exec || l->options.trust == TRUST_ALL || !runs_as_root(exec))
                return;
        for (size_t i = 0; i < exec->environment_file.n; i++) {
                const char *path = exec->environment_file.items[i].path;
                struct fail why = {0};

                if (specifier_has_marks(path) || strpbrk(path, "*?[{"))
                        continue;
                CLEANUP(fd)
                int fd = trust_open(path, O_RDONLY | O_NOCTTY | O_NONBLOCK, TRUST_ROOT, FS_NOBODY,
                                    NULL, &why);

                if (fd < 0 && why.error)
                        say(l, DIAG_WARNING, conf,
                            "EnvironmentFile=%s: %s, and could make root run any program by "
                            "LD_PRELOAD and the like",
                            path, why.detail);
        }
}

// ---- addresses

struct seen_port {
        struct port port;
        char *unit;
        bool is_shared; // ReusePort=yes
        bool is_v6_only;
};

void lint_ports_done(struct lint *l)
{
        for (size_t i = 0; i < l->n_ports; i++) {
                port_done(&l->ports[i].port);
                free(l->ports[i].unit);
        }
        free(l->ports);
        l->ports = NULL;
        l->n_ports = 0;
}

static bool is_wildcard(const union sockaddr_any *a)
{
        return a->sa.sa_family == AF_INET
                       ? a->in.sin_addr.s_addr == htonl(INADDR_ANY)
                       : a->sa.sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&a->in6.sin6_addr);
}

// [::]:80 includes 0.0.0.0:80, unless it is only for IPv6.
static bool overlaps(const struct seen_port *v6, const struct seen_port *v4)
{
        const union sockaddr_any *a = &v6->port.address.addr, *b = &v4->port.address.addr;

        return a->sa.sa_family == AF_INET6 && b->sa.sa_family == AF_INET && !v6->is_v6_only &&
               is_wildcard(a) && is_wildcard(b) && a->in6.sin6_port == b->in.sin_port;
}

static bool collides(const struct seen_port *a, const struct seen_port *b)
{
        if (a->port.kind != PORT_SOCKET || b->port.kind != PORT_SOCKET ||
            a->port.type != b->port.type || (a->is_shared && b->is_shared))
                return false;
        return port_equal(&a->port, &b->port) || overlaps(a, b) || overlaps(b, a);
}

static void check_port(struct lint *l, const struct unit_conf *conf, const struct seen_port *new)
{
        for (size_t i = 0; i < l->n_ports; i++) {
                const struct seen_port *old = &l->ports[i];
                const char *file = old->port.file ? old->port.file : old->unit;

                if (!collides(old, new))
                        continue;
                diag_report(l->options.diag, DIAG_ERROR, conf->id,
                            new->port.file ? new->port.file : conf->fragment_path, new->port.line,
                            "%s is already listened on, by line %u of %s%s%s", new->port.text,
                            old->port.line, file, streq(old->unit, conf->id) ? "" : ", unit ",
                            streq(old->unit, conf->id) ? "" : old->unit);
                return;
        }
}

int lint_check_ports(struct lint *l, const struct unit_conf *conf)
{
        const struct socket_group *s = conf->socket;

        for (size_t i = 0; s && i < s->ports.n; i++) {
                const struct port *port = &s->ports.items[i];
                struct seen_port new = {.is_shared = s->reuse_port,
                                        .is_v6_only = s->bind_ipv6_only == BIND_IPV6_IPV6_ONLY};
                struct seen_port *more;

                if (specifier_has_marks(port->text))
                        continue;
                more = reallocarray(l->ports, l->n_ports + 1, sizeof(*more));
                if (!more)
                        return -ENOMEM;
                l->ports = more;
                new.unit = strdup(conf->id);
                if (!new.unit || port_copy(port, &new.port) < 0) {
                        free(new.unit);
                        return -ENOMEM;
                }
                check_port(l, conf, &new);
                l->ports[l->n_ports++] = new;
        }
        return 0;
}

// ---- restarts

void lint_check_restart(struct lint *l, const struct unit_conf *socket,
                        const struct unit_conf *service)
{
        if (socket->socket->accept && service->service->restart != RESTART_NO)
                say(l, DIAG_WARNING, service,
                    "Restart= has no effect on the instances of a socket with Accept=yes, which end "
                    "with their connection");
}

// ---- connections

void lint_check_connections(struct lint *l, const struct unit_conf *conf)
{
        const struct socket_group *s = conf->socket;

        if (!s || s->accept)
                return;
        if (s->x_connection_log != CONNECTION_LOG_FAILURES)
                say(l, DIAG_NOTICE, conf,
                    "X-ConnectionLog= has no effect with Accept=no: the service accepts the "
                    "connections itself");
        if (s->x_log_peer != LOG_PEER_FULL)
                say(l, DIAG_NOTICE, conf,
                    "X-LogPeer= has no effect with Accept=no: the service accepts the connections "
                    "itself");
}

// ---- output

static bool writes_to_socket(const struct exec_group *exec)
{
        enum stdio_mode out = exec->standard_output.mode;

        return out == STDIO_SOCKET || (exec->standard_input.mode == STDIO_SOCKET &&
                                       (out == STDIO_DEFAULT || out == STDIO_INHERIT));
}

void lint_check_output(struct lint *l, const struct unit_conf *socket,
                       const struct unit_conf *service)
{
        const struct service_group *s = service->service;
        const struct {
                const char *directive;
                const struct command_list *list;
        } lists[] = {
                {"ExecCondition", &s->exec_condition},
                {"ExecStartPre", &s->exec_start_pre},
                {"ExecStartPost", &s->exec_start_post},
        };

        if (!writes_to_socket(service->exec))
                return;
        for (size_t i = 0; socket->socket->accept && i < ARRAY_SIZE(lists); i++)
                if (lists[i].list->n > 0)
                        say(l, DIAG_WARNING, service,
                            "%s=: the output of this command goes to the client, since standard "
                            "output is the connection; redirect it if the command prints anything",
                            lists[i].directive);
        if (socket->socket->ports.n == 1 && socket->socket->ports.items[0].kind == PORT_FIFO)
                say(l, DIAG_WARNING, service,
                    "Standard output is the FIFO that is read: the service would read what it "
                    "writes; set StandardOutput=");
}
