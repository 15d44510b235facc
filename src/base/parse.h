// Text to numbers and back, in systemd's notations. All: 0 and *ret set, or -EINVAL / -ERANGE.
#pragma once

#include "base/def.h"

#include <sys/types.h>

int parse_bool(const char *s, bool *ret); // 1 yes y true t on / 0 no n false f off, any case
int parse_u64(const char *s,
              uint64_t *ret); // decimal, 0x hex, 0o or 0 octal, 0b binary; may begin with +
int parse_u32(const char *s, uint32_t *ret);
int parse_i32(const char *s, int32_t *ret);
int parse_i64(const char *s, int64_t *ret);
// Decimal only, no sign, no leading zeros: ids (a name that looks like hex or octal is not an id).
int parse_uid(const char *s, uid_t *ret); // refuses (uid_t)-1 and 65535 as systemd does
int parse_pid(const char *s, pid_t *ret);
// The text of a PID file, size bytes: the number is the first line, with or without blanks around
// it; some daemons write more lines. A NUL ends a line, too.
int parse_pid_file(const char *text, size_t size, pid_t *ret);
int parse_mode(const char *s, mode_t *ret); // octal, <= 07777
// "5min 20s", "100ms", bare number in default_unit; "infinity". systemd.time(7).
int parse_usec(const char *s, usec_t default_unit, usec_t *ret);
// K M G T P E (base 1024) or B, optional fraction, largest first ("1G 512M"); "infinity" =
// UINT64_MAX.
int parse_size(const char *s, uint64_t *ret);
// Takes one word from *p (which moves on), with quotes removed, C escapes as in systemd.syntax(7);
// see enum below. 1 a word (*ret new string), 0 end, -EINVAL unbalanced quote or (unless kept) an
// unknown escape or a backslash at the end, -ENOMEM. After an error *p is at the start of the word.
enum parse_word_flags {
        PARSE_WORD_UNQUOTE = 1 << 0,      // remove " and ' anywhere in the word
        PARSE_WORD_UNESCAPE = 1 << 1,     // C escapes
        PARSE_WORD_KEEP_UNKNOWN = 1 << 2, // an unknown escape is kept, with its backslash
        PARSE_WORD_NO_BACKSLASH = 1 << 3, // backslash is an ordinary character
};
int parse_word(const char **p, const char *separators, enum parse_word_flags flags, char **ret);
// All words. 0 or as above.
int parse_words(const char *s, enum parse_word_flags flags, char ***ret);
// The value of NAME=value in a text of shell assignments, one on each line, as in os-release(5):
// quotes are removed, and the last assignment counts. 1 and *ret; 0: there is none; -ENOMEM.
int parse_shell_variable(const char *text, const char *name, char **ret);
// Signal names ("SIGTERM", "TERM", "RTMIN+3", "15"): number 1.._NSIG-1.
int parse_signal(const char *s, int *ret);
// The name without SIG ("TERM", "RTMIN+3"); buf is used for real-time signals.
#define SIGNAL_NAME_MAX 24
const char *signal_format(int signo, char *buf, size_t size);
