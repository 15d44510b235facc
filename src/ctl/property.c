// Formats properties as systemctl prints them: each becomes one text, whatever its type on the bus.
#include "base/buf.h"
#include "base/clock.h"
#include "base/parse.h"
#include "base/str.h"
#include "conf/capability.h"
#include "conf/kind.h"
#include "conf/syscall.h"
#include "ctl/ctl.h"

#include <signal.h>
#include <stdio.h>
#include <time.h>

// Characters with a meaning to a shell; systemctl quotes words that contain them.
#define QUOTED_CHARACTERS " \t\n\r\"'\\`$*?[]()<>|&;!#"

void format_timestamp(uint64_t t, char *buf, size_t size)
{
        time_t seconds = (time_t)(t / USEC_PER_SEC);
        struct tm tm;

        buf[0] = '\0';
        if (t > 0 && t != UINT64_MAX && localtime_r(&seconds, &tm))
                strftime(buf, size, "%a %Y-%m-%d %H:%M:%S %Z", &tm);
}

void format_ago(uint64_t t, char *buf, size_t size)
{
        usec_t now = clock_now_realtime();
        char span[USEC_SPAN_MAX];
        bool is_past = now >= t;
        usec_t d = is_past ? now - t : t - now;
        // Spans above a minute are shown in whole seconds.
        usec_t accuracy = d > 60 * USEC_PER_SEC ? USEC_PER_SEC : USEC_PER_MSEC;

        snprintf(buf, size, "%s %s", usec_format_span(d, accuracy, span, sizeof(span)),
                 is_past ? "ago" : "left");
}

void properties_free(struct property *p, size_t n)
{
        for (size_t i = 0; p && i < n; i++) {
                free(p[i].name);
                free(p[i].value);
        }
        free(p);
}

// ---- single values

static bool has_suffix(const char *name, const char *suffix)
{
        return str_at_suffix(name, suffix) != NULL;
}

static void put_u64(struct buf *b, const char *name, uint64_t v)
{
        char text[64];

        if (has_suffix(name, "Timestamp")) {
                format_timestamp(v, text, sizeof(text));
                buf_puts(b, text);
        } else if (streq(name, "CapabilityBoundingSet") || streq(name, "AmbientCapabilities")) {
                (void)capabilities_put(b, v); // the buffer keeps the error
        } else if (streq(name, "CoredumpFilter")) {
                buf_printf(b, "0x%llx", (unsigned long long)v);
        } else if (streq(name, "RestrictNamespaces")) {
                (void)namespaces_put(b, v);
        } else if (strstr(name, "USec")) {
                buf_puts(b, usec_format_span(v, 1, text, sizeof(text)));
        } else if (v == UINT64_MAX) {
                buf_puts(b, strstr(name, "Limit") == name ? "infinity" : "[not set]");
        } else {
                buf_printf(b, "%llu", (unsigned long long)v);
        }
}

static void put_u32(struct buf *b, const char *name, uint32_t v)
{
        if (has_suffix(name, "Mode") || streq(name, "UMask"))
                buf_printf(b, "%04o", v);
        else if (v == UINT32_MAX && (streq(name, "UID") || streq(name, "GID")))
                buf_puts(b, "[not set]");
        else
                buf_printf(b, "%u", v);
}

// Appends a word to a list; it is quoted if it would otherwise be read as several words.
static void put_word(struct buf *b, const char *word)
{
        if (b->size > 0)
                buf_putc(b, ' ');
        if (*word && !strpbrk(word, QUOTED_CHARACTERS)) {
                buf_puts(b, word);
                return;
        }
        buf_putc(b, '"');
        for (; *word; word++) {
                if (strchr("\"\\`$", *word))
                        buf_putc(b, '\\');
                buf_putc(b, *word);
        }
        buf_putc(b, '"');
}

static int put_strv(struct buf *b, sd_bus_message *m)
{
        const char *word;
        int r = sd_bus_message_enter_container(m, 'a', "s");

        while (r >= 0 && (r = sd_bus_message_read_basic(m, 's', &word)) > 0)
                put_word(b, word);
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

// Appends bytes in hexadecimal, or as the list of CPUs whose bits are set.
static int put_bytes(struct buf *b, sd_bus_message *m, bool are_cpus)
{
        const void *data;
        size_t size;
        int r = sd_bus_message_read_array(m, 'y', &data, &size);

        if (r >= 0 && are_cpus)
                return cpu_list_put(b, &(struct cpu_list){(uint8_t *)data, size});
        for (size_t i = 0; r >= 0 && i < size; i++)
                buf_printf(b, "%02x", ((const uint8_t *)data)[i]);
        return r;
}

// ---- compound values

static void put_stamp(struct buf *b, const char *key, uint64_t t)
{
        char text[64];

        format_timestamp(t, text, sizeof(text));
        buf_printf(b, " ; %s=[%s]", key, text[0] ? text : "n/a");
}

static const char *code_name(int code)
{
        return code == CLD_EXITED   ? "exited"
               : code == CLD_KILLED ? "killed"
               : code == CLD_DUMPED ? "dumped"
                                    : "(null)";
}

// Appends the words of a command unquoted, as systemctl does.
static int put_command_words(struct buf *b, sd_bus_message *m)
{
        const char *word, *before = "";
        int r = sd_bus_message_enter_container(m, 'a', "s");

        for (; r >= 0 && (r = sd_bus_message_read_basic(m, 's', &word)) > 0; before = " ")
                buf_printf(b, "%s%s", before, word);
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int put_command(struct buf *b, sd_bus_message *m, bool is_extended)
{
        uint64_t start, start_mono, stop, stop_mono;
        const char *path;
        uint32_t pid;
        int32_t code, status;
        int ignore = 0, r = sd_bus_message_read_basic(m, 's', &path);

        if (r < 0)
                return r;
        buf_printf(b, "%s{ path=%s ; argv[]=", b->size > 0 ? "\n" : "", path);
        r = put_command_words(b, m);
        if (r >= 0 && is_extended) {
                buf_puts(b, " ; flags=");
                r = put_command_words(b, m);
        } else if (r >= 0) {
                r = sd_bus_message_read(m, "b", &ignore);
                buf_printf(b, " ; ignore_errors=%s", ignore ? "yes" : "no");
        }
        if (r >= 0)
                r = sd_bus_message_read(m, "ttttuii", &start, &start_mono, &stop, &stop_mono, &pid,
                                        &code, &status);
        if (r < 0)
                return r;
        put_stamp(b, "start_time", start);
        put_stamp(b, "stop_time", stop);
        buf_printf(b, " ; pid=%u ; code=%s ; status=%d", pid, code_name(code), status);
        buf_puts(b, code == CLD_KILLED || code == CLD_DUMPED ? "/" : "/0");
        if (code == CLD_KILLED || code == CLD_DUMPED) {
                char name[SIGNAL_NAME_MAX];

                buf_puts(b, signal_format(status, name, sizeof(name)));
        }
        buf_puts(b, " }");
        return 0;
}

static int put_commands(struct buf *b, sd_bus_message *m, const char *contents)
{
        bool is_extended = str_after_prefix(contents, "(sasas") != NULL;
        int r = sd_bus_message_enter_container(m, 'a', contents);

        while (r >= 0 && (r = sd_bus_message_enter_container(
                                  m, 'r', is_extended ? "sasasttttuii" : "sasbttttuii")) > 0) {
                r = put_command(b, m, is_extended);
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int put_pairs(struct buf *b, sd_bus_message *m, const char *contents)
{
        bool has_flag = streq(contents, "(sb)");
        int r = sd_bus_message_enter_container(m, 'a', contents);
        const char *first, *second;
        int flag;

        while (r >= 0) {
                r = has_flag ? sd_bus_message_read(m, "(sb)", &first, &flag)
                             : sd_bus_message_read(m, "(ss)", &first, &second);
                if (r <= 0)
                        break;
                if (b->size > 0)
                        buf_putc(b, '\n');
                if (has_flag)
                        buf_printf(b, "%s (ignore_errors=%s)", first, flag ? "yes" : "no");
                else // Listen
                        buf_printf(b, "%s (%s)", second, first);
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

// Appends the value of XFailedInstances.
static int put_failures(struct buf *b, sd_bus_message *m)
{
        int r = sd_bus_message_enter_container(m, 'a', "(sstsi)");
        const char *name, *result, *code;
        uint64_t time;
        int status;

        while (r >= 0 &&
               (r = sd_bus_message_read(m, "(sstsi)", &name, &result, &time, &code, &status)) > 0) {
                char when[64];

                format_timestamp(time, when, sizeof(when));
                buf_printf(b, "%s%s: %s%s%s", b->size > 0 ? "\n" : "", name, result,
                           *code ? ", " : "", code);
                if (*code)
                        buf_printf(b, " with %d", status);
                buf_printf(b, " at %s", when);
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int put_conditions(struct buf *b, sd_bus_message *m)
{
        int r = sd_bus_message_enter_container(m, 'a', "(sbbsi)");
        const char *type, *value;
        int trigger, negate, state;

        while (r >= 0 && (r = sd_bus_message_read(m, "(sbbsi)", &type, &trigger, &negate, &value,
                                                  &state)) > 0)
                buf_printf(b, "%s{ type=%s ; trigger=%s ; negate=%s ; parameter=%s ; state=%s }",
                           b->size > 0 ? "\n" : "", type, trigger ? "yes" : "no",
                           negate ? "yes" : "no", value,
                           state > 0   ? "succeeded"
                           : state < 0 ? "failed"
                                       : "untested");
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int put_exit_set(struct buf *b, sd_bus_message *m)
{
        int r = sd_bus_message_enter_container(m, 'r', "aiai");

        for (int k = 0; r >= 0 && k < 2; k++) {
                const void *data;
                size_t size;

                r = sd_bus_message_read_array(m, 'i', &data, &size);
                for (size_t i = 0; r >= 0 && i < size / sizeof(int32_t); i++) {
                        char name[SIGNAL_NAME_MAX];
                        int n = ((const int32_t *)data)[i];

                        if (b->size > 0)
                                buf_putc(b, ' ');
                        if (k == 0)
                                buf_printf(b, "%d", n);
                        else
                                buf_puts(b, signal_format(n, name, sizeof(name)));
                }
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

// Appends a list of words, preceded by a mark if it is a deny list.
static int put_list(struct buf *b, sd_bus_message *m)
{
        int is_allow_list, r = sd_bus_message_enter_container(m, 'r', "bas");
        CLEANUP(buf) struct buf words = BUF_NULL;

        if (r >= 0)
                r = sd_bus_message_read(m, "b", &is_allow_list);
        if (r >= 0)
                r = put_strv(&words, m);
        if (r < 0)
                return r;
        buf_printf(b, "%s%s", is_allow_list ? "" : "~", buf_text(&words));
        return sd_bus_message_exit_container(m);
}

static int put_pair(struct buf *b, sd_bus_message *m, const char *contents)
{
        const char *first, *second;
        uint32_t number;
        int r;

        if (streq(contents, "uo")) { // Job
                r = sd_bus_message_read(m, "(uo)", &number, &second);
                if (r >= 0 && number > 0)
                        buf_printf(b, "%u", number);
                return r;
        }
        r = sd_bus_message_read(m, "(ss)", &first, &second); // LoadError
        if (r >= 0 && (*first || *second))
                buf_printf(b, "%s \"%s\"", first, second);
        return r;
}

// Appends a number or a string. 1; 0: the value is neither; -errno.
static int put_basic(struct buf *b, sd_bus_message *m, const char *name, char type)
{
        const char *s;
        uint64_t t;
        int64_t x;
        uint32_t u;
        int32_t i;
        int r;

        switch (type) {
        case 's':
        case 'o':
                r = sd_bus_message_read_basic(m, type, &s);
                if (r >= 0)
                        buf_puts(b, s);
                return r;
        case 'b':
                r = sd_bus_message_read_basic(m, 'b', &i);
                if (r >= 0)
                        buf_puts(b, i ? "yes" : "no");
                return r;
        case 't':
                r = sd_bus_message_read_basic(m, 't', &t);
                if (r >= 0)
                        put_u64(b, name, t);
                return r;
        case 'x':
                r = sd_bus_message_read_basic(m, 'x', &x);
                if (r >= 0)
                        buf_printf(b, "%lld", (long long)x);
                return r;
        case 'u':
                r = sd_bus_message_read_basic(m, 'u', &u);
                if (r >= 0)
                        put_u32(b, name, u);
                return r;
        case 'i':
                r = sd_bus_message_read_basic(m, 'i', &i);
                if (r >= 0 && i < 0 && has_suffix(name, "ActionExitStatus"))
                        buf_puts(b, "[not set]");
                else if (r >= 0)
                        buf_printf(b, "%d", i);
                return r;
        default:
                return 0;
        }
}

// Appends the next value of the message to b. 0 or -errno.
static int put_value(struct buf *b, sd_bus_message *m, const char *name, const char *signature)
{
        int r = put_basic(b, m, name, signature[0]);

        if (r != 0)
                return r;
        if (streq(signature, "as"))
                return put_strv(b, m);
        if (streq(signature, "ay"))
                return put_bytes(b, m, streq(name, "CPUAffinity"));
        if (str_after_prefix(signature, "a(sas"))
                return put_commands(b, m, signature + 1);
        if (streq(signature, "a(ss)") || streq(signature, "a(sb)"))
                return put_pairs(b, m, signature + 1);
        if (streq(signature, "a(sstsi)"))
                return put_failures(b, m);
        if (streq(signature, "a(sbbsi)"))
                return put_conditions(b, m);
        if (streq(signature, "(aiai)"))
                return put_exit_set(b, m);
        if (streq(signature, "(bas)")) // SystemCallFilter and similar lists
                return put_list(b, m);
        if (streq(signature, "(uo)") || streq(signature, "(ss)"))
                return put_pair(b, m, streq(signature, "(uo)") ? "uo" : "ss");
        return sd_bus_message_skip(m, signature);
}

static int read_property(sd_bus_message *m, struct property *ret)
{
        CLEANUP(buf) struct buf b = BUF_NULL;
        const char *name, *signature;
        int r = sd_bus_message_read_basic(m, 's', &name);

        if (r >= 0)
                r = sd_bus_message_peek_type(m, NULL, &signature);
        if (r < 0)
                return r;
        // The message owns the text, which ends with the container.
        CLEANUP(free) char *type = strdup(signature);

        r = type ? sd_bus_message_enter_container(m, 'v', type) : -ENOMEM;
        if (r >= 0)
                r = put_value(&b, m, name, type);
        if (r >= 0)
                r = sd_bus_message_exit_container(m);
        if (r >= 0)
                r = str_set(&ret->name, name);
        if (r >= 0)
                r = buf_take(&b, &ret->value);
        if (r >= 0 && !ret->value)
                r = str_set(&ret->value, "");
        if (r >= 0)
                ret->is_empty = ret->value[0] == '\0';
        // A list of structures is printed with a line for each, so an empty one has no line.
        ret->is_absent = ret->is_empty && type && str_after_prefix(type, "a(");
        return r;
}

int properties_get(struct ctl *c, const char *path, sd_bus_error *error, struct property **ret,
                   size_t *ret_n)
{
        struct property *list = NULL;
        sd_bus_message *reply = NULL;
        size_t n = 0;
        int r = sd_bus_call_method(c->bus, BUS_DESTINATION, path, "org.freedesktop.DBus.Properties",
                                   "GetAll", error, &reply, "s", "");

        if (r >= 0)
                r = sd_bus_message_enter_container(reply, 'a', "{sv}");
        while (r >= 0 && (r = sd_bus_message_enter_container(reply, 'e', "sv")) > 0) {
                struct property *more = reallocarray(list, n + 1, sizeof(*more));

                if (!more) {
                        r = -ENOMEM;
                        break;
                }
                list = more;
                list[n] = (struct property){0};
                r = read_property(reply, &list[n]);
                if (list[n].is_absent) {
                        free(list[n].name);
                        free(list[n].value);
                } else {
                        n++;
                }
                if (r >= 0)
                        r = sd_bus_message_exit_container(reply);
        }
        sd_bus_message_unref(reply);
        if (r < 0) {
                properties_free(list, n);
                return r;
        }
        *ret = list;
        *ret_n = n;
        return 0;
}
