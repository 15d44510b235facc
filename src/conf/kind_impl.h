// The common parts of the kinds (kind_*.c): complaints, specifiers, quoting, lists of strings. For
// them and conf/group.c only.
#pragma once

#include "base/buf.h"
#include "conf/directive.h"

// All kinds, by the names that rows use. kind_number.c, kind_time.c, kind_choice.c:
extern const struct kind kind_boolean, kind_tristate, kind_uint, kind_limit, kind_u32, kind_i64,
        kind_integer, kind_size, kind_mode, kind_ip_tos, kind_signal, kind_rlimit;
extern const struct kind kind_usec, kind_timeout, kind_nsec;
extern const struct kind kind_choice, kind_exit_set;
// kind_text.c, kind_path.c, kind_name.c:
extern const struct kind kind_string, kind_text, kind_data;
extern const struct kind kind_path, kind_runtime_path, kind_paths, kind_mount_paths,
        kind_search_paths, kind_working_directory, kind_directories;
extern const struct kind kind_unit_name, kind_unit_names, kind_user, kind_users, kind_fdnames,
        kind_ifname, kind_bus_name;
// kind_list.c, kind_environment.c, kind_exec.c, kind_stdio.c, kind_listen.c, kind_condition.c:
extern const struct kind kind_words, kind_uris;
extern const struct kind kind_environment, kind_environment_names, kind_environment_files;
extern const struct kind kind_commands, kind_stdio, kind_ports, kind_conditions;
extern const struct kind kind_multicast_groups, kind_open_files, kind_capabilities;
// kind_syscall.c, kind_restrict.c, kind_process.c:
extern const struct kind kind_syscalls, kind_syscall_error, kind_architectures;
extern const struct kind kind_address_families, kind_namespaces;
extern const struct kind kind_cpus, kind_secure_bits, kind_core_filter;

// Complains about the line. Returns the result of parse: 0, the line is skipped; 1 for a
// DIRECTIVE_SECURITY row, for which the unit is refused.
int kind_complain(const struct parse_context *c, const char *fmt, ...) PRINTF(2, 3);
// "Failed to parse WHAT for NAME=, ignoring: VALUE".
int kind_complain_value(const struct parse_context *c, const char *what, const char *value);
// Reports a complaint of any class; a text without the directive's name gets it in front.
void kind_report(const struct parse_context *c, enum diag_class class, const char *text);
// Complains about a part of a list that is ignored; remarks on a value that is used nevertheless.
void kind_warn(const struct parse_context *c, const char *fmt, ...) PRINTF(2, 3);
void kind_notice(const struct parse_context *c, const char *fmt, ...) PRINTF(2, 3);

// The treatment of the marks of a shared template in a value (conf/types.h).
enum kind_marks {
        KIND_MARKS_KEEP,   // filled later: sets *context->ret_kept; the literal byte is doubled
        KIND_MARKS_REPORT, // never filled: sets *context->ret_marks; the literal byte is refused
        KIND_MARKS_BYTES,  // the same for a text that may contain any byte
};

// Expands specifiers if the row has them. After a failure *ret stays NULL, and the result is that
// of parse (complained about, or -ENOMEM); otherwise it is 0.
int kind_expand(const struct parse_context *c, const char *value, enum specifier_set set,
                enum kind_marks marks, char **ret);

// How words will be read, which determines how they are written.
enum kind_quoting {
        KIND_QUOTE_RAW,   // backslash is an ordinary character
        KIND_QUOTE_PLAIN, // a backslash makes the next character literal
        KIND_QUOTE_C,     // C escapes
};

// Writes value so that reading it gives the same: % doubled, marks as specifiers.
void kind_put_specifiers(struct buf *b, const struct directive *d, const char *value);
// The same as one word, quoted where needed.
void kind_put_word(struct buf *b, const struct directive *d, enum kind_quoting quoting,
                   const char *value);
// Writes the words as one line; nothing for an empty list.
int kind_format_words(const struct directive *d, enum kind_quoting quoting, char *const *words,
                      char ***ret_lines);
// One formatted line.
int kind_push_line(char ***lines, const char *fmt, ...) PRINTF(2, 3);
// Adds the content of b as a line (b is empty afterwards). Returns also b's error.
int kind_push_buf(char ***lines, struct buf *b);

// free, equal, copy and format of char * and char ** fields (a NULL string has no line).
void kind_string_free(void *field);
bool kind_string_equal(const void *a, const void *b);
int kind_string_copy(const void *from, void *to);
int kind_string_format(const struct directive *d, const void *field, char ***ret_lines);
void kind_strv_free(void *field);
bool kind_strv_equal(const void *a, const void *b);
int kind_strv_copy(const void *from, void *to);
// Replaces a char * field; takes over text.
void kind_string_take(void *field, char *text);

// Makes *path (taken over and replaced) absolute and simple, with /run for /var/run and a notice
// about that. 0, or the result of parse with *path NULL.
int kind_clean_path(const struct parse_context *c, char **path);
