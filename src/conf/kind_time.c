// Time spans.
#include "base/clock.h"
#include "base/parse.h"
#include "base/str.h"
#include "conf/kind_impl.h"

#include <inttypes.h>

static int parse_as_usec(const struct parse_context *c, const char *value, void *field)
{
        if (parse_usec(value, USEC_PER_SEC, field) < 0)
                return kind_complain_value(c, "time span", value);
        return 0;
}

static int format_usec(const struct directive *d UNUSED, const void *field, char ***ret_lines)
{
        char buf[USEC_SPAN_MAX];

        return kind_push_line(ret_lines, "%s",
                              usec_format_span(*(const usec_t *)field, 1, buf, sizeof(buf)));
}

static int parse_as_timeout(const struct parse_context *c, const char *value, void *field)
{
        usec_t v;

        if (parse_usec(value, USEC_PER_SEC, &v) < 0)
                return kind_complain_value(c, "time span", value);
        *(usec_t *)field = v == 0 ? USEC_INFINITY : v; // in systemd 0 also means no limit
        return 0;
}

// Nanoseconds: a bare number, "ns", "nsec", or any unit of time spans.
static int parse_nsec_text(const char *value, uint64_t *ret)
{
        static const char *const units[] = {"nsec", "ns"};
        usec_t v;
        int r = parse_u64(value, ret);

        for (size_t i = 0; r < 0 && i < ARRAY_SIZE(units); i++) {
                const char *end = str_at_suffix(value, units[i]);
                CLEANUP(free) char *number = NULL;

                if (!end)
                        continue;
                number = str_ndup(value, (size_t)(end - value));
                if (!number)
                        return -ENOMEM;
                return parse_u64(str_strip(number), ret);
        }
        if (r == 0)
                return 0;
        r = parse_usec(value, USEC_PER_SEC, &v);
        if (r < 0)
                return r;
        if (v > UINT64_MAX / NSEC_PER_USEC)
                return -ERANGE;
        *ret = v * NSEC_PER_USEC;
        return 0;
}

static int parse_as_nsec(const struct parse_context *c, const char *value, void *field)
{
        uint64_t v = UINT64_MAX;
        int r = *value ? parse_nsec_text(value, &v) : 0;

        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return kind_complain_value(c, "time span", value);
        *(uint64_t *)field = v;
        return 0;
}

static int format_nsec(const struct directive *d UNUSED, const void *field, char ***ret_lines)
{
        uint64_t v = *(const uint64_t *)field;

        return v == UINT64_MAX ? 0 : kind_push_line(ret_lines, "%" PRIu64, v);
}

// Whole seconds, rounded down as in systemd, but at least one.
static int number_of_usec(const void *field)
{
        usec_t s = *(const usec_t *)field / USEC_PER_SEC;

        return s > INT32_MAX ? INT32_MAX : s == 0 ? 1 : (int)s;
}

#define DEFINE_KIND(id, parser, formatter, numeric) \
        const struct kind kind_##id = {             \
                .name = #id,                        \
                .size = sizeof(kind_##id##_t),      \
                .signature = "t",                   \
                .parse = parser,                    \
                .format = formatter,                \
                .number = numeric,                  \
        }

DEFINE_KIND(usec, parse_as_usec, format_usec, number_of_usec);
DEFINE_KIND(timeout, parse_as_timeout, format_usec, number_of_usec);
DEFINE_KIND(nsec, parse_as_nsec, format_nsec, NULL);
