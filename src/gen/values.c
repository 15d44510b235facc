// The possible values and the default of a directive, in words for the manual.
#include "base/str.h"
#include "conf/directive.h"
#include "conf/enums.h"
#include "conf/kind_impl.h"
#include "gen/gen.h"

#include <stdio.h>

static const struct {
        const struct kind *kind;
        const char *words;
} sorts[] = {
        {&kind_boolean, "yes or no (also true, false, on, off, 1, 0)"},
        {&kind_tristate, "yes, no, or empty for neither"},
        {&kind_uint, "a number from 0 on"},
        {&kind_u32, "a number from 0 on"},
        {&kind_i64, "a number"},
        {&kind_limit, "a number, or infinity"},
        {&kind_size, "bytes; K, M, G and T count in powers of 1024"},
        {&kind_mode, "an octal mode"},
        {&kind_ip_tos, "a number, or low-delay, throughput, reliability, low-cost"},
        {&kind_signal, "a signal, by name or number"},
        {&kind_usec, "a time, as 90 (seconds), 5min 20s, 500ms, infinity"},
        {&kind_timeout, "a time, as 90 (seconds), 5min 20s, 500ms; infinity or 0 is no limit"},
        {&kind_nsec, "a time; a plain number is nanoseconds"},
        {&kind_rlimit, "SOFT:HARD, or one value for both; infinity for no limit"},
        {&kind_unit_name, "a unit"},
        {&kind_unit_names, "units, separated by blanks"},
        {&kind_user, "a name or number"},
        {&kind_users, "names or numbers, separated by blanks"},
        {&kind_path, "an absolute path"},
        {&kind_runtime_path, "a path; one that is not absolute is below the runtime folder"},
        {&kind_paths, "absolute paths, separated by blanks"},
        {&kind_mount_paths, "absolute paths, separated by blanks"},
        {&kind_search_paths, "absolute paths, separated by colons"},
        {&kind_commands, "a command line; several lines are run in their order"},
        {&kind_environment, "NAME=VALUE, separated by blanks"},
        {&kind_environment_names, "names of variables, separated by blanks"},
        {&kind_words, "words, separated by blanks"},
};

static void put_choices(const struct choices *c)
{
        const char *separator = "";

        for (size_t i = 0; i < c->n; i++) {
                if (!*c->items[i].name)
                        continue;
                printf("%s%s", separator, c->items[i].name);
                separator = ", ";
        }
}

// Prints the line "Values: ...", or nothing.
void value_put_words(const struct directive *d)
{
        if (d->kind == &kind_choice && d->table) {
                fputs("Values: ", stdout);
                put_choices(d->table);
                puts(".");
                return;
        }
        if (d->kind == &kind_integer && d->table) {
                const struct integer_range *range = d->table;

                if (range->min == INT32_MIN)
                        puts("Values: a number.");
                else
                        printf("Values: %d to %d.\n", (int)range->min, (int)range->max);
                return;
        }
        for (size_t i = 0; i < ARRAY_SIZE(sorts); i++)
                if (d->kind == sorts[i].kind)
                        printf("Values: %s.\n", sorts[i].words);
}

// The default; in words where the table's value is not clear to readers. NULL: there is none.
const char *value_default_words(const struct directive *d)
{
        const char *text = d->default_;
        bool is_number = text && (streq(text, "0") || streq(text, "-1"));

        if (d->kind == &kind_rlimit)
                return "that of usherd";
        if (d->owner && streq(d->owner, "net/sockopt.c") && (!text || is_number))
                return "the kernel's";
        if (d->group == GROUP_SOCKET && is_number &&
            (d->kind == &kind_i64 || d->kind == &kind_size))
                return "the kernel's";
        if (!text)
                return NULL;
        if (streq(text, "2147483647"))
                return "as much as the kernel allows (net.core.somaxconn)";
        if (streq(text, "~"))
                return "all of them";
        if (streq(text, "infinity"))
                return "infinity, which is no limit";
        if (is_number && d->kind == &kind_limit)
                return "no limit";
        return text;
}
