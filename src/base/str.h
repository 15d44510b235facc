// Strings: comparisons, prefixes, allocation by printf, escaping of untrusted text.
#pragma once

#include "base/def.h"

static inline bool streq(const char *a, const char *b)
{
        return strcmp(a, b) == 0;
}

// Both NULL, or both strings and equal.
bool str_eq_ptr(const char *a, const char *b);
// s if it begins (ends) with prefix (suffix): the part after the prefix, or the start of the
// suffix; else NULL.
char *str_after_prefix(const char *s, const char *prefix);
char *str_at_suffix(const char *s, const char *suffix);
bool str_is_empty(const char *s); // NULL or ""

// printf into a new string; NULL: no memory.
char *str_printf(const char *fmt, ...) PRINTF(1, 2);
// strndup that accepts n larger than the string. NULL: no memory.
char *str_ndup(const char *s, size_t n);
// Replace *p with a copy of s (NULL: with NULL). 0 or -ENOMEM (then *p is unchanged).
int str_set(char **p, const char *s);
// Strip ASCII white space at both ends, in place; returns the new start.
char *str_strip(char *s);
// Does s begin with a character that controls a terminal or the direction of text? These are
// ASCII's control bytes except the tab, U+0080 to U+009F, the line separators and the marks for
// text from right to left (Unicode's Bidi_Control). s is valid UTF-8.
bool str_is_control(const char *s);
// Copy with such characters and invalid UTF-8 as \xHH for each byte: safe for logs and terminals.
// NULL: no memory.
char *str_escape(const char *s);
char *str_escape_lines(const char *s); // the same, but newlines stay
bool str_is_utf8(const char *s);
// Copies as many whole characters of valid UTF-8 as fit with a NUL into size bytes (at least 1).
void str_copy_cut(char *to, size_t size, const char *from);
// Bytes of the valid UTF-8 sequence that s begins with (1 for "", its NUL), 0 if it is not valid.
size_t str_utf8_length(const char *s);
// The name of names[] (n entries) that is nearest to s by edit distance, if at most a third of the
// length differs, so that it is probably the intended one; else NULL.
const char *str_nearest(const char *s, const char *const *names, size_t n);
