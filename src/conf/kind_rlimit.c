// Resource limits: "limit" or "soft:hard"; the unit of a number depends on the resource (`arg`).
#include "base/parse.h"
#include "base/str.h"
#include "conf/kind_impl.h"

#include <inttypes.h>

#define NICE_LIMIT_MAX 40 // RLIMIT_NICE counts from 1 (nice 19) to 40 (nice -20)

// A number with a sign is a nice level, otherwise the kernel's value (systemd.exec(5)).
static int parse_nice_limit(const char *s, uint64_t *ret)
{
        int32_t level;
        uint64_t v;

        if (*s == '+' || *s == '-') {
                if (parse_i32(s, &level) < 0 || level < -20 || level > 19)
                        return -EINVAL;
                *ret = (uint64_t)(20 - level);
                return 0;
        }
        if (parse_u64(s, &v) < 0 || v > NICE_LIMIT_MAX)
                return -EINVAL;
        *ret = v;
        return 0;
}

static int parse_time_limit(const char *s, usec_t unit, uint64_t *ret)
{
        usec_t v;
        int r = parse_usec(s, unit, &v);

        if (r < 0)
                return r;
        *ret = v / unit + (v % unit > 0 ? 1 : 0);
        return 0;
}

static int parse_one(int resource, const char *s, rlim_t *ret)
{
        uint64_t v = UINT64_MAX;
        int r = 0;

        if (streq(s, "infinity")) {
                *ret = RLIM_INFINITY;
                return 0;
        }
        switch (resource) {
        case RLIMIT_CPU:
                r = parse_time_limit(s, USEC_PER_SEC, &v);
                break;
        case RLIMIT_RTTIME:
                r = parse_time_limit(s, 1, &v);
                break;
        case RLIMIT_NICE:
                r = parse_nice_limit(s, &v);
                break;
        case RLIMIT_FSIZE:
        case RLIMIT_DATA:
        case RLIMIT_STACK:
        case RLIMIT_CORE:
        case RLIMIT_RSS:
        case RLIMIT_AS:
        case RLIMIT_MEMLOCK:
        case RLIMIT_MSGQUEUE:
                r = parse_size(s, &v);
                break;
        default:
                r = parse_u64(s, &v);
        }
        if (r < 0)
                return r;
        if (v >= RLIM_INFINITY) // only the word "infinity" means no limit
                return -ERANGE;
        *ret = (rlim_t)v;
        return 0;
}

static int parse_rlimit(const struct parse_context *c, const char *value, void *field)
{
        CLEANUP(free) char *soft = NULL;
        struct rlimit_value v = {.is_set = true};
        int resource = (int)c->directive->arg;
        const char *colon = strchr(value, ':');

        if (!*value) {
                *(struct rlimit_value *)field = (struct rlimit_value){0};
                return 0;
        }
        soft = str_ndup(value, colon ? (size_t)(colon - value) : strlen(value));
        if (!soft)
                return -ENOMEM;
        if (parse_one(resource, soft, &v.soft) < 0 ||
            parse_one(resource, colon ? colon + 1 : soft, &v.hard) < 0)
                return kind_complain_value(c, "resource value", value);
        if (v.soft > v.hard)
                return kind_complain(
                        c, "Soft resource limit chosen higher than hard limit, ignoring: %s",
                        value);
        *(struct rlimit_value *)field = v;
        return 0;
}

static void put_limit(struct buf *b, rlim_t v)
{
        if (v == RLIM_INFINITY)
                buf_puts(b, "infinity");
        else
                buf_printf(b, "%" PRIu64, (uint64_t)v);
}

static int format_rlimit(const struct directive *d UNUSED, const void *field, char ***ret_lines)
{
        const struct rlimit_value *v = field;
        CLEANUP(buf) struct buf b = BUF_NULL;

        if (!v->is_set)
                return 0;
        put_limit(&b, v->soft);
        if (v->soft != v->hard) {
                buf_putc(&b, ':');
                put_limit(&b, v->hard);
        }
        return kind_push_buf(ret_lines, &b);
}

static bool equal_rlimit(const void *a, const void *b)
{
        const struct rlimit_value *x = a, *y = b;

        return x->is_set == y->is_set && (!x->is_set || (x->soft == y->soft && x->hard == y->hard));
}

const struct kind kind_rlimit = {
        .name = "rlimit",
        .size = sizeof(kind_rlimit_t),
        .signature = NULL,
        .parse = parse_rlimit,
        .format = format_rlimit,
        .equal = equal_rlimit,
};
