// A kind defines how one sort of value is parsed, printed, released and compared. Each directive
// row names one; kind_NAME_t below is its C type.
#pragma once

#include "conf/diag.h"
#include "conf/enums.h"
#include "conf/specifier.h"
#include "conf/types.h"

// C types by kind. A field of a group has the type of its row's kind.
typedef bool kind_boolean_t;
typedef int kind_tristate_t; // -1 not set, 0, 1
typedef unsigned kind_uint_t;
typedef unsigned kind_limit_t; // UINT32_MAX: infinity
typedef uint32_t kind_u32_t;
typedef uint64_t kind_u64_t;
typedef int kind_integer_t;
typedef usec_t kind_usec_t;    // as written
typedef usec_t kind_timeout_t; // a written 0 means none, and is stored as USEC_INFINITY
typedef uint64_t kind_size_t;  // UINT64_MAX: infinity
typedef mode_t kind_mode_t;
typedef char *kind_string_t; // specifiers expanded
typedef char *kind_text_t;   // raw
typedef char *kind_path_t;   // absolute, simplified, /var/run rewritten
typedef char *kind_unit_name_t;
typedef char **kind_unit_names_t; // dependency lists: append only
typedef char **kind_words_t;      // list of words, reset by ""
typedef char **kind_paths_t;
typedef int kind_signal_t;
typedef struct exit_set kind_exit_set_t;
typedef struct port_list kind_ports_t;
typedef uint64_t kind_capabilities_t;                    // bit n: capability n; the default has all
typedef struct open_files kind_open_files_t;             // list, reset by ""
typedef struct multicast_groups kind_multicast_groups_t; // list, reset by ""
typedef struct command_list kind_commands_t;
typedef char **kind_environment_t;
typedef struct environment_file_list kind_environment_files_t;
typedef struct rlimit_value kind_rlimit_t;
typedef struct working_directory kind_working_directory_t;
typedef struct managed_directory_list kind_directories_t;
typedef struct stdio_value kind_stdio_t;
typedef struct condition_list kind_conditions_t;
typedef char *kind_user_t; // user or group name or number, validated
typedef char **kind_users_t;
typedef char **kind_fdnames_t; // one for all Listen lines, or one for each
typedef int kind_choice_t;     // an enum of conf/enums.h; the row's `arg` is its name table
typedef int64_t kind_i64_t;
typedef uint64_t kind_nsec_t;      // UINT64_MAX: not set
typedef int kind_ip_tos_t;         // -1: not set
typedef char **kind_uris_t;        // documentation
typedef char **kind_mount_paths_t; // as kind_paths_t, append only
typedef char **kind_search_paths_t;
typedef char **kind_environment_names_t; // `arg` 1: assignments, too
typedef char *kind_runtime_path_t;       // absolute; a relative value is below the runtime root
typedef char *kind_bus_name_t;
typedef char *kind_ifname_t; // NULL: none
typedef struct cpu_list kind_cpus_t;
typedef int kind_secure_bits_t;      // SECBIT_* of prctl(2)
typedef uint64_t kind_core_filter_t; // or CORE_FILTER_UNSET
typedef struct syscall_filter kind_syscalls_t;
typedef int kind_syscall_error_t; // conf/syscall.h
typedef char **kind_architectures_t;
typedef struct address_families kind_address_families_t;
typedef uint64_t kind_namespaces_t;    // CLONE_NEW... that are allowed, or NAMESPACES_UNSET
typedef struct data_value kind_data_t; // the data for standard input

struct directive;
struct buf;

// The context of the line that a parse function handles.
struct parse_context {
        const char *unit; // unit id
        const char *file; // may be NULL (built-in)
        unsigned line;
        const char *section;
        const struct directive *directive;
        const struct specifier_context *specifiers; // NULL: text without specifiers (a default)
        bool is_compat;                             // --compat=systemd
        bool *ret_marks;   // set if a value that cannot be filled later contains a mark,
        bool *ret_kept;    // and if one that can does
        struct diag *diag; // where complaints go (conf/diag.h)
};

struct kind {
        const char *name;
        size_t size;           // of the C type
        const char *signature; // D-Bus type of the property, NULL: not a plain property
        // Assigns the text to *field (which holds a valid value). "" is the empty assignment:
        // reset. 0: done, or complained about and unchanged; 1: the complaint makes the unit
        // bad-setting (Exec lines, DIRECTIVE_SECURITY); -ENOMEM.
        int (*parse)(const struct parse_context *context, const char *value, void *field);
        // Writes the value as a unit file would have it: one string for each assignment line.
        // 0 or -ENOMEM.
        int (*format)(const struct directive *directive, const void *field, char ***ret_lines);
        void (*free)(void *field); // NULL: nothing to release
        // Only for kinds that are lists whose items belong to several rows: `arg` of the row of
        // item i, of which format gives one line each. For tests.
        intptr_t (*item_arg)(const void *field, size_t i);
        bool (*equal)(const void *a, const void *b); // NULL: equal values have equal bytes
        // The value as a number for setsockopt(2) (a time in seconds). NULL: there is none.
        int (*number)(const void *field);
        // *to is zeroed memory; 0 or -ENOMEM. NULL: a copy of the bytes is one of the value.
        int (*copy)(const void *from, void *to);
};

bool kind_equal(const struct kind *kind, const void *a, const void *b);
int kind_copy(const struct kind *kind, const void *from, void *to); // as its copy()

// The list as ranges ("0-3 7"), appended to b. 0 or -ENOMEM.
int cpu_list_put(struct buf *b, const struct cpu_list *list);
