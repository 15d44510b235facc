// Booleans and numbers: plain, with a range, sizes, modes, signals, resource limits.
#include "base/clock.h"
#include "base/parse.h"
#include "base/str.h"
#include "conf/kind_impl.h"

#include <inttypes.h>

// None of these types has padding: equal values have equal bytes.
#define DEFINE_KIND(id, dbus, numeric)         \
        const struct kind kind_##id = {        \
                .name = #id,                   \
                .size = sizeof(kind_##id##_t), \
                .signature = dbus,             \
                .parse = parse_as_##id,        \
                .format = format_##id,         \
                .number = numeric,             \
        }

static int parse_as_boolean(const struct parse_context *c, const char *value, void *field)
{
        if (parse_bool(value, field) < 0)
                return kind_complain_value(c, "boolean value", value);
        return 0;
}

static int format_boolean(const struct directive *d UNUSED, const void *field, char ***ret_lines)
{
        return kind_push_line(ret_lines, *(const bool *)field ? "yes" : "no");
}

static int parse_as_tristate(const struct parse_context *c, const char *value, void *field)
{
        bool is_on;

        if (*value && parse_bool(value, &is_on) < 0)
                return kind_complain_value(c, "boolean value", value);
        *(int *)field = *value ? is_on : -1;
        return 0;
}

static int format_tristate(const struct directive *d UNUSED, const void *field, char ***ret_lines)
{
        int v = *(const int *)field;

        return v < 0 ? 0 : kind_push_line(ret_lines, v ? "yes" : "no");
}

static int parse_as_u32(const struct parse_context *c, const char *value, void *field)
{
        if (parse_u32(value, field) < 0)
                return kind_complain_value(c, "unsigned value", value);
        return 0;
}

static int format_u32(const struct directive *d UNUSED, const void *field, char ***ret_lines)
{
        return kind_push_line(ret_lines, "%" PRIu32, *(const uint32_t *)field);
}

static int parse_as_uint(const struct parse_context *c, const char *value, void *field)
{
        return parse_as_u32(c, value, field); // the same type on Linux
}

static int format_uint(const struct directive *d, const void *field, char ***ret_lines)
{
        return format_u32(d, field, ret_lines);
}

static int parse_as_limit(const struct parse_context *c, const char *value, void *field)
{
        if (!streq(value, "infinity"))
                return parse_as_u32(c, value, field);
        *(unsigned *)field = UINT32_MAX;
        return 0;
}

static int format_limit(const struct directive *d, const void *field, char ***ret_lines)
{
        return *(const unsigned *)field == UINT32_MAX ? kind_push_line(ret_lines, "infinity")
                                                      : format_u32(d, field, ret_lines);
}

static int parse_as_i64(const struct parse_context *c, const char *value, void *field)
{
        if (parse_i64(value, field) < 0)
                return kind_complain_value(c, "long value", value);
        return 0;
}

static int format_i64(const struct directive *d UNUSED, const void *field, char ***ret_lines)
{
        return kind_push_line(ret_lines, "%" PRId64, *(const int64_t *)field);
}

static const struct integer_range *range_of(const struct directive *d)
{
        return (const struct integer_range *)d->arg;
}

static int parse_as_integer(const struct parse_context *c, const char *value, void *field)
{
        const struct integer_range *range = range_of(c->directive);
        int32_t v = range->unset;
        int r = !*value && range->can_unset ? 0 : parse_i32(value, &v);

        if (r < 0)
                return kind_complain_value(c, "number", value);
        if (*value && (v < range->min || v > range->max))
                return kind_complain(c, "%s= takes a number from %d to %d, ignoring: %s",
                                     c->directive->name, range->min, range->max, value);
        *(int *)field = v;
        return 0;
}

static int format_integer(const struct directive *d, const void *field, char ***ret_lines)
{
        const struct integer_range *range = range_of(d);
        int v = *(const int *)field;

        if (range->can_unset && v == range->unset && (v < range->min || v > range->max))
                return 0;
        return kind_push_line(ret_lines, "%d", v);
}

static int parse_as_size(const struct parse_context *c, const char *value, void *field)
{
        if (parse_size(value, field) < 0)
                return kind_complain_value(c, "size value", value);
        return 0;
}

static int format_size(const struct directive *d UNUSED, const void *field, char ***ret_lines)
{
        uint64_t v = *(const uint64_t *)field;

        return v == UINT64_MAX ? kind_push_line(ret_lines, "infinity")
                               : kind_push_line(ret_lines, "%" PRIu64, v);
}

static int parse_as_mode(const struct parse_context *c, const char *value, void *field)
{
        if (parse_mode(value, field) < 0)
                return kind_complain_value(c, "mode value", value);
        return 0;
}

static int format_mode(const struct directive *d UNUSED, const void *field, char ***ret_lines)
{
        return kind_push_line(ret_lines, "%04o", *(const mode_t *)field);
}

static int parse_as_ip_tos(const struct parse_context *c, const char *value, void *field)
{
        int v = choices_find(&choices_ip_tos, value);

        if (v < 0 && (parse_i32(value, &v) < 0 || v < -1 || v > 255))
                return kind_complain_value(c, "IP TOS value", value);
        *(int *)field = v;
        return 0;
}

static int format_ip_tos(const struct directive *d UNUSED, const void *field, char ***ret_lines)
{
        int v = *(const int *)field;
        const char *name = choices_name(&choices_ip_tos, v);

        return *name ? kind_push_line(ret_lines, "%s", name) : kind_push_line(ret_lines, "%d", v);
}

// 0 is "not set", the value of "" if that is the default; otherwise "" is no signal, as in systemd.
static int parse_as_signal(const struct parse_context *c, const char *value, void *field)
{
        int v = 0;

        bool may_be_empty = !c->directive || !c->directive->default_;

        if ((*value || !may_be_empty) && parse_signal(value, &v) < 0)
                return kind_complain_value(c, "signal name", value);
        *(int *)field = v;
        return 0;
}

static int format_signal(const struct directive *d UNUSED, const void *field, char ***ret_lines)
{
        char buf[SIGNAL_NAME_MAX];
        int v = *(const int *)field;
        const char *name = v > 0 ? signal_format(v, buf, sizeof(buf)) : "";
        bool is_name = *name && (*name < '0' || *name > '9');

        return *name ? kind_push_line(ret_lines, "%s%s", is_name ? "SIG" : "", name) : 0;
}

static int number_of_boolean(const void *field)
{
        return *(const bool *)field;
}

static int number_of_uint(const void *field)
{
        return (int)MIN(*(const unsigned *)field, (unsigned)INT32_MAX);
}

static int number_of_integer(const void *field)
{
        return *(const int *)field;
}

DEFINE_KIND(boolean, "b", number_of_boolean);
DEFINE_KIND(tristate, NULL, NULL);
DEFINE_KIND(uint, "u", number_of_uint);
DEFINE_KIND(limit, "u", NULL);
DEFINE_KIND(u32, "u", NULL);
DEFINE_KIND(i64, "x", NULL);
DEFINE_KIND(integer, "i", number_of_integer);
DEFINE_KIND(size, "t", NULL);
DEFINE_KIND(mode, "u", NULL);
DEFINE_KIND(ip_tos, "i", number_of_integer);
DEFINE_KIND(signal, "i", NULL);
