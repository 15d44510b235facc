#include "base/clock.h"

#include <stdio.h>

static usec_t read_clock(clockid_t id)
{
        struct timespec ts;

        clock_gettime(id, &ts);
        return (usec_t)ts.tv_sec * USEC_PER_SEC + (usec_t)ts.tv_nsec / NSEC_PER_USEC;
}

usec_t clock_now(void)
{
        return read_clock(CLOCK_MONOTONIC);
}

usec_t clock_now_realtime(void)
{
        return read_clock(CLOCK_REALTIME);
}

usec_t clock_now_boottime(void)
{
        return read_clock(CLOCK_BOOTTIME);
}

usec_t clock_cpu(void)
{
        return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

usec_t usec_add(usec_t a, usec_t b)
{
        return a > USEC_INFINITY - b ? USEC_INFINITY : a + b;
}

usec_t usec_sub(usec_t a, usec_t b)
{
        if (a == USEC_INFINITY)
                return USEC_INFINITY;
        return a > b ? a - b : 0;
}

// The largest units first; below a minute the rest is one number with a fraction ("1min 2.500s").
const char *usec_format_span(usec_t t, usec_t accuracy, char *buf, size_t size)
{
        static const struct {
                const char *suffix;
                usec_t value;
        } units[] = {
                {"y", 31557600 * USEC_PER_SEC},
                {"month", 2629800 * USEC_PER_SEC},
                {"w", 604800 * USEC_PER_SEC},
                {"d", 86400 * USEC_PER_SEC},
                {"h", 3600 * USEC_PER_SEC},
                {"min", 60 * USEC_PER_SEC},
                {"s", USEC_PER_SEC},
                {"ms", USEC_PER_MSEC},
                {"us", 1},
        };
        size_t n = 0;
        bool is_done = false;

        if (t == USEC_INFINITY || t == 0) {
                snprintf(buf, size, "%s", t == 0 ? "0" : "infinity");
                return buf;
        }
        buf[0] = '\0';
        for (size_t i = 0; i < ARRAY_SIZE(units) && t > 0 && !is_done; i++) {
                usec_t whole = t / units[i].value, rest = t % units[i].value;
                int digits = 0;

                if (t < accuracy && n > 0)
                        break;
                if (t < units[i].value)
                        continue;
                if (t < 60 * USEC_PER_SEC && rest > 0) {
                        // as many decimals as the accuracy requires
                        for (usec_t k = units[i].value; k > 1; k /= 10)
                                digits++;
                        for (usec_t k = accuracy; k > 1; k /= 10) {
                                rest /= 10;
                                digits--;
                        }
                        is_done = digits > 0;
                }
                if (is_done)
                        n += (size_t)snprintf(buf + n, size - n, "%s%llu.%0*llu%s", n ? " " : "",
                                              (unsigned long long)whole, MIN(digits, 6),
                                              (unsigned long long)rest, units[i].suffix);
                else
                        n += (size_t)snprintf(buf + n, size - n, "%s%llu%s", n ? " " : "",
                                              (unsigned long long)whole, units[i].suffix);
                if (n >= size)
                        break;
                t = is_done ? 0 : t % units[i].value;
        }
        return buf;
}
