// list-dependencies: what units pull in (or, with --reverse, are pulled in by), as a tree.
#include "base/buf.h"
#include "base/str.h"
#include "base/strv.h"
#include "ctl/ctl.h"

#include <stdio.h>

// A chain that is longer than this ends with dots.
#define DEPTH_MAX 64

static const char *const forward[] = {"Requires", "Requisite", "Wants", "ConsistsOf",
                                      "BindsTo",  "Upholds",   NULL};
static const char *const backward[] = {"RequiredBy", "RequisiteOf", "WantedBy", "PartOf",
                                       "BoundBy",    "UpheldBy",    NULL};

static const char *const ordered_before[] = {"After", NULL};
static const char *const ordered_behind[] = {"Before", NULL};

struct walk {
        struct ctl *c;
        const char *above[DEPTH_MAX]; // the units from the root down to this one
        bool has_more[DEPTH_MAX];     // whether a vertical line is drawn at each depth
        struct buf json;
};

static int get_neighbours(struct ctl *c, const char *unit, char ***ret)
{
        CLEANUP(free) char *path = client_unit_path(unit);
        const char *const *names = c->after     ? ordered_before
                                   : c->before  ? ordered_behind
                                   : c->reverse ? backward
                                                : forward;
        int r = path ? 0 : -ENOMEM;

        for (; r == 0 && *names; names++) {
                CLEANUP(strv) char **units = client_get_strv(c, path, BUS_UNIT, *names);

                r = strv_extend(ret, units);
        }
        strv_sort_unique(*ret);
        return r;
}

static void put_json(struct walk *w, const char *unit, const char *state, unsigned depth)
{
        json_list_next(&w->json);
        json_begin(&w->json);
        json_field(&w->json, "unit", unit);
        json_field(&w->json, "active", state);
        json_number(&w->json, "depth", depth);
        json_end(&w->json);
}

static void print_line(struct walk *w, const char *unit, unsigned depth, bool is_last)
{
        CLEANUP(free) char *path = client_unit_path(unit);
        CLEANUP(free)
        char *state = path ? client_get_string(w->c, path, BUS_UNIT, "ActiveState") : NULL;

        if (w->c->output != OUTPUT_SHORT) {
                put_json(w, unit, state, depth);
                return;
        }
        if (w->c->plain) {
                printf("%*s%s\n", 2 * (int)depth, "", shown(unit));
                return;
        }
        printf("%s%s%s ", color_on(w->c, color_of_state(state ? state : "")),
               bullet_of_state(state ? state : "inactive"), color_off(w->c));
        for (unsigned i = 1; i < depth; i++)
                printf("%s", w->has_more[i] ? "│ " : "  ");
        printf("%s%s\n", is_last ? "└─" : "├─", shown(unit));
}

static bool is_above(const struct walk *w, const char *unit, unsigned depth)
{
        for (unsigned i = 0; i < depth; i++)
                if (streq(w->above[i], unit))
                        return true;
        return false;
}

static int walk_unit(struct walk *w, const char *unit, unsigned depth)
{
        CLEANUP(strv) char **units = NULL;
        int r = get_neighbours(w->c, unit, &units);

        if (depth == DEPTH_MAX - 1) {
                if (units && w->c->output == OUTPUT_SHORT)
                        printf("%*s...\n", 2 * (int)(depth + 1), "");
                return r;
        }
        w->above[depth] = unit;

        STRV_FOREACH (other, units) {
                bool is_last = other[1] == NULL;

                w->has_more[depth + 1] = !is_last;
                print_line(w, *other, depth + 1, is_last);
                // Dependencies of targets are always shown, those of other units only with --all.
                if (r == 0 && (w->c->all || str_at_suffix(*other, ".target")) &&
                    !is_above(w, *other, depth + 1))
                        r = walk_unit(w, *other, depth + 1);
        }
        return r;
}

int verb_list_dependencies(struct ctl *c, char **args)
{
        static char default_target[] = "default.target";
        char *fallback[] = {default_target, NULL};
        CLEANUP(strv) char **units = NULL;
        int r = client_connect(c);

        if (r == 0)
                r = client_unit_names(c, *args ? args : fallback, &units);
        if (r != 0)
                return r;
        struct walk w = {.c = c};

        STRV_FOREACH (unit, units) {
                if (c->output != OUTPUT_SHORT)
                        print_line(&w, *unit, 0, true);
                else
                        printf("%s%s\n", unit != units ? "\n" : "", shown(*unit));
                if (walk_unit(&w, *unit, 0) < 0)
                        r = CTL_FAILED;
        }
        if (c->output != OUTPUT_SHORT)
                json_list_print(&w.json);
        buf_done(&w.json);
        return r;
}
