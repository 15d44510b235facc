// NULL-terminated arrays of owned strings. NULL itself is the empty array.
#pragma once

#include "base/def.h"

void strv_free(char **v);
DEFINE_CLEANUP(strv, char **, strv_free)

size_t strv_length(char *const *v);
bool strv_contains(char *const *v, const char *s);
bool strv_equal(char *const *a, char *const *b);
// Append a copy of s (strv_push_take: s itself, freed on failure). 0 or -ENOMEM.
int strv_push(char ***v, const char *s);
int strv_push_take(char ***v, char *s);
// Append copies of all of add. 0 or -ENOMEM (then *v is unchanged).
int strv_extend(char ***v, char *const *add);
// Copy; *ret may be NULL for an empty array. 0 or -ENOMEM.
int strv_copy(char *const *v, char ***ret);
// Split at any character of separators, empty parts dropped. 0 or -ENOMEM.
int strv_split(const char *s, const char *separators, char ***ret);
// Joined by separator; NULL: no memory.
char *strv_join(char *const *v, const char *separator);
void strv_sort(char **v);
// Sort and drop duplicates.
void strv_sort_unique(char **v);
// Remove every entry that equals s; returns how many.
size_t strv_remove(char **v, const char *s);

#define STRV_FOREACH(item, v) for (char *const *item = (v); item && *item; item++)

// Environment blocks ("NAME=value"). The last assignment of a name wins.
// Value of name (length-exact compare of the part before '='), or NULL.
const char *strv_env_get(char *const *env, const char *name);
// Set or replace; assignment is "NAME=value", copied. 0 or -ENOMEM.
int strv_env_set(char ***env, const char *assignment);
// Remove name (or, if name contains '=', that exact assignment).
void strv_env_unset(char **env, const char *name);
// "NAME=value" that can stand in an environment: the name is valid, the value is UTF-8. It may have
// control characters, as with systemd.
bool strv_env_assignment_is_valid(const char *assignment);
// A valid variable name: [A-Za-z_][A-Za-z0-9_]*.
bool strv_env_name_is_valid(const char *name, size_t length);
