// status: a summary of a unit's state for a reader at a terminal.
#include "base/parse.h"
#include "base/proc.h"
#include "base/str.h"
#include "base/strv.h"
#include "conf/directive.h"
#include "conf/unit_name.h"
#include "ctl/ctl.h"

#include <stdio.h>

#define STAMP_MAX 64

// The unit whose status is printed, and its properties.
struct status {
        struct ctl *c;
        const char *unit, *path;
        struct property *p;
        size_t n;
};

// The value of a property, escaped for the terminal; its newlines are kept.
static const char *get(const struct status *s, const char *name)
{
        for (size_t i = 0; i < s->n; i++)
                if (streq(s->p[i].name, name))
                        return shown_lines(s->p[i].value);
        return "";
}

static void print_head(const struct status *s)
{
        const char *state = get(s, "ActiveState"), *description = get(s, "Description");
        enum color color = color_of_state(state);

        printf("%s%s%s %s", color_on(s->c, color), bullet_of_state(state), color_off(s->c),
               get(s, "Id"));
        if (*description && !streq(description, get(s, "Id")))
                printf(" - %s", shown(description));
        putchar('\n');
}

static void print_loaded(const struct status *s)
{
        const char *load = get(s, "LoadState");
        CLEANUP(free) char *error = client_get_load_error(s->c, s->path);
        const char *fragment = get(s, "FragmentPath"), *file_state = get(s, "UnitFileState");
        const char *preset = files_have_preset(file_state) ? get(s, "UnitFilePreset") : "";
        bool is_bad = !streq(load, "loaded");

        printf("     Loaded: %s%s%s", color_on(s->c, is_bad ? COLOR_RED : COLOR_NONE), load,
               is_bad ? color_off(s->c) : "");
        if (is_bad && error && *error)
                printf(" (Reason: %s)", shown(error));
        else if (*fragment)
                printf(" (%s%s%s%s%s)", shown(fragment), *file_state ? "; " : "", file_state,
                       *preset ? "; preset: " : "", preset);
        printf("%s\n", streq(get(s, "NeedDaemonReload"), "yes")
                               ? " (changed on disk: usherctl daemon-reload)"
                               : "");
        if (!is_bad && *error)
                printf("             %s%s%s\n", color_on(s->c, COLOR_RED), shown(error),
                       color_off(s->c));
}

// The label precedes the first item only.
static void print_list(const char *label, char *const *lines)
{
        STRV_FOREACH (line, lines)
                printf("%*s%s\n", 13, line == lines ? label : "", shown(*line));
}

static void print_dropins(const struct status *s)
{
        CLEANUP(strv) char **paths = client_get_strv(s->c, s->path, BUS_UNIT, "DropInPaths");

        print_list("Drop-In: ", paths);
}

// Prints the directives that the unit sets and usher does not act on; in red those that would have
// limited the rights of its processes.
static void print_unacted(const struct status *s)
{
        CLEANUP(strv) char **names = client_get_strv(s->c, s->path, BUS_UNIT, "XUnacted");
        enum unit_type type = unit_name_type(s->unit);
        const char *section = type == UNIT_SOCKET ? "Socket" : "Service";
        bool is_first = true;

        STRV_FOREACH (name, names) {
                const struct directive *d = directive_find(type, section, *name);
                enum color color = d && directive_lowers_security(d) ? COLOR_RED : COLOR_NONE;

                printf("%s%s%s=%s", is_first ? "    Ignored: " : ", ", color_on(s->c, color),
                       shown(*name), color_off(s->c));
                is_first = false;
        }
        if (!is_first)
                putchar('\n');
}

// Prints when a condition kept the unit from starting, and which conditions were not met.
static void print_condition(const struct status *s)
{
        sd_bus_message *reply = NULL;
        const char *type, *value;
        int trigger, negate, state;
        int r = sd_bus_get_property(s->c->bus, BUS_DESTINATION, s->path, BUS_UNIT, "Conditions",
                                    NULL, &reply, "a(sbbsi)");

        printf("  Condition: start condition failed at %s\n", get(s, "ConditionTimestamp"));
        if (r >= 0)
                r = sd_bus_message_enter_container(reply, 'a', "(sbbsi)");
        while (r >= 0 && (r = sd_bus_message_read(reply, "(sbbsi)", &type, &trigger, &negate,
                                                  &value, &state)) > 0)
                if (state < 0)
                        printf("             %s=%s%s%s is not met\n", shown(type),
                               trigger ? "|" : "", negate ? "!" : "", shown(value));
        sd_bus_message_unref(reply);
}

static void print_active(const struct status *s)
{
        const char *state = get(s, "ActiveState"), *result = get(s, "Result");
        bool is_up = streq(state, "active") || streq(state, "reloading");
        bool is_down = streq(state, "inactive") || streq(state, "failed");
        const char *stamp = is_up                        ? "ActiveEnterTimestamp"
                            : is_down                    ? "InactiveEnterTimestamp"
                            : streq(state, "activating") ? "InactiveExitTimestamp"
                                                         : "ActiveExitTimestamp";
        uint64_t t = client_get_number(s->c, s->path, BUS_UNIT, stamp, 0);
        char when[STAMP_MAX], ago[STAMP_MAX];

        printf("     Active: %s%s (%s)%s", color_on(s->c, color_of_state(state)), state,
               get(s, "SubState"), color_off(s->c));
        if (*result && !streq(result, "success"))
                printf(" (Result: %s)", result);
        if (t > 0) {
                format_timestamp(t, when, sizeof(when));
                format_ago(t, ago, sizeof(ago));
                printf(" since %s; %s", when, ago);
        }
        putchar('\n');
        if (streq(get(s, "ConditionResult"), "no") && is_down && *get(s, "ConditionTimestamp"))
                print_condition(s);
}

static void print_related(const struct status *s, const char *property, const char *label)
{
        CLEANUP(strv) char **units = client_get_strv(s->c, s->path, BUS_UNIT, property);

        strv_sort(units);
        STRV_FOREACH (unit, units) {
                CLEANUP(free) char *path = client_unit_path(*unit);
                CLEANUP(free)
                char *state = path ? client_get_string(s->c, path, BUS_UNIT, "ActiveState") : NULL;

                printf("%*s%s%s%s %s\n", 13, unit == units ? label : "",
                       color_on(s->c, color_of_state(state ? state : "")),
                       bullet_of_state(state ? state : "inactive"), color_off(s->c), shown(*unit));
        }
}

static void print_docs(const struct status *s)
{
        CLEANUP(strv) char **docs = client_get_strv(s->c, s->path, BUS_UNIT, "Documentation");

        STRV_FOREACH (doc, docs)
                printf("%s%s\n", doc == docs ? "       Docs: " : "             ", shown(*doc));
}

// ---- sockets

static void print_lines(const char *label, const char *text)
{
        CLEANUP(strv) char **lines = NULL;

        if (strv_split(text, "\n", &lines) == 0)
                print_list(label, lines);
}

static void print_socket(const struct status *s)
{
        const char *refused = get(s, "NRefused");

        print_lines("Listen: ", get(s, "Listen"));
        if (streq(get(s, "Accept"), "yes"))
                printf("   Accepted: %s; Connected: %s;%s%s\n", get(s, "NAccepted"),
                       get(s, "NConnections"),
                       streq(refused, "0") ? "" : " Refused: ", streq(refused, "0") ? "" : refused);
        const char *reopened = get(s, "XNReopened");

        if (!streq(reopened, "") && !streq(reopened, "0"))
                printf("   Reopened: %s\n", reopened);
        print_lines("Failed: ", get(s, "XFailedInstances"));
}

// ---- services

static void print_status_code(int code, int status)
{
        char name[SIGNAL_NAME_MAX];

        if (code == CLD_EXITED)
                printf("code=exited, status=%d%s", status, status == 0 ? "/SUCCESS" : "");
        else
                printf("code=%s, signal=%s", code == CLD_DUMPED ? "dumped" : "killed",
                       signal_format(status, name, sizeof(name)));
}

static void print_main(const struct status *s)
{
        const char *interface = client_type_interface(s->unit);
        pid_t pid = (pid_t)client_get_number(s->c, s->path, interface, "MainPID", 0);
        pid_t last = (pid_t)client_get_number(s->c, s->path, interface, "ExecMainPID", 0);
        int code = (int)client_get_number(s->c, s->path, interface, "ExecMainCode", 0);
        int status = (int)client_get_number(s->c, s->path, interface, "ExecMainStatus", 0);
        CLEANUP(free) char *comm = NULL;

        if (pid > 0) {
                (void)proc_get_comm(pid, &comm);
                printf("   Main PID: %d (%s)\n", (int)pid, comm ? shown(comm) : "?");
        } else if (last > 0) {
                printf("   Main PID: %d (", (int)last);
                print_status_code(code, status);
                printf(")\n");
        }
        if (*get(s, "StatusText"))
                printf("     Status: \"%s\"\n", shown(get(s, "StatusText")));
        if (*get(s, "NRestarts") && !streq(get(s, "NRestarts"), "0"))
                printf("   Restarts: %s\n", get(s, "NRestarts"));
}

// ---- the log

static void print_log(const struct status *s)
{
        uint64_t last = 0;
        const char *before = "\n";

        if (s->c->lines > 0)
                (void)logs_print(s->c, s->unit, 0, s->c->lines, &last, &before, true);
}

// ---- all parts together

static int exit_code(const struct status *s)
{
        const char *state = get(s, "ActiveState");

        // A unit that runs is shown even if its file is gone.
        if (streq(get(s, "LoadState"), "not-found") && streq(state, "inactive"))
                return CTL_NO_SUCH_UNIT;
        return streq(state, "inactive") || streq(state, "failed") ? CTL_NOT_ACTIVE : CTL_OK;
}

static void print_not_found(const struct status *s)
{
        sd_bus_message *reply = NULL;
        const char *name, *text = "";

        if (sd_bus_get_property(s->c->bus, BUS_DESTINATION, s->path, BUS_UNIT, "LoadError", NULL,
                                &reply, "(ss)") < 0 ||
            sd_bus_message_read(reply, "(ss)", &name, &text) < 0 || !*text)
                fprintf(stderr, "Unit %s could not be found.\n", shown(s->unit));
        else
                fprintf(stderr, "%s\n", shown(text));
        sd_bus_message_unref(reply);
}

static int print_status(struct ctl *c, const char *unit)
{
        CLEANUP(free) char *path = client_unit_path(unit);
        struct status s = {.c = c, .unit = unit, .path = path};
        sd_bus_error error = SD_BUS_ERROR_NULL;
        int r = path ? properties_get(c, path, &error, &s.p, &s.n) : -ENOMEM;

        if (r < 0) {
                r = client_complain(&error, r, "Failed to get properties of %s", unit);
                sd_bus_error_free(&error);
                return r;
        }
        r = exit_code(&s);
        if (r == CTL_NO_SUCH_UNIT) {
                print_not_found(&s);
                properties_free(s.p, s.n);
                return r;
        }
        print_head(&s);
        print_loaded(&s);
        print_dropins(&s);
        print_unacted(&s);
        print_active(&s);
        print_related(&s, "TriggeredBy", "TriggeredBy: ");
        if (!streq(get(&s, "Accept"), "yes"))
                print_related(&s, "Triggers", "Triggers: ");
        print_docs(&s);
        if (unit_name_type(unit) == UNIT_SOCKET)
                print_socket(&s);
        if (unit_name_type(unit) == UNIT_SOCKET && *get(&s, "StatusText"))
                printf("     Status: \"%s\"\n", shown(get(&s, "StatusText")));
        if (unit_name_type(unit) == UNIT_SERVICE)
                print_main(&s);
        if (unit_name_type(unit) != UNIT_TARGET)
                print_processes(c, unit);
        print_log(&s);
        properties_free(s.p, s.n);
        return r;
}

static int print_supervisor(struct ctl *c)
{
        CLEANUP(free) char *state = client_get_string(c, BUS_ROOT, BUS_MANAGER, "SystemState");
        CLEANUP(free) char *version = client_get_string(c, BUS_ROOT, BUS_MANAGER, "Version");
        uint64_t since = client_get_number(c, BUS_ROOT, BUS_MANAGER, "UserspaceTimestamp", 0);
        bool is_bad = state && streq(state, "degraded");
        char when[STAMP_MAX], ago[STAMP_MAX];

        format_timestamp(since, when, sizeof(when));
        format_ago(since, ago, sizeof(ago));
        printf("%s●%s %s\n", color_on(c, is_bad ? COLOR_RED : COLOR_GREEN), color_off(c),
               version ? shown(version) : "usherd");
        printf("    State: %s%s%s\n", color_on(c, is_bad ? COLOR_RED : COLOR_GREEN),
               state ? shown(state) : "?", color_off(c));
        printf("     Jobs: %llu queued\n",
               (unsigned long long)client_get_number(c, BUS_ROOT, BUS_MANAGER, "NJobs", 0));
        printf("   Failed: %llu units\n",
               (unsigned long long)client_get_number(c, BUS_ROOT, BUS_MANAGER, "NFailedUnits", 0));
        printf("    Since: %s; %s\n", when, ago);
        return CTL_OK;
}

// The user gave a pid: finds the unit to which the process belongs.
static int unit_of_pid(struct ctl *c, uint32_t pid, char **ret)
{
        sd_bus_error error = SD_BUS_ERROR_NULL;
        sd_bus_message *reply = NULL;
        const char *path;
        int r = client_call(c, "GetUnitByPID", &error, &reply, "u", pid);

        if (r >= 0)
                r = sd_bus_message_read(reply, "o", &path);
        if (r >= 0)
                r = sd_bus_path_decode(path, BUS_ROOT "/unit", ret);
        sd_bus_message_unref(reply);
        r = r < 0 ? client_complain(&error, r, "Failed to find the unit of PID %u", pid) : 0;
        sd_bus_error_free(&error);
        return r ? CTL_FAILED : 0;
}

int verb_status(struct ctl *c, char **args)
{
        CLEANUP(strv) char **units = NULL;
        int r = client_connect(c), code = 0;

        if (r != 0)
                return r;
        if (!*args)
                return print_supervisor(c);
        for (; r == 0 && *args; args++) {
                char *one[] = {*args, NULL};
                CLEANUP(strv) char **names = NULL;
                char *unit = NULL;
                uint32_t pid;

                if (parse_u32(*args, &pid) == 0) {
                        r = unit_of_pid(c, pid, &unit);
                        if (r == 0 && strv_push_take(&units, unit) < 0)
                                r = CTL_FAILED;
                } else if ((r = client_unit_names(c, one, &names)) == 0) {
                        r = strv_extend(&units, names) < 0 ? CTL_FAILED : 0;
                }
        }
        STRV_FOREACH (unit, units) {
                if (unit != units)
                        putchar('\n');
                int one = print_status(c, *unit);

                code = code ? code : one;
        }
        return r ? r : code;
}
