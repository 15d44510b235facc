// logs, and the last part of status: the log lines that the supervisor keeps in memory.
#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/parse.h"
#include "base/str.h"
#include "base/strv.h"
#include "conf/unit_name.h"
#include "ctl/ctl.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define FOLLOW_PAUSE (200 * USEC_PER_MSEC)

struct line {
        uint64_t number, time;
        int level;
        uint32_t pid;
        const char *unit, *text;
};

// The names are the same as in the log with --log-format=json (base/log_format.c).
static void print_json(const struct line *l)
{
        CLEANUP(buf) struct buf b = BUF_NULL;

        json_begin(&b);
        json_seconds(&b, "time", l->time);
        json_field(&b, "level", log_level_name(l->level));
        if (*l->unit)
                json_field(&b, "unit", l->unit);
        if (l->pid > 0)
                json_number(&b, "pid", l->pid);
        json_field(&b, "message", l->text);
        json_end(&b);
        puts(buf_text(&b));
}

static void print_text(const struct ctl *c, const struct line *l)
{
        time_t seconds = (time_t)(l->time / USEC_PER_SEC);
        enum color color = l->level <= LOG_ERR       ? COLOR_RED
                           : l->level == LOG_WARNING ? COLOR_YELLOW
                           : l->level == LOG_DEBUG   ? COLOR_GREY
                                                     : COLOR_NONE;
        char stamp[32] = "";
        struct tm tm;

        if (localtime_r(&seconds, &tm))
                strftime(stamp, sizeof(stamp), "%b %d %H:%M:%S", &tm);
        printf("%s %s", stamp, *l->unit ? shown(l->unit) : "usherd");
        if (l->pid > 0)
                printf("[%u]", l->pid);
        printf(": %s%s%s\n", color_on(c, color), shown(l->text), color_off(c));
}

int logs_print(struct ctl *c, const char *pattern, uint64_t since, uint32_t n, uint64_t *last,
               const char **before, bool is_optional)
{
        sd_bus_error error = SD_BUS_ERROR_NULL;
        sd_bus_message *reply = NULL;
        struct line l;
        int r = sd_bus_call_method(c->bus, BUS_DESTINATION, BUS_ROOT, "org.usher.Log", "GetLog",
                                   &error, &reply, "stu", pattern, *last, n);

        if (r >= 0)
                r = sd_bus_message_enter_container(reply, 'a', "(ttiuss)");
        while (r >= 0 && (r = sd_bus_message_read(reply, "(ttiuss)", &l.number, &l.time, &l.level,
                                                  &l.pid, &l.unit, &l.text)) > 0) {
                *last = l.number;
                if (l.time < since)
                        continue;
                if (*before)
                        printf("%s", *before);
                *before = NULL;
                if (c->output == OUTPUT_SHORT)
                        print_text(c, &l);
                else
                        print_json(&l);
        }
        if (r < 0 && is_optional && sd_bus_error_has_name(&error, SD_BUS_ERROR_ACCESS_DENIED))
                r = 0;
        else if (r < 0)
                r = client_complain(&error, r, "Failed to read the log");
        sd_bus_error_free(&error);
        sd_bus_message_unref(reply);
        return r;
}

// "2026-11-23 15:58[:39]", "15:58[:39]" (today), "today", "yesterday", "10min ago", "-10min", "@N".
static int parse_since(const char *text, uint64_t *ret)
{
        static const char *const formats[] = {"%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d",
                                              "%H:%M:%S", "%H:%M"};
        time_t now = time(NULL);
        CLEANUP(free) char *span = strdup(*text == '-' ? text + 1 : text);
        uint64_t number;
        struct tm tm;
        usec_t ago;

        if (!span || !localtime_r(&now, &tm))
                return -EINVAL;
        tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
        tm.tm_isdst = -1;
        if (text[0] == '@' && parse_u64(text + 1, &number) == 0) {
                *ret = number * USEC_PER_SEC;
                return 0;
        }
        if (streq(text, "today") || streq(text, "yesterday")) {
                tm.tm_mday -= streq(text, "yesterday");
                *ret = (uint64_t)mktime(&tm) * USEC_PER_SEC;
                return 0;
        }
        for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
                struct tm given = tm;
                const char *end = strptime(text, formats[i], &given);

                if (!end || *end)
                        continue;
                *ret = (uint64_t)mktime(&given) * USEC_PER_SEC;
                return 0;
        }
        if (*text != '-') {
                char *suffix = strstr(span, " ago");

                if (!suffix || suffix[4])
                        return -EINVAL;
                *suffix = '\0';
        }
        if (parse_usec(span, USEC_PER_SEC, &ago) < 0 || ago == USEC_INFINITY)
                return -EINVAL;
        *ret = usec_sub(clock_now_realtime(), ago);
        return 0;
}

int verb_logs(struct ctl *c, char **args)
{
        CLEANUP(free) char *pattern = NULL;
        uint64_t since = 0, last = 0;
        const char *before = "";
        uint32_t n = c->has_lines ? c->lines : UINT32_MAX;

        if (c->since && parse_since(c->since, &since) < 0) {
                fprintf(stderr, "usherctl: --since: not a time: %s (try \"10min ago\")\n",
                        c->since);
                return CTL_USAGE;
        }
        const char *unit = c->unit ? c->unit : args[0];

        if (unit && unit_name_mangle(unit, UNIT_SERVICE, &pattern) < 0) {
                fprintf(stderr, "usherctl: \"%s\" cannot be a unit name.\n", unit);
                return CTL_FAILED;
        }
        int r = client_connect(c);

        // Here -f means --follow, as with tail and journalctl; for other verbs it is --force.
        for (bool is_more = true; r == 0 && is_more;) {
                r = logs_print(c, pattern ? pattern : "", since, n, &last, &before, false);
                shown_done();
                if (r == 0 && before && !(c->follow || c->force) && c->output == OUTPUT_SHORT &&
                    !c->quiet)
                        fputs("-- No entries --\n", stderr);
                is_more = (c->follow || c->force) && fflush(stdout) == 0;
                n = UINT32_MAX;
                if (is_more)
                        usleep(FOLLOW_PAUSE);
        }
        return r;
}
