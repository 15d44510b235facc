#include "conf/directive.h"

#include "base/buf.h"
#include "base/str.h"
#include "conf/group.h"
#include "conf/kind_impl.h"
#include "conf/unit_conf.h"

// for the socket options in rows
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76
#endif
#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83
#endif
#ifndef SCTP_NODELAY
#define SCTP_NODELAY 3
#endif

// The section token of a row: its group and the struct that its field is in.
#define GROUP_OF_Unit GROUP_UNIT
#define GROUP_OF_Install GROUP_INSTALL
#define GROUP_OF_Socket GROUP_SOCKET
#define GROUP_OF_Service GROUP_SERVICE
#define GROUP_OF_Exec GROUP_EXEC
#define GROUP_OF_Kill GROUP_KILL
#define GROUP_OF_Cgroup GROUP_CGROUP
#define STRUCT_OF_Unit struct unit_group
#define STRUCT_OF_Install struct install_group
#define STRUCT_OF_Socket struct socket_group
#define STRUCT_OF_Service struct service_group
#define STRUCT_OF_Exec struct exec_group
#define STRUCT_OF_Kill struct kill_group
#define STRUCT_OF_Cgroup struct cgroup_group

// Each form fills in its fixed columns; the named ones follow.
#define DIRECTIVE(section_, name_, field_, sort_, ...)     \
        {.name = #name_,                                   \
         .group = GROUP_OF_##section_,                     \
         .how = DIRECTIVE_ACTED,                           \
         .kind = &kind_##sort_,                            \
         .offset = offsetof(STRUCT_OF_##section_, field_), \
         __VA_ARGS__},
#define MORE(section_, name_, field_, sort_, ...)          \
        {.name = #name_,                                   \
         .group = GROUP_OF_##section_,                     \
         .how = DIRECTIVE_ACTED,                           \
         .kind = &kind_##sort_,                            \
         .offset = offsetof(STRUCT_OF_##section_, field_), \
         .is_more = true,                                  \
         __VA_ARGS__},
#define UNACTED(section_, name_, how_, ...) \
        {.name = #name_, .group = GROUP_OF_##section_, .how = DIRECTIVE_##how_, __VA_ARGS__},

static const struct directive unit_rows[] = {
#include "conf/directives/unit.def"
};
static const struct directive install_rows[] = {
#include "conf/directives/install.def"
};
static const struct directive socket_rows[] = {
#include "conf/directives/socket.def"
};
static const struct directive service_rows[] = {
#include "conf/directives/service.def"
};
static const struct directive exec_rows[] = {
#include "conf/directives/exec.def"
};
static const struct directive kill_rows[] = {
#include "conf/directives/kill.def"
};
static const struct directive cgroup_rows[] = {
#include "conf/directives/cgroup.def"
};

_Static_assert(sizeof(struct unit_group) <= UINT16_MAX && sizeof(struct exec_group) <= UINT16_MAX &&
                       sizeof(struct socket_group) <= UINT16_MAX &&
                       sizeof(struct service_group) <= UINT16_MAX,
               "directive.offset");

#define ROWS_MAX 256 // of a group: their numbers are bytes

static const struct {
        const struct directive *rows;
        size_t n, size;
} groups[_GROUP_MAX] = {
        [GROUP_UNIT] = {unit_rows, ARRAY_SIZE(unit_rows), sizeof(struct unit_group)},
        [GROUP_INSTALL] = {install_rows, ARRAY_SIZE(install_rows), sizeof(struct install_group)},
        [GROUP_SOCKET] = {socket_rows, ARRAY_SIZE(socket_rows), sizeof(struct socket_group)},
        [GROUP_SERVICE] = {service_rows, ARRAY_SIZE(service_rows), sizeof(struct service_group)},
        [GROUP_EXEC] = {exec_rows, ARRAY_SIZE(exec_rows), sizeof(struct exec_group)},
        [GROUP_KILL] = {kill_rows, ARRAY_SIZE(kill_rows), sizeof(struct kill_group)},
        [GROUP_CGROUP] = {cgroup_rows, ARRAY_SIZE(cgroup_rows), sizeof(struct cgroup_group)},
};

_Static_assert(ARRAY_SIZE(unit_rows) <= ROWS_MAX && ARRAY_SIZE(exec_rows) <= ROWS_MAX &&
                       ARRAY_SIZE(socket_rows) <= ROWS_MAX && ARRAY_SIZE(service_rows) <= ROWS_MAX,
               "ROWS_MAX");

const struct directive *directive_table(enum conf_group group, size_t *ret_n)
{
        *ret_n = groups[group].n;
        return groups[group].rows;
}

const struct directive *const *directive_sockopt_rows(size_t *ret_n)
{
        static const struct directive *rows[ARRAY_SIZE(socket_rows)];
        static size_t n;

        if (n == 0)
                for (size_t i = 0; i < ARRAY_SIZE(socket_rows); i++)
                        if (socket_rows[i].sockopt[0].option != 0)
                                rows[n++] = &socket_rows[i];
        *ret_n = n;
        return rows;
}

size_t conf_group_size(enum conf_group group)
{
        return groups[group].size;
}

// ---- look-up

// The numbers of a group's rows in the order of their names: sorted once. As pointers they would
// take three pages more.
static const uint8_t *sorted(enum conf_group group)
{
        static uint8_t index[_GROUP_MAX][ROWS_MAX];
        static bool is_sorted[_GROUP_MAX];
        const struct directive *rows = groups[group].rows;
        uint8_t *order = index[group];

        if (is_sorted[group])
                return order;
        for (size_t i = 0; i < groups[group].n; i++) {
                size_t k = i;

                for (; k > 0 && strcmp(rows[order[k - 1]].name, rows[i].name) > 0; k--)
                        order[k] = order[k - 1];
                order[k] = (uint8_t)i;
        }
        is_sorted[group] = true;
        return order;
}

static const struct directive *find_in(enum conf_group group, const char *name)
{
        const struct directive *rows = groups[group].rows;
        const uint8_t *order = sorted(group);
        size_t low = 0, high = groups[group].n;

        while (low < high) {
                size_t middle = (low + high) / 2;
                const struct directive *d = &rows[order[middle]];
                int r = strcmp(name, d->name);

                if (r == 0)
                        return d;
                if (r < 0)
                        high = middle;
                else
                        low = middle + 1;
        }
        return NULL;
}

// Groups whose rows are valid in the section of one unit type only.
static const enum conf_group socket_groups[] = {GROUP_SOCKET, GROUP_EXEC, GROUP_KILL, GROUP_CGROUP};
static const enum conf_group service_groups[] = {GROUP_SERVICE, GROUP_EXEC, GROUP_KILL,
                                                 GROUP_CGROUP};
static const enum conf_group unit_groups[] = {GROUP_UNIT};
static const enum conf_group install_groups[] = {GROUP_INSTALL};

static const enum conf_group *section_groups(enum unit_type type, const char *section, size_t *n)
{
        *n = 1;
        if (streq(section, "Unit"))
                return unit_groups;
        if (streq(section, "Install"))
                return install_groups;
        *n = ARRAY_SIZE(socket_groups);
        if (type == UNIT_SOCKET && streq(section, "Socket"))
                return socket_groups;
        if (type == UNIT_SERVICE && streq(section, "Service"))
                return service_groups;
        *n = 0;
        return NULL;
}

bool directive_has_section(enum unit_type type, const char *section)
{
        size_t n;

        return strncmp(section, "X-", 2) == 0 || section_groups(type, section, &n) ||
               (type == UNIT_TARGET && streq(section, "Target"));
}

const struct directive *directive_find(enum unit_type type, const char *section, const char *name)
{
        size_t n;
        const enum conf_group *g = section_groups(type, section, &n);

        for (size_t i = 0; i < n; i++) {
                const struct directive *d = find_in(g[i], name);

                if (d)
                        return d;
        }
        if (g != service_groups)
                return NULL;
        const struct directive *d = find_in(GROUP_UNIT, name);

        return d && (d->flags & DIRECTIVE_IN_SERVICE) ? d : NULL;
}

const char *directive_nearest(enum unit_type type, const char *section, const char *name)
{
        const char *names[4 * ROWS_MAX];
        size_t n_groups, n = 0;
        const enum conf_group *g = section_groups(type, section, &n_groups);

        for (size_t i = 0; i < n_groups; i++)
                for (size_t k = 0; k < groups[g[i]].n; k++)
                        names[n++] = groups[g[i]].rows[k].name;
        return str_nearest(name, names, n);
}

#define HINTS_MAX 10 // names in one hint
#define HINT_LEAST 4 // characters that a common beginning must have

void directive_hint(enum unit_type type, const char *section, const char *name, struct buf *b)
{
        size_t n_groups, n = 0, length = strlen(name);
        const enum conf_group *g = section_groups(type, section, &n_groups);
        CLEANUP(buf) struct buf names = BUF_NULL;

        for (size_t i = 0; length >= HINT_LEAST && i < n_groups; i++)
                for (size_t k = 0; k < groups[g[i]].n && n < HINTS_MAX; k++) {
                        const char *known = groups[g[i]].rows[k].name;

                        if (strncmp(known, name, length) == 0)
                                buf_printf(&names, "%s'%s'", n++ > 0 ? ", " : "", known);
                }
        const char *nearest = n > 1 ? NULL : directive_nearest(type, section, name);

        if (n > 1)
                buf_printf(b, " Is one of %s meant?", buf_text(&names));
        else if (nearest)
                buf_printf(b, " Is '%s' meant?", nearest);
}

const struct directive *directive_next(enum unit_type type, size_t *position)
{
        size_t left = *position;

        for (int g = 0; g < _GROUP_MAX; g++) {
                bool is_valid = g == GROUP_UNIT || g == GROUP_INSTALL ||
                                (type == UNIT_SOCKET && g != GROUP_SERVICE) ||
                                (type == UNIT_SERVICE && g != GROUP_SOCKET);

                if (!is_valid)
                        continue;
                if (left < groups[g].n) {
                        (*position)++;
                        return &groups[g].rows[left];
                }
                left -= groups[g].n;
        }
        return NULL;
}

bool directive_lowers_security(const struct directive *d)
{
        if (d->how == DIRECTIVE_ACTED && !(d->flags & DIRECTIVE_INERT))
                return false;
        return d->flags & DIRECTIVE_SECURITY || d->how == DIRECTIVE_REFUSE ||
               d->how == DIRECTIVE_EXPOSES || d->how == DIRECTIVE_EXPOSES_SOCKET;
}

const void *directive_value(const struct directive *d, const struct unit_conf *conf)
{
        const void *const data[_GROUP_MAX] = {
                [GROUP_UNIT] = conf->unit,     [GROUP_INSTALL] = conf->install,
                [GROUP_SOCKET] = conf->socket, [GROUP_SERVICE] = conf->service,
                [GROUP_EXEC] = conf->exec,     [GROUP_KILL] = conf->kill,
                [GROUP_CGROUP] = conf->cgroup,
        };

        if (!data[d->group] || d->how != DIRECTIVE_ACTED)
                return NULL;
        return (const char *)data[d->group] + d->offset;
}

const struct command_list *directive_next_commands(const struct unit_conf *conf, size_t *position,
                                                   const char **ret_name)
{
        const struct directive *d;

        while ((d = directive_next(conf->type, position))) {
                if (d->kind != &kind_commands)
                        continue;
                if (ret_name)
                        *ret_name = d->name;
                return directive_value(d, conf);
        }
        return NULL;
}

const struct command_list *directive_commands(const struct unit_conf *conf, const char *name)
{
        const char *section = conf->type == UNIT_SOCKET ? "Socket" : "Service";
        const struct directive *d = directive_find(conf->type, section, name);

        return d && d->kind == &kind_commands ? directive_value(d, conf) : NULL;
}
