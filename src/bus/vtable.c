// The tables that sd-bus wants, made once: the static rows of each interface, followed by a
// property for every directive that usher acts on. 700 rows are 63 KiB, so they are made only when
// the first client connects.
#include "base/str.h"
#include "base/strv.h"
#include "bus/bus_priv.h"
#include "conf/directive.h"
#include "conf/unit_name.h"
#include "core/unit/registry.h"

struct interface {
        const char *name;
        enum unit_type type; // _UNIT_TYPE_INVALID: all
        const sd_bus_vtable *fixed;
        enum conf_group groups[4];
        int n_groups;
};

static const struct interface interfaces[] = {
        {BUS_UNIT, _UNIT_TYPE_INVALID, bus_unit_vtable, {GROUP_UNIT}, 1},
        {"org.freedesktop.systemd1.Service",
         UNIT_SERVICE,
         bus_service_vtable,
         {GROUP_SERVICE, GROUP_EXEC, GROUP_KILL, GROUP_CGROUP},
         4},
        {"org.freedesktop.systemd1.Socket",
         UNIT_SOCKET,
         bus_socket_vtable,
         {GROUP_SOCKET, GROUP_EXEC, GROUP_KILL, GROUP_CGROUP},
         4},
        {"org.freedesktop.systemd1.Target", UNIT_TARGET, bus_target_vtable, {0}, 0},
};

// A generated row.
struct property {
        char *name;
        const struct directive *directive;
        bool is_soft; // the soft limit of a resource limit
};

struct bus_vtables {
        sd_bus_vtable *tables[ARRAY_SIZE(interfaces)];
        struct property *properties[ARRAY_SIZE(interfaces)]; // by name
        size_t n_properties[ARRAY_SIZE(interfaces)];
};

static bool is_in_fixed(const sd_bus_vtable *fixed, const char *name)
{
        for (size_t i = 0; fixed[i].type != _SD_BUS_VTABLE_END; i++)
                if (fixed[i].type == _SD_BUS_VTABLE_PROPERTY &&
                    streq(fixed[i].x.property.member, name))
                        return true;
        return false;
}

static size_t count_fixed(const sd_bus_vtable *fixed)
{
        size_t n = 0;

        while (fixed[n].type != _SD_BUS_VTABLE_END)
                n++;
        return n;
}

static int on_get(sd_bus *bus, const char *path, const char *interface, const char *property,
                  sd_bus_message *reply, void *object, sd_bus_error *error);

// Takes ownership of name; NULL: no memory.
static int add_property(struct bus_vtables *v, size_t interface, char *name,
                        const struct directive *d, bool is_soft)
{
        if (!name)
                return -ENOMEM;
        v->properties[interface][v->n_properties[interface]++] =
                (struct property){.name = name, .directive = d, .is_soft = is_soft};
        return 0;
}

static int add_directive(struct bus_vtables *v, size_t interface, const struct directive *d)
{
        CLEANUP(free) char *name = NULL;

        if (!bus_directive_signature(d))
                return 0;
        int r = bus_directive_property(d, &name);

        if (r < 0)
                return r;
        if (is_in_fixed(interfaces[interface].fixed, name))
                return 0;
        // A resource limit is two properties: hard, and soft with a suffix.
        if (bus_directive_is_limit(d))
                r = add_property(v, interface, str_printf("%sSoft", name), d, true);
        return r < 0 ? r : add_property(v, interface, TAKE(name), d, false);
}

static int compare_properties(const void *a, const void *b)
{
        return strcmp(((const struct property *)a)->name, ((const struct property *)b)->name);
}

static int collect_properties(struct bus_vtables *v, size_t interface)
{
        const struct interface *in = &interfaces[interface];
        size_t n_rows = 0, rows;

        for (int g = 0; g < in->n_groups; g++) {
                directive_table(in->groups[g], &rows);
                n_rows += rows;
        }
        v->properties[interface] = calloc(2 * n_rows + 1, sizeof(struct property));
        if (!v->properties[interface])
                return -ENOMEM;
        for (int g = 0; g < in->n_groups; g++) {
                const struct directive *d = directive_table(in->groups[g], &rows);

                for (size_t k = 0; k < rows; k++) {
                        int r = add_directive(v, interface, &d[k]);

                        if (r < 0)
                                return r;
                }
        }
        qsort(v->properties[interface], v->n_properties[interface], sizeof(struct property),
              compare_properties);
        return 0;
}

static int make_table(struct bus_vtables *v, size_t interface)
{
        const struct interface *in = &interfaces[interface];
        size_t n = count_fixed(in->fixed);
        int r = collect_properties(v, interface);

        if (r < 0)
                return r;
        sd_bus_vtable *table = calloc(n + v->n_properties[interface] + 1, sizeof(*table));

        if (!table)
                return -ENOMEM;
        v->tables[interface] = table;
        memcpy(table, in->fixed, n * sizeof(*table));
        for (size_t i = 0; i < v->n_properties[interface]; i++) {
                const struct property *p = &v->properties[interface][i];

                table[n++] = (sd_bus_vtable)SD_BUS_PROPERTY(
                        p->name, bus_directive_signature(p->directive), on_get, 0, 0);
        }
        table[n] = (sd_bus_vtable)SD_BUS_VTABLE_END;
        return 0;
}

int bus_vtables_new(struct bus_vtables **ret)
{
        struct bus_vtables *v = calloc(1, sizeof(*v));

        if (!v)
                return -ENOMEM;
        for (size_t i = 0; i < ARRAY_SIZE(interfaces); i++) {
                int r = make_table(v, i);

                if (r < 0) {
                        bus_vtables_free(v);
                        return r;
                }
        }
        *ret = v;
        return 0;
}

void bus_vtables_free(struct bus_vtables *v)
{
        if (!v)
                return;
        for (size_t i = 0; i < ARRAY_SIZE(interfaces); i++) {
                for (size_t k = 0; k < v->n_properties[i]; k++)
                        free(v->properties[i][k].name);
                free(v->properties[i]);
                free(v->tables[i]);
        }
        free(v);
}

static int on_get(sd_bus *bus, const char *path UNUSED, const char *interface, const char *property,
                  sd_bus_message *reply, void *object, sd_bus_error *error UNUSED)
{
        const struct bus_client *c = sd_bus_slot_get_userdata(sd_bus_get_current_slot(bus));
        const struct bus_vtables *v = c->server->vtables;
        struct property key = {.name = (char *)property};
        CLEANUP(bus_view) struct bus_view view = {0};
        int r = bus_view_get(object, &view);

        for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(interfaces); i++) {
                if (!streq(interfaces[i].name, interface))
                        continue;
                const struct property *p = bsearch(&key, v->properties[i], v->n_properties[i],
                                                   sizeof(key), compare_properties);

                if (p && (p->directive->flags & DIRECTIVE_SECRET) && !bus_client_is_trusted(c))
                        return sd_bus_message_append(reply, bus_directive_signature(p->directive),
                                                     0); // all of them are lists
                if (p)
                        return bus_append_directive(reply, p->directive, view.conf,
                                                    c->server->manager->options.is_user,
                                                    p->is_soft);
        }
        return r < 0 ? r : -ENOENT;
}

// ---- finding objects

static int find_unit(sd_bus *bus UNUSED, const char *path, const char *interface, void *userdata,
                     void **ret, sd_bus_error *error)
{
        struct bus_client *c = userdata;
        CLEANUP(free) char *name = NULL;
        CLEANUP(bus_view) struct bus_view v = {0};
        void *object = NULL;
        int r = bus_path_unit(path, &name);

        if (r <= 0)
                return r;
        r = bus_find_object(c, name, true, &object, error);
        if (r < 0 || (r = bus_view_get(object, &v)) < 0)
                return r;
        // A unit that does not exist has no properties of its type.
        if (bus_view_is_absent(&v) && streq(interface, BUS_UNIT)) {
                *ret = object;
                return 1;
        }
        if (bus_view_is_absent(&v))
                return 0;
        for (size_t i = 0; i < ARRAY_SIZE(interfaces); i++)
                if (streq(interfaces[i].name, interface) && (int)interfaces[i].type >= 0 &&
                    interfaces[i].type != unit_name_type(v.id))
                        return 0;
        *ret = object;
        return 1;
}

static int find_job(sd_bus *bus UNUSED, const char *path, const char *interface UNUSED,
                    void *userdata, void **ret, sd_bus_error *error UNUSED)
{
        struct bus_client *c = userdata;
        uint32_t id;
        void *object = bus_path_job(path, &id) ? bus_find_job(c->server, id) : NULL;

        if (!object)
                return 0;
        *ret = object;
        return 1;
}

static int enumerate_units(sd_bus *bus UNUSED, const char *prefix UNUSED, void *userdata,
                           char ***ret, sd_bus_error *error UNUSED)
{
        struct manager *m = ((struct bus_client *)userdata)->server->manager;
        CLEANUP(strv) char **paths = calloc(map_size(m->units) + 1, sizeof(char *));
        size_t n = 0;

        if (!paths)
                return -ENOMEM;
        for (struct unit *u = registry_next_unit(m, NULL); u; u = registry_next_unit(m, u))
                if (!(paths[n++] = bus_unit_path(u->id)))
                        return -ENOMEM;
        *ret = TAKE(paths);
        return 0;
}

static int enumerate_jobs(sd_bus *bus UNUSED, const char *prefix UNUSED, void *userdata,
                          char ***ret, sd_bus_error *error UNUSED)
{
        struct manager *m = ((struct bus_client *)userdata)->server->manager;
        CLEANUP(strv) char **paths = calloc(job_count(m) + 1, sizeof(char *));
        size_t n = 0;

        if (!paths)
                return -ENOMEM;
        for (struct job *j = job_next(m, NULL); j; j = job_next(m, j))
                if (!(paths[n++] = bus_job_path(j->id)))
                        return -ENOMEM;
        *ret = TAKE(paths);
        return 0;
}

int bus_vtables_add(struct bus_vtables *v, struct bus_client *c)
{
        static const sd_bus_vtable *const manager[] = {
                bus_manager_vtable,       bus_manager_files_vtable, bus_manager_jobs_vtable,
                bus_manager_log_vtable,   bus_manager_units_vtable, bus_manager_environment_vtable,
                bus_manager_clean_vtable,
        };
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(manager); i++)
                r = sd_bus_add_object_vtable(c->bus, NULL, BUS_ROOT, BUS_MANAGER, manager[i], c);
        if (r >= 0)
                r = sd_bus_add_object_vtable(c->bus, NULL, "/org/freedesktop/LogControl1",
                                             "org.freedesktop.LogControl1", bus_log_control_vtable,
                                             c);
        if (r >= 0)
                r = sd_bus_add_object_vtable(c->bus, NULL, BUS_ROOT, "org.usher.Log",
                                             bus_log_vtable, c);
        if (r >= 0)
                r = sd_bus_add_object_vtable(c->bus, NULL, BUS_ROOT, "org.usher.Connections",
                                             bus_connections_vtable, c);
        if (r >= 0)
                r = sd_bus_add_object_vtable(c->bus, NULL, BUS_ROOT, "org.usher.Reload",
                                             bus_reload_vtable, c);
        if (r >= 0)
                r = sd_bus_add_fallback_vtable(c->bus, NULL, BUS_ROOT "/job", BUS_JOB,
                                               bus_job_vtable, find_job, c);
        if (r >= 0)
                r = sd_bus_add_node_enumerator(c->bus, NULL, BUS_ROOT "/job", enumerate_jobs, c);
        for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(interfaces); i++)
                r = sd_bus_add_fallback_vtable(c->bus, NULL, BUS_ROOT "/unit", interfaces[i].name,
                                               v->tables[i], find_unit, c);
        if (r >= 0)
                r = sd_bus_add_node_enumerator(c->bus, NULL, BUS_ROOT "/unit", enumerate_units, c);
        return r;
}
