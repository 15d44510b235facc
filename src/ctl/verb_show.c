// show, is-active, is-failed.
#include "base/buf.h"
#include "base/str.h"
#include "base/strv.h"
#include "conf/unit_name.h"
#include "ctl/ctl.h"

#include <stdio.h>
#include <unistd.h>

// ---- show

static void print_text(const struct ctl *c, const struct property *p, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                if (c->properties ? !strv_contains(c->properties, p[i].name)
                                  : p[i].is_empty && !c->all)
                        continue;
                CLEANUP(strv) char **lines = NULL;

                // A list of structures is printed with one line for each, which repeats the name.
                if (c->value || !strchr(p[i].value, '\n') ||
                    strv_split(p[i].value, "\n", &lines) < 0) {
                        printf("%s%s%s\n", c->value ? "" : shown(p[i].name), c->value ? "" : "=",
                               shown_raw(p[i].value));
                        continue;
                }
                STRV_FOREACH (line, lines)
                        printf("%s=%s\n", shown(p[i].name), shown_raw(*line));
        }
}

static void put_json(const struct ctl *c, const struct property *p, size_t n, struct buf *b)
{
        json_begin(b);
        for (size_t i = 0; i < n; i++)
                if (!c->properties || strv_contains(c->properties, p[i].name))
                        json_field(b, p[i].name, p[i].value);
        json_end(b);
}

static int show_object(struct ctl *c, const char *path, const char *name, struct buf *json)
{
        sd_bus_error error = SD_BUS_ERROR_NULL;
        struct property *p = NULL;
        size_t n = 0;
        int r = properties_get(c, path, &error, &p, &n);

        if (r < 0) {
                r = client_complain(&error, r, "Failed to get properties of %s", name);
        } else if (c->output == OUTPUT_SHORT) {
                print_text(c, p, n);
        } else {
                if (json->size > 1)
                        buf_putc(json, ',');
                put_json(c, p, n, json);
        }
        properties_free(p, n);
        sd_bus_error_free(&error);
        return r;
}

int verb_show(struct ctl *c, char **args)
{
        CLEANUP(strv) char **units = NULL;
        CLEANUP(buf) struct buf json = BUF_NULL;
        int r = client_connect(c), code = 0;

        if (r == 0)
                r = client_unit_names(c, args, &units);
        if (r != 0)
                return r;
        buf_putc(&json, '[');
        if (!*args)
                code = show_object(c, BUS_ROOT, "usherd", &json);
        STRV_FOREACH (unit, units) {
                CLEANUP(free) char *path = client_unit_path(*unit);

                if (unit != units && c->output == OUTPUT_SHORT)
                        putchar('\n');
                r = path ? show_object(c, path, *unit, &json) : CTL_FAILED;
                code = code ? code : r;
        }
        if (c->output != OUTPUT_SHORT)
                printf("%s]\n", buf_text(&json));
        return code;
}

// ---- is-active, is-failed

void print_state_of(const struct ctl *c, struct buf *json, const char *unit, const char *state)
{
        if (c->quiet)
                return;
        if (c->output == OUTPUT_SHORT) {
                puts(shown(state));
                return;
        }
        json_list_next(json);
        json_begin(json);
        json_field(json, "unit", unit);
        json_field(json, "state", state);
        json_end(json);
}

static int check_states(struct ctl *c, char **args, const char *const *good, int bad_code)
{
        CLEANUP(strv) char **units = NULL;
        CLEANUP(buf) struct buf json = BUF_NULL;
        bool any = false;
        int r = client_connect(c);

        if (r == 0)
                r = client_unit_names(c, args, &units);
        if (r != 0)
                return r;
        STRV_FOREACH (unit, units) {
                CLEANUP(free) char *path = client_unit_path(*unit);
                CLEANUP(free)
                char *state = path ? client_get_string(c, path, BUS_UNIT, "ActiveState") : NULL;
                const char *text = state ? state : "inactive";

                for (size_t i = 0; good[i]; i++)
                        any = any || streq(good[i], text);
                print_state_of(c, &json, *unit, text);
        }
        if (c->output != OUTPUT_SHORT && !c->quiet)
                json_list_print(&json);
        return any ? CTL_OK : bad_code;
}

int verb_is_active(struct ctl *c, char **args)
{
        static const char *const good[] = {"active", "reloading", NULL};

        return check_states(c, args, good, CTL_NOT_ACTIVE);
}

int verb_is_failed(struct ctl *c, char **args)
{
        static const char *const good[] = {"failed", NULL};

        if (*args)
                return check_states(c, args, good, CTL_FAILED);
        // Without a name, the question is whether any unit has failed.
        int r = client_connect(c);

        if (r != 0)
                return r;
        bool has_failed = client_get_number(c, BUS_ROOT, BUS_MANAGER, "NFailedUnits", 0) > 0;

        CLEANUP(free) char *state = client_get_string(c, BUS_ROOT, BUS_MANAGER, "SystemState");

        print_system_state(c, state ? state : "");
        return has_failed ? CTL_OK : CTL_FAILED;
}
