// What the kinds (kind_*.c) share: complaints, specifiers, quoting, lists of strings. For them and
// conf/group.c only.
#pragma once

#include "base/buf.h"
#include "conf/directive.h"

// Every kind there is, by the name that rows use. kind_number.c, kind_time.c, kind_choice.c:
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
// kind_syscall.c, kind_restrict.c:
extern const struct kind kind_syscalls, kind_syscall_error, kind_architectures;
extern const struct kind kind_address_families, kind_namespaces;

// Say what is wrong with the line. The result is what parse returns: 0, the line is skipped; 1 for
// a DIRECTIVE_SECURITY row, which refuses the unit.
int kind_complain(const struct parse_context *c, const char *fmt, ...) PRINTF(2, 3);
// "Failed to parse WHAT for NAME=, ignoring: VALUE".
int kind_complain_value(const struct parse_context *c, const char *what, const char *value);
// Any of these: a text that does not name the directive gets its name in front.
void kind_report(const struct parse_context *c, enum diag_class class, const char *text);
// About a part of a list that is left out; and a remark on what is used all the same.
void kind_warn(const struct parse_context *c, const char *fmt, ...) PRINTF(2, 3);
void kind_notice(const struct parse_context *c, const char *fmt, ...) PRINTF(2, 3);

// What becomes of the marks of a shared template in a value (conf/types.h).
enum kind_marks {
        KIND_MARKS_KEEP,   // filled later: told by *context->ret_kept; the byte stands there twice
        KIND_MARKS_REPORT, // nobody fills them: told by *context->ret_marks; the byte is refused
        KIND_MARKS_BYTES,  // as before, of a text that may hold any byte
};

// Expand specifiers where the row has them. *ret stays NULL when it could not be done: then the
// result is what parse returns (complained about, or -ENOMEM); else it is 0.
int kind_expand(const struct parse_context *c, const char *value, enum specifier_set set,
                enum kind_marks marks, char **ret);

// How words are read back, and thus what they need when they are written.
enum kind_quoting {
        KIND_QUOTE_RAW,   // backslash is an ordinary character
        KIND_QUOTE_PLAIN, // backslash takes the next character as it is
        KIND_QUOTE_C,     // C escapes
};

// The text that gives value when it is read: specifiers doubled, marks as specifiers again.
void kind_put_specifiers(struct buf *b, const struct directive *d, const char *value);
// The same as one word, quoted where needed.
void kind_put_word(struct buf *b, const struct directive *d, enum kind_quoting quoting,
                   const char *value);
// The words in one line, nothing for an empty list.
int kind_format_words(const struct directive *d, enum kind_quoting quoting, char *const *words,
                      char ***ret_lines);
// One formatted line.
int kind_push_line(char ***lines, const char *fmt, ...) PRINTF(2, 3);
// The content of b as a line (b is empty then). Its error, too.
int kind_push_buf(char ***lines, struct buf *b);

// free, equal, copy and format of char * and char ** fields (a NULL string has no line).
void kind_string_free(void *field);
bool kind_string_equal(const void *a, const void *b);
int kind_string_copy(const void *from, void *to);
int kind_string_format(const struct directive *d, const void *field, char ***ret_lines);
void kind_strv_free(void *field);
bool kind_strv_equal(const void *a, const void *b);
int kind_strv_copy(const void *from, void *to);
// Replace a char * field; text is handed over.
void kind_string_take(void *field, char *text);

// Make path (handed over, replaced) absolute and simple, with /run for /var/run and a notice about
// it. 0, or what parse returns with *path NULL.
int kind_clean_path(const struct parse_context *c, char **path);
