#include "base/parse.h"

#include "base/str.h"

#include <ctype.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <strings.h>

int parse_bool(const char *s, bool *ret)
{
        static const char *const yes[] = {"1", "yes", "y", "true", "t", "on"};
        static const char *const no[] = {"0", "no", "n", "false", "f", "off"};

        for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
                if (strcasecmp(s, yes[i]) == 0 || strcasecmp(s, no[i]) == 0) {
                        *ret = strcasecmp(s, yes[i]) == 0;
                        return 0;
                }
        }
        return -EINVAL;
}

static unsigned digit_value(char c)
{
        if (c >= '0' && c <= '9')
                return (unsigned)(c - '0');
        if (c >= 'a' && c <= 'z')
                return (unsigned)(c - 'a') + 10;
        return c >= 'A' && c <= 'Z' ? (unsigned)(c - 'A') + 10 : UINT_MAX;
}

static int parse_digits(const char *s, uint64_t *ret)
{
        unsigned base = 10;
        uint64_t value = 0;

        if (s[0] == '0' && s[1]) {
                char c = s[1];

                base = c == 'x' || c == 'X' ? 16 : c == 'b' || c == 'B' ? 2 : 8;
                s += base == 8 && c != 'o' && c != 'O' ? 1 : 2;
        }
        if (!*s)
                return -EINVAL;
        for (; *s; s++) {
                unsigned digit = digit_value(*s);

                if (digit >= base)
                        return -EINVAL;
                if (__builtin_mul_overflow(value, (uint64_t)base, &value) ||
                    __builtin_add_overflow(value, (uint64_t)digit, &value))
                        return -ERANGE;
        }
        *ret = value;
        return 0;
}

int parse_u64(const char *s, uint64_t *ret)
{
        return parse_digits(s[0] == '+' ? s + 1 : s, ret);
}

int parse_u32(const char *s, uint32_t *ret)
{
        uint64_t value;
        int r = parse_u64(s, &value);

        if (r < 0)
                return r;
        if (value > UINT32_MAX)
                return -ERANGE;
        *ret = (uint32_t)value;
        return 0;
}

int parse_i64(const char *s, int64_t *ret)
{
        bool is_negative = s[0] == '-';
        uint64_t value;
        int r = parse_digits(s[0] == '-' || s[0] == '+' ? s + 1 : s, &value);

        if (r < 0)
                return r;
        if (value > (uint64_t)INT64_MAX + is_negative)
                return -ERANGE;
        *ret = is_negative ? (int64_t)(0 - value) : (int64_t)value;
        return 0;
}

int parse_i32(const char *s, int32_t *ret)
{
        int64_t value;
        int r = parse_i64(s, &value);

        if (r < 0)
                return r;
        if (value < INT32_MIN || value > INT32_MAX)
                return -ERANGE;
        *ret = (int32_t)value;
        return 0;
}

static int parse_decimal_id(const char *s, uint32_t *ret)
{
        if (!isdigit((unsigned char)s[0]) || (s[0] == '0' && s[1]))
                return -EINVAL;
        return parse_u32(s, ret);
}

int parse_uid(const char *s, uid_t *ret)
{
        uint32_t value;
        int r = parse_decimal_id(s, &value);

        if (r < 0)
                return r;
        if (value == UINT32_MAX || value == UINT16_MAX)
                return -ERANGE; // the kernel's and old systems' "nobody at all"
        *ret = value;
        return 0;
}

int parse_pid(const char *s, pid_t *ret)
{
        uint32_t value;
        int r = parse_decimal_id(s, &value);

        if (r < 0)
                return r;
        if (value == 0 || value > INT32_MAX)
                return -ERANGE;
        *ret = (pid_t)value;
        return 0;
}

#define PID_LINE_MAX 64 // with surrounding blanks

int parse_pid_file(const char *text, size_t size, pid_t *ret)
{
        char line[PID_LINE_MAX + 1];
        size_t n = 0;

        while (n < size && text[n] != '\n' && text[n] != '\0')
                n++;
        if (n > PID_LINE_MAX)
                return -EINVAL;
        memcpy(line, text, n);
        line[n] = '\0';
        return parse_pid(str_strip(line), ret);
}

int parse_mode(const char *s, mode_t *ret)
{
        mode_t value = 0;

        if (!*s)
                return -EINVAL;
        for (; *s; s++) {
                if (*s < '0' || *s > '7')
                        return -EINVAL;
                value = value * 8 + (mode_t)(*s - '0');
                if (value > 07777)
                        return -ERANGE;
        }
        *ret = value;
        return 0;
}

// The first that matches is right, so that "min" comes before "m".
static const struct {
        const char *suffix;
        usec_t value;
} time_units[] = {
        {"seconds", USEC_PER_SEC},
        {"second", USEC_PER_SEC},
        {"sec", USEC_PER_SEC},
        {"s", USEC_PER_SEC},
        {"minutes", 60 * USEC_PER_SEC},
        {"minute", 60 * USEC_PER_SEC},
        {"min", 60 * USEC_PER_SEC},
        {"months", 2629800 * USEC_PER_SEC},
        {"month", 2629800 * USEC_PER_SEC},
        {"M", 2629800 * USEC_PER_SEC},
        {"msec", USEC_PER_MSEC},
        {"ms", USEC_PER_MSEC},
        {"m", 60 * USEC_PER_SEC},
        {"hours", 3600 * USEC_PER_SEC},
        {"hour", 3600 * USEC_PER_SEC},
        {"hr", 3600 * USEC_PER_SEC},
        {"h", 3600 * USEC_PER_SEC},
        {"days", 86400 * USEC_PER_SEC},
        {"day", 86400 * USEC_PER_SEC},
        {"d", 86400 * USEC_PER_SEC},
        {"weeks", 604800 * USEC_PER_SEC},
        {"week", 604800 * USEC_PER_SEC},
        {"w", 604800 * USEC_PER_SEC},
        {"years", 31557600 * USEC_PER_SEC},
        {"year", 31557600 * USEC_PER_SEC},
        {"y", 31557600 * USEC_PER_SEC},
        {"usec", 1},
        {"us", 1},
        {"\xc2\xb5s", 1},
        {"\xce\xbcs", 1},
};

static const char blanks[] = " \t\n\r";

// Decimal digits at *p, moving on. -EINVAL: there are none (only "-" in front: -ERANGE).
static int take_digits(const char **p, uint64_t *ret)
{
        const char *s = *p;
        uint64_t value = 0;

        if (*s == '-')
                return -ERANGE;
        if (*s == '+')
                s++;
        if (!isdigit((unsigned char)*s))
                return -EINVAL;
        for (; isdigit((unsigned char)*s); s++)
                if (__builtin_mul_overflow(value, (uint64_t)10, &value) ||
                    __builtin_add_overflow(value, (uint64_t)(*s - '0'), &value))
                        return -ERANGE;
        *p = s;
        *ret = value;
        return 0;
}

static usec_t take_time_unit(const char **p, usec_t fallback)
{
        for (size_t i = 0; i < ARRAY_SIZE(time_units); i++) {
                const char *rest = str_after_prefix(*p, time_units[i].suffix);

                if (rest) {
                        *p = rest;
                        return time_units[i].value;
                }
        }
        return fallback;
}

// One number with its unit. ".5s" is fine, "5.s" and "1.2.3" are not.
static int take_span(const char **p, usec_t default_unit, usec_t *ret)
{
        const char *s = *p, *fraction = NULL;
        uint64_t value = 0;

        if (*s != '.') {
                int r = take_digits(&s, &value);

                if (r < 0)
                        return r;
        }
        if (*s == '.') {
                fraction = s + 1;
                if (!isdigit((unsigned char)*fraction))
                        return -EINVAL;
                s = fraction + strspn(fraction, "0123456789");
        }
        const char *behind = s;

        s += strspn(s, blanks);
        usec_t unit = take_time_unit(&s, default_unit);

        if (s == behind && *s)
                return -EINVAL;
        if (__builtin_mul_overflow(value, unit, &value))
                return -ERANGE;
        for (; fraction && isdigit((unsigned char)*fraction); fraction++) {
                unit /= 10;
                if (__builtin_add_overflow(value, unit * (usec_t)(*fraction - '0'), &value))
                        return -ERANGE;
        }
        *p = s;
        *ret = value;
        return 0;
}

int parse_usec(const char *s, usec_t default_unit, usec_t *ret)
{
        usec_t sum = 0;

        s += strspn(s, blanks);
        const char *rest = str_after_prefix(s, "infinity");

        if (rest) {
                if (rest[strspn(rest, blanks)])
                        return -EINVAL;
                *ret = USEC_INFINITY;
                return 0;
        }
        if (!*s)
                return -EINVAL;
        for (; *s; s += strspn(s, blanks)) {
                usec_t part;
                int r = take_span(&s, default_unit, &part);

                if (r < 0)
                        return r;
                if (__builtin_add_overflow(sum, part, &sum) || sum == USEC_INFINITY)
                        return -ERANGE;
        }
        *ret = sum;
        return 0;
}

static const char size_letters[] = "EPTGMKB";

// One number with its letter; the letter must come after *index in size_letters, which is moved
// on: "1G 512M" is a sum, "512M 1G" is an error.
static int take_size(const char **p, size_t *index, uint64_t *ret)
{
        const char *s = *p + strspn(*p, blanks), *letter;
        uint64_t whole, pico = 0, scale = 100000000000u, part;
        int r = take_digits(&s, &whole);

        if (r < 0)
                return r;
        if (*s == '.') {
                for (s++; isdigit((unsigned char)*s); s++, scale /= 10)
                        pico += scale * (uint64_t)(*s - '0');
        }
        s += strspn(s, blanks);
        letter = *s ? strchr(size_letters + MIN(*index, strlen(size_letters)), *s) : NULL;
        // A missing letter counts as the last one, and only once.
        size_t found = letter ? (size_t)(letter - size_letters) : strlen(size_letters);

        if (found < *index || *index > strlen(size_letters))
                return -EINVAL;
        uint64_t unit = found < 6 ? (uint64_t)1 << (10 * (6 - found)) : 1;

        if (__builtin_mul_overflow(whole, unit, &whole))
                return -ERANGE;
        part = (uint64_t)((unsigned __int128)pico * unit / 1000000000000u);
        if (__builtin_add_overflow(whole, part, ret))
                return -ERANGE;
        *index = found + 1;
        *p = letter ? s + 1 : s;
        return 0;
}

int parse_size(const char *s, uint64_t *ret)
{
        uint64_t sum = 0, part;
        size_t index = 0;

        if (streq(s, "infinity")) {
                *ret = UINT64_MAX;
                return 0;
        }
        do {
                int r = take_size(&s, &index, &part);

                if (r < 0)
                        return r;
                if (__builtin_add_overflow(sum, part, &sum) || sum == UINT64_MAX)
                        return -ERANGE;
        } while (*s);
        *ret = sum;
        return 0;
}

static const char *const signal_names[] = {
        [SIGHUP] = "HUP",   [SIGINT] = "INT",       [SIGQUIT] = "QUIT", [SIGILL] = "ILL",
        [SIGTRAP] = "TRAP", [SIGABRT] = "ABRT",     [SIGBUS] = "BUS",   [SIGFPE] = "FPE",
        [SIGKILL] = "KILL", [SIGUSR1] = "USR1",     [SIGSEGV] = "SEGV", [SIGUSR2] = "USR2",
        [SIGPIPE] = "PIPE", [SIGALRM] = "ALRM",     [SIGTERM] = "TERM", [SIGSTKFLT] = "STKFLT",
        [SIGCHLD] = "CHLD", [SIGCONT] = "CONT",     [SIGSTOP] = "STOP", [SIGTSTP] = "TSTP",
        [SIGTTIN] = "TTIN", [SIGTTOU] = "TTOU",     [SIGURG] = "URG",   [SIGXCPU] = "XCPU",
        [SIGXFSZ] = "XFSZ", [SIGVTALRM] = "VTALRM", [SIGPROF] = "PROF", [SIGWINCH] = "WINCH",
        [SIGIO] = "IO",     [SIGPWR] = "PWR",       [SIGSYS] = "SYS",
};

static int parse_realtime_signal(const char *s, int *ret)
{
        const char *up = str_after_prefix(s, "RTMIN"), *down = str_after_prefix(s, "RTMAX");
        const char *rest = up ? up : down;
        uint32_t offset = 0;

        if (!rest || (*rest && *rest != (up ? '+' : '-')))
                return -EINVAL;
        if (*rest && parse_u32(rest + 1, &offset) < 0)
                return -EINVAL;
        if (offset > (uint32_t)(SIGRTMAX - SIGRTMIN))
                return -ERANGE;
        *ret = up ? SIGRTMIN + (int)offset : SIGRTMAX - (int)offset;
        return 0;
}

int parse_signal(const char *s, int *ret)
{
        const char *name = str_after_prefix(s, "SIG");
        int32_t number;

        if (!name)
                name = s;
        for (size_t i = 1; i < ARRAY_SIZE(signal_names); i++)
                if (signal_names[i] && streq(signal_names[i], name)) {
                        *ret = (int)i;
                        return 0;
                }
        if (isdigit((unsigned char)s[0])) {
                if (parse_i32(s, &number) < 0 || number < 1 || number >= _NSIG)
                        return -ERANGE;
                *ret = number;
                return 0;
        }
        return parse_realtime_signal(name, ret);
}

const char *signal_format(int signo, char *buf, size_t size)
{
        if (signo > 0 && (size_t)signo < ARRAY_SIZE(signal_names) && signal_names[signo])
                return signal_names[signo];
        if (signo >= SIGRTMIN && signo <= SIGRTMAX)
                snprintf(buf, size, "RTMIN+%d", signo - SIGRTMIN);
        else
                snprintf(buf, size, "%d", signo);
        return buf;
}
