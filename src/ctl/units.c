// The units in memory, as ListUnitsByPatterns returns them.
#include "base/str.h"
#include "base/strv.h"
#include "conf/unit_name.h"
#include "ctl/ctl.h"

static void unit_done(struct ctl_unit *u)
{
        free(u->id);
        free(u->description);
        free(u->load);
        free(u->active);
        free(u->sub);
        free(u->path);
}

void units_free(struct ctl_unit *units, size_t n)
{
        for (size_t i = 0; units && i < n; i++)
                unit_done(&units[i]);
        free(units);
}

static bool is_refused(const struct ctl_unit *u)
{
        return streq(u->load, "bad-setting") || streq(u->load, "error");
}

static bool is_wanted(const struct ctl *c, const struct ctl_unit *u, uint32_t job,
                      enum units_shown which)
{
        const char *type = strrchr(u->id, '.');

        if (c->types && !strv_contains(c->types, type ? type + 1 : ""))
                return false;
        // A refused unit counts as failed, although it never ran.
        if (c->failed && is_refused(u))
                return true;
        if (c->states)
                return strv_contains(c->states, u->load) || strv_contains(c->states, u->active) ||
                       strv_contains(c->states, u->sub);
        return which == UNITS_ALL || (which == UNITS_AND_REFUSED && is_refused(u)) || c->all ||
               job > 0 || streq(u->active, "failed") || !streq(u->active, "inactive");
}

// Sorts by type, then by name, like systemctl.
static int compare(const void *a, const void *b)
{
        const struct ctl_unit *x = a, *y = b;
        const char *p = strrchr(x->id, '.'), *q = strrchr(y->id, '.');
        int order = strcasecmp(p ? p : "", q ? q : "");

        return order ? order : strcasecmp(x->id, y->id);
}

static int read_unit(struct ctl *c, sd_bus_message *reply, enum units_shown which,
                     struct ctl_unit *ret)
{
        const char *id, *description, *load, *active, *sub, *following, *path, *job_type, *job_path;
        struct ctl_unit u = {0};
        uint32_t job;
        int r = sd_bus_message_read(reply, "(ssssssouso)", &id, &description, &load, &active, &sub,
                                    &following, &path, &job, &job_type, &job_path);

        if (r <= 0)
                return r;
        if (str_set(&u.id, id) < 0 || str_set(&u.description, description) < 0 ||
            str_set(&u.load, load) < 0 || str_set(&u.active, active) < 0 ||
            str_set(&u.sub, sub) < 0 || str_set(&u.path, path) < 0)
                r = -ENOMEM;
        else if (is_wanted(c, &u, job, which)) {
                *ret = u;
                return 1;
        }
        struct ctl_unit *copy = malloc(sizeof(u));

        if (!copy)
                return -ENOMEM;
        *copy = u;
        units_free(copy, 1);
        ret->id = NULL;
        return r < 0 ? r : 1;
}

static int read_units(struct ctl *c, sd_bus_message *reply, enum units_shown which,
                      struct ctl_unit **ret, size_t *ret_n)
{
        struct ctl_unit *units = NULL;
        size_t n = 0;
        int r = sd_bus_message_enter_container(reply, 'a', "(ssssssouso)");

        while (r >= 0) {
                struct ctl_unit unit = {0};

                r = read_unit(c, reply, which, &unit);
                if (r <= 0)
                        break;
                if (!unit.id)
                        continue;
                struct ctl_unit *more = reallocarray(units, n + 1, sizeof(*more));

                if (!more) {
                        r = -ENOMEM;
                        break;
                }
                units = more;
                units[n++] = unit;
        }
        if (r < 0) {
                units_free(units, n);
                return r;
        }
        *ret = units;
        *ret_n = n;
        return 0;
}

int units_get(struct ctl *c, char *const *patterns, enum units_shown which, struct ctl_unit **ret,
              size_t *ret_n)
{
        sd_bus_error error = SD_BUS_ERROR_NULL;
        sd_bus_message *call = NULL, *reply = NULL;
        int r = client_connect(c);

        if (r != 0)
                return r;
        r = sd_bus_message_new_method_call(c->bus, &call, BUS_DESTINATION, BUS_ROOT, BUS_MANAGER,
                                           "ListUnitsByPatterns");
        if (r >= 0)
                r = sd_bus_message_append_strv(call, NULL);
        if (r >= 0)
                r = sd_bus_message_append_strv(call, (char **)patterns);
        if (r >= 0)
                r = sd_bus_call(c->bus, call, 0, &error, &reply);
        if (r >= 0)
                r = read_units(c, reply, which, ret, ret_n);
        sd_bus_message_unref(call);
        sd_bus_message_unref(reply);
        if (r < 0)
                r = client_complain(&error, r, "Failed to list units");
        else if (*ret_n > 1)
                qsort(*ret, *ret_n, sizeof(struct ctl_unit), compare);
        sd_bus_error_free(&error);
        return r;
}

int units_get_sockets(struct ctl *c, char *const *names, struct ctl_unit **ret, size_t *ret_n)
{
        CLEANUP(strv) char **patterns = NULL;
        int r = 0;

        for (; r == 0 && *names; names++) {
                char *name;

                if (client_is_pattern(*names)) {
                        r = strv_push(&patterns, *names);
                        continue;
                }
                r = unit_name_mangle(*names, UNIT_SOCKET, &name);
                if (r == 0)
                        r = strv_push_take(&patterns, name);
        }
        if (r < 0)
                return client_complain(NULL, r, "Not a unit name");
        r = units_get(c, patterns, UNITS_AND_REFUSED, ret, ret_n);
        size_t n = 0;

        for (size_t i = 0; i < *ret_n; i++) {
                struct ctl_unit unit = (*ret)[i];

                if (unit_name_type(unit.id) == UNIT_SOCKET) {
                        (*ret)[i] = (*ret)[n];
                        (*ret)[n++] = unit;
                }
        }
        for (size_t i = n; i < *ret_n; i++)
                unit_done(&(*ret)[i]);
        *ret_n = n;
        return r;
}
