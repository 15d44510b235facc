// Shared by the files of usherctl: the options, the connection, the verbs.
#pragma once

#include "conf/trust.h"

#include <systemd/sd-bus.h>

#define BUS_DESTINATION "org.freedesktop.systemd1"
#define BUS_ROOT "/org/freedesktop/systemd1"
#define BUS_MANAGER "org.freedesktop.systemd1.Manager"
#define BUS_UNIT "org.freedesktop.systemd1.Unit"

// Exit codes of queries are those of the LSB's "status", of actions those of its "init" scripts.
enum {
        CTL_OK = 0,
        CTL_FAILED = 1,
        CTL_USAGE = 1, // as systemctl
        CTL_NOT_ACTIVE = 3,
        CTL_UNIMPLEMENTED = 3,
        CTL_NO_SUCH_UNIT = 4,
        CTL_NO_PERMISSION = 4,
        CTL_NOT_INSTALLED = 5,
        CTL_NOT_CONFIGURED = 6,
};

enum ctl_output { OUTPUT_SHORT, OUTPUT_JSON, OUTPUT_JSON_PRETTY };
enum ctl_scope { SCOPE_DEFAULT, SCOPE_SYSTEM, SCOPE_USER };

struct settings;

struct ctl {
        const char *runtime_dir, *root, *config, *job_mode, *kill_whom, *unit, *since, *preset_mode;
        char **units, **types, **states, **properties, **resources;
        enum ctl_scope scope;
        enum ctl_output output;
        int signo;
        unsigned lines;
        bool all, full, reverse, show_types, value, quiet, no_legend, plain, no_block, wait, now,
                runtime, force, compat, after, before, no_reload, systemd_units, follow, has_lines,
                wide, failed, marked;
        bool has_colors;
        sd_bus *bus; // NULL until it is needed
};

// ---- options and verbs (options.c, main.c)

struct verb {
        const char *name;
        int (*run)(struct ctl *c, char **args);
        int least, most;
        bool has_json;
        const char *synopsis, *doc;
};
extern const struct verb ctl_verbs[];
extern const size_t ctl_n_verbs;

enum { OPTIONS_RUN = -1 };
// OPTIONS_RUN, or the exit code. *ret_args: the words that are no options, verb first.
int options_parse(int argc, char **argv, struct ctl *c, char ***ret_args);
void options_done(struct ctl *c);
void options_print_help(void);

#define VERB(id, name, arguments, what, least, most, output, doc) \
        int verb_##id(struct ctl *c, char **args);
#include "ctl/verbs.def"
#undef VERB

// ---- the connection (client.c)

// Connects if that is not done yet. 0, or an exit code after a message.
int client_connect(struct ctl *c);
// Is there a supervisor to ask? Says nothing.
bool client_is_reachable(struct ctl *c);
// A call of Manager. 0; or -errno with *error. reply may be NULL.
int client_call(struct ctl *c, const char *method, sd_bus_error *error, sd_bus_message **reply,
                const char *types, ...);
// One property of an object as a string; NULL: not there. New string.
char *client_get_string(struct ctl *c, const char *path, const char *interface, const char *name);
uint64_t client_get_number(struct ctl *c, const char *path, const char *interface, const char *name,
                           uint64_t fallback);
char **client_get_strv(struct ctl *c, const char *path, const char *interface, const char *name);
char *client_unit_path(const char *unit); // new string
// Why the supervisor does not use a unit; NULL: not known. New string.
char *client_get_load_error(struct ctl *c, const char *path);
// The interface of a unit's type, by its name's suffix: "org.freedesktop.systemd1.Socket".
const char *client_type_interface(const char *unit);
// Sets a property of Manager. 0, or an exit code after a message.
int client_set_bool(struct ctl *c, const char *name, bool value);
int client_set_string(struct ctl *c, const char *name, const char *value);
// "Failed to WHAT: ..." to stderr; the exit code.
int client_complain(const sd_bus_error *error, int r, const char *fmt, ...) PRINTF(3, 4);
bool client_is_pattern(const char *name); // has * ? or [
// Names as typed to unit names; patterns become the names of the units that match and that
// list-units would show. 0 or an exit code (complained).
int client_unit_names(struct ctl *c, char *const *args, char ***ret);

// Tells on stderr how to reach each "usherd run" of this user (runs.c).
void runs_print(void);

// ---- lists of units (units.c)

struct ctl_unit {
        char *id, *description, *load, *active, *sub, *path;
};
enum units_shown {
        UNITS_USUAL, // active, failed or with a job
        UNITS_AND_REFUSED,
        UNITS_ALL,
};
// Units by patterns (NULL: all), filtered by --type and --state, sorted. --all makes it all of
// them. 0 or an exit code.
int units_get(struct ctl *c, char *const *patterns, enum units_shown which, struct ctl_unit **ret,
              size_t *ret_n);
// The same for sockets that are named, or match: all of them where there are no names.
int units_get_sockets(struct ctl *c, char *const *names, struct ctl_unit **ret, size_t *ret_n);
void units_free(struct ctl_unit *units, size_t n);

// ---- text that comes from others (shown.c)
// Descriptions, states, names of processes, lines of files and logs: their authors must not be able
// to control the reader's terminal. What is printed for people goes through one of these; tables
// and JSON do it by themselves. The text is good until shown_done().

const char *shown(const char *text);       // as a part of a line
const char *shown_lines(const char *text); // newlines stay
const char *shown_raw(const char *text);   // as it is, where stdout is no terminal: for programs
void shown_done(void);
// The processes of a unit, one a line (process_list.c).
void print_processes(struct ctl *c, const char *unit);

// ---- printing (table.c)

enum color { COLOR_NONE, COLOR_RED, COLOR_GREEN, COLOR_YELLOW, COLOR_GREY, COLOR_BOLD };
const char *color_on(const struct ctl *c, enum color color); // "" without colors
const char *color_off(const struct ctl *c);
enum color color_of_state(const char *active_state);
const char *bullet_of_state(const char *active_state); // "●", "○", "×", ...

struct table;
// Column names as in the head; their lower case is the JSON key. 0 or -ENOMEM.
int table_new(const char *const *columns, size_t n, struct table **ret);
void table_free(struct table *t); // NULL is fine
DEFINE_CLEANUP(table, struct table *, table_free)
// One row: a color, a bullet (may be ""), and a string for each column, of whatever origin. 0 or
// -ENOMEM.
int table_row(struct table *t, enum color color, const char *bullet, const char *const *cells);
size_t table_rows(const struct table *t);
// With head unless --no-legend; as JSON with -o json.
void table_print(const struct ctl *c, const struct table *t);

// One object "name": "value" a line of JSON.
struct buf;
void json_begin(struct buf *b);
void json_field(struct buf *b, const char *name, const char *value);
void json_number(struct buf *b, const char *name, uint64_t value);
void json_seconds(struct buf *b, const char *name, usec_t time); // 1732374000.123456
void json_end(struct buf *b);
// Objects of a list, one after the other: "[" and what is between them; the "]", printed.
void json_list_next(struct buf *b);
void json_list_print(struct buf *b);

// ---- values of properties as text (property.c)

struct property {
        char *name, *value;
        bool is_empty;  // left out without --all
        bool is_absent; // left out in any case
};
// All properties of an object. 0 or -errno with *error.
int properties_get(struct ctl *c, const char *path, sd_bus_error *error, struct property **ret,
                   size_t *ret_n);
void properties_free(struct property *properties, size_t n);
// "Mon 2026-11-23 15:58:39 UTC", "" for 0; "2min 3s ago".
void format_timestamp(uint64_t t, char *buf, size_t size);
void format_ago(uint64_t t, char *buf, size_t size);

// ---- for verbs of several files

// Waits for jobs (verb_job.c). method: "StartUnit", ...
const char *jobs_why_failed(const char *result); // a sentence for a Result property; NULL is fine
int jobs_run(struct ctl *c, const char *method, const char *what, char *const *units);
// Restarts or reloads the units that are marked (EnqueueMarkedJobs), and waits. An exit code.
int jobs_run_marked(struct ctl *c);
// The folders of unit files, as options say; diag may be NULL. 0 or an exit code (verb_files.c).
struct install;
int install_from_options(struct ctl *c, struct diag *diag, struct install **ret);
// Reloads after a verb has changed files, and prints usherd's report to stderr. 0; -errno with
// error (verb_action.c).
int reload_after_change(struct ctl *c, sd_bus_error *error);
void print_file_change(const struct ctl *c, bool is_link, const char *file, const char *source);
// The file that makes a unit, as the supervisor has loaded it or would: new string, "" where it has
// none of its own. 0 or an exit code, after a message (verb_cat.c).
int find_unit_file(struct ctl *c, const char *unit, char **ret);
// Prints the answer of is-active and is-failed for a unit; json: the list so far (verb_show.c).
void print_state_of(const struct ctl *c, struct buf *json, const char *unit, const char *state);
void print_system_state(const struct ctl *c, const char *state); // verb_system.c
// Log lines of units that match, younger than line *last, which becomes the last one printed; in
// front of the first goes *before, which is NULL afterwards. is_optional: nothing is said where
// access is denied. 0 or an exit code (verb_logs.c).
int logs_print(struct ctl *c, const char *pattern, uint64_t since, uint32_t n, uint64_t *last,
               const char **before, bool is_optional);
// Does a unit file in this state have a preset to show? (verb_list.c)
bool files_have_preset(const char *state);
// The unit path without a supervisor (offline.c). 0 or an exit code.
int offline_unit_path(struct ctl *c, char ***ret);
// The unit path for verbs that only read: that of the options, else that of the running supervisor,
// else as above.
int offline_unit_path_in_use(struct ctl *c, char ***ret);
// Prints what a reader of files complains about: for struct diag.
void offline_on_complaint(struct diag *diag, const struct diag_entry *entry);
// The settings that the supervisor would use. Unreadable ones keep their default, since the
// supervisor complains about them. To be released with settings_done().
void offline_settings(struct ctl *c, struct settings *ret);
// Which files are refused there (conf/trust.h).
enum trust_mode offline_trust(struct ctl *c);
// Does usherctl itself read and change files? So with --root= or --units=, or without a supervisor.
bool offline_is_meant(struct ctl *c);
bool offline_is_user(const struct ctl *c);
