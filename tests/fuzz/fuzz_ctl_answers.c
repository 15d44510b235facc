// First byte: the verb; second: how it is to print; then what a supervisor answers to each question
// of it: a byte for a good answer, a strange one or an error, and the values. usherctl is made
// believe that it prints to a terminal: nothing of the answers may steer that.
#include "base/str.h"
#include "base/strv.h"
#include "ctl/ctl.h"
#include "fuzz/input.h"
#include "net/diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/types.h>

#define DEPTH_MAX 5
#define QUESTIONS_MAX 200

static struct input in;
static unsigned n_questions;

// ---- values

// Bytes of the complete type that a signature begins with; 0: it is none.
static size_t type_length(const char *s)
{
        size_t n = 1, part;

        if (!*s || strchr(")}", *s))
                return 0;
        if (*s == 'a')
                return (part = type_length(s + 1)) > 0 ? part + 1 : 0;
        if (!strchr("({", *s))
                return 1;
        while (s[n] && !strchr(")}", s[n])) {
                part = type_length(s + n);
                if (part == 0)
                        return 0;
                n += part;
        }
        return s[n] ? n + 1 : 0;
}

static int append(sd_bus_message *m, const char *signature, unsigned depth);

static int append_basic(sd_bus_message *m, char type)
{
        CLEANUP(free) char *text = strchr("sog", type) ? input_string(&in) : NULL;
        uint64_t number = text ? 0 : input_number(&in, strchr("xt", type) ? 8 : 4);

        if (type == 'o' && sd_bus_object_path_is_valid(text) <= 0)
                return sd_bus_message_append_basic(m, 'o', "/");
        number = type == 'b' ? number & 1 : number;
        return sd_bus_message_append_basic(m, type, text ? (const void *)text : &number);
}

static int append_variant(sd_bus_message *m, unsigned depth)
{
        // All that the bus layer has, and one that it has not.
        static const char *const signatures[] = {
                "s",
                "o",
                "b",
                "t",
                "x",
                "u",
                "i",
                "as",
                "ay",
                "a(ss)",
                "(uo)",
                "(ss)",
                "d",
                "a(sb)",
                "(aiai)",
                "a(sstsi)",
                "a{sv}",
                "a(sbbsi)",
                "a(sasbttttuii)",
                "a(sasasttttuii)",
        };
        const char *signature = signatures[input_byte(&in) % ARRAY_SIZE(signatures)];
        int r = sd_bus_message_open_container(m, 'v', signature);

        if (r >= 0)
                r = append(m, signature, depth + 1);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_container(sd_bus_message *m, char type, const char *content, unsigned depth)
{
        unsigned n = type == 'a' ? input_byte(&in) % (*content == '{' ? 33 : 6) : 1;
        int r = sd_bus_message_open_container(m, type, content);

        while (r >= 0 && n-- > 0)
                r = append(m, content, depth + 1);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append(sd_bus_message *m, const char *signature, unsigned depth)
{
        int r = depth < DEPTH_MAX ? 0 : -ELOOP;

        while (*signature && r >= 0) {
                size_t n = type_length(signature);
                CLEANUP(free) char *type = str_ndup(signature, n);

                if (n == 0 || *type == 'h')
                        return -EINVAL;
                signature += n;
                if (*type == 'v') {
                        r = append_variant(m, depth);
                } else if (*type == 'a') {
                        r = append_container(m, 'a', type + 1, depth);
                } else if (strchr("({", *type)) {
                        type[n - 1] = '\0';
                        r = append_container(m, *type == '(' ? 'r' : 'e', type + 1, depth);
                } else {
                        r = append_basic(m, *type);
                }
        }
        return r;
}

// ---- the supervisor

static sd_bus *make_bus(void)
{
        static sd_bus *bus;
        int pair[2];

        if (bus)
                return bus;
        assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
        assert(sd_bus_new(&bus) >= 0 && sd_bus_set_fd(bus, pair[0], pair[0]) >= 0);
        assert(sd_bus_start(bus) >= 0);
        return bus;
}

static int answer(const char *expected, bool may_differ, sd_bus_error *error, sd_bus_message **ret)
{
        CLEANUP(free) char *other = NULL, *text = NULL;
        sd_bus_message *m = NULL;
        unsigned choice = input_byte(&in) % 16;

        if (++n_questions > QUESTIONS_MAX || choice == 15) {
                text = input_string(&in);
                if (error)
                        (void)sd_bus_error_set(error, SD_BUS_ERROR_FAILED, text);
                return -EIO;
        }
        if (choice == 14 && may_differ)
                expected = other = input_string(&in);
        int r = sd_bus_message_new(make_bus(), &m, SD_BUS_MESSAGE_METHOD_RETURN);

        if (r >= 0)
                r = append(m, expected, 0);
        if (r >= 0)
                r = sd_bus_message_seal(m, 1, 0);
        if (r >= 0)
                r = sd_bus_message_rewind(m, 1);
        if (r < 0 || !ret)
                sd_bus_message_unref(m);
        else
                *ret = m;
        return r < 0 ? -EIO : 1;
}

static const char *signature_of(const char *member)
{
        static const struct {
                const char *member, *signature;
        } answers[] = {
                {"GetAll", "a{sv}"},
                {"GetLog", "a(ttiuss)"},
                {"GetReport", "basb"},
                {"GetUnitByPID", "o"},
                {"GetUnitFileState", "s"},
                {"GetUnitProcesses", "a(sus)"},
                {"List", "a(sssssu)"},
                {"ListJobs", "a(usssoo)"},
                {"ListUnitFilesByPatterns", "a(ss)"},
                {"ListUnitFiles", "a(ss)"},
                {"ListUnitsByPatterns", "a(ssssssouso)"},
                {"ListUnitsFiltered", "a(ssssssouso)"},
                {"LoadUnit", "o"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(answers); i++)
                if (strcmp(answers[i].member, member) == 0)
                        return answers[i].signature;
        return "";
}

// These stand in for libsystemd's, which would ask over a connection.
int sd_bus_call(sd_bus *bus, sd_bus_message *m, uint64_t usec, sd_bus_error *error,
                sd_bus_message **ret)
{
        (void)bus;
        (void)usec;
        return answer(signature_of(sd_bus_message_get_member(m)), true, error, ret);
}

int sd_bus_call_methodv(sd_bus *bus, const char *destination, const char *path,
                        const char *interface, const char *member, sd_bus_error *error,
                        sd_bus_message **ret, const char *types, va_list ap)
{
        (void)bus, (void)destination, (void)path, (void)interface, (void)types, (void)ap;
        return answer(signature_of(member), true, error, ret);
}

int sd_bus_call_method(sd_bus *bus, const char *destination, const char *path,
                       const char *interface, const char *member, sd_bus_error *error,
                       sd_bus_message **ret, const char *types, ...)
{
        (void)bus, (void)destination, (void)path, (void)interface, (void)types;
        return answer(signature_of(member), true, error, ret);
}

// libsystemd looks at the type itself, and stands inside of the variant.
int sd_bus_get_property(sd_bus *bus, const char *destination, const char *path,
                        const char *interface, const char *member, sd_bus_error *error,
                        sd_bus_message **ret, const char *type)
{
        (void)bus, (void)destination, (void)path, (void)interface, (void)member;
        return answer(type, false, error, ret);
}

int sd_bus_get_property_trivial(sd_bus *bus, const char *destination, const char *path,
                                const char *interface, const char *member, sd_bus_error *error,
                                char type, void *ret)
{
        const char signature[] = {type, '\0'};
        sd_bus_message *m = NULL;
        int r = sd_bus_get_property(bus, destination, path, interface, member, error, &m,
                                    signature);

        if (r >= 0)
                r = sd_bus_message_read_basic(m, type, ret);
        sd_bus_message_unref(m);
        return r;
}

int sd_bus_get_property_string(sd_bus *bus, const char *destination, const char *path,
                               const char *interface, const char *member, sd_bus_error *error,
                               char **ret)
{
        const char *text;
        sd_bus_message *m = NULL;
        int r = sd_bus_get_property(bus, destination, path, interface, member, error, &m, "s");

        if (r >= 0)
                r = sd_bus_message_read_basic(m, 's', &text);
        if (r >= 0)
                *ret = strdup(text);
        sd_bus_message_unref(m);
        return r;
}

int sd_bus_get_property_strv(sd_bus *bus, const char *destination, const char *path,
                             const char *interface, const char *member, sd_bus_error *error,
                             char ***ret)
{
        sd_bus_message *m = NULL;
        int r = sd_bus_get_property(bus, destination, path, interface, member, error, &m, "as");

        if (r >= 0)
                r = sd_bus_message_read_strv(m, ret);
        sd_bus_message_unref(m);
        return r;
}

int isatty(int fd)
{
        (void)fd;
        return 1;
}

// The kernel knows one connection.
int net_diag_walk(net_diag_fn cb, void *data)
{
        struct net_diag_connection c = {.state = "ESTAB", .has_traffic = true, .received = 5};

        c.local.addr.in.sin_family = c.remote.addr.in.sin_family = AF_INET;
        c.local.size = c.remote.size = sizeof(struct sockaddr_in);
        return cb(&c, data);
}

// ---- the verbs

const struct verb ctl_verbs[1];
const size_t ctl_n_verbs = 0;

static const struct {
        int (*run)(struct ctl *c, char **args);
        const char *args[3];
} verbs[] = {
        {verb_status, {"a.service"}},
        {verb_status, {"a.socket", "b*"}},
        {verb_status, {NULL}},
        {verb_status, {"17"}},
        {verb_show, {"a.service"}},
        {verb_show, {NULL}},
        {verb_list_units, {NULL}},
        {verb_list_sockets, {NULL}},
        {verb_connections, {NULL}},
        {verb_list_unit_files, {NULL}},
        {verb_list_jobs, {NULL}},
        {verb_list_dependencies, {"a.target"}},
        {verb_logs, {"a*"}},
        {verb_is_active, {"a.service", "b*"}},
        {verb_is_failed, {NULL}},
        {verb_is_enabled, {"a.service"}},
        {verb_show_environment, {NULL}},
};

// The letters of a text's lines: no byte that steers a terminal, nor a character that turns the
// direction of what follows.
static void check_output(const char *text, size_t size)
{
        assert(strlen(text) == size && str_is_utf8(text));
        for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
                assert(*p >= ' ' || *p == '\n' || *p == '\t');
                assert(*p != 0x7f && !(*p == 0xc2 && p[1] < 0xa0));
                if (*p == 0xe2 && p[1] == 0x80)
                        assert(p[2] < 0xaa || p[2] > 0xae);
                if (*p == 0xe2 && p[1] == 0x81)
                        assert(p[2] < 0xa6 || p[2] > 0xa9);
        }
}

static void run_verb(unsigned verb, unsigned how)
{
        struct ctl c = {
                .bus = make_bus(),
                .output = how % 3,
                .all = how & 4,
                .full = how & 8,
                .reverse = how & 16,
                .value = how & 32,
                .no_legend = how & 64,
                .lines = 10,
        };

        (void)verbs[verb].run(&c, (char **)verbs[verb].args);
        shown_done();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        FILE *out = stdout, *err = stderr;
        char *text = NULL, *complaints = NULL;
        size_t text_size = 0, complaints_size = 0;

        in = (struct input){data, size};
        n_questions = 0;
        unsigned verb = input_byte(&in) % ARRAY_SIZE(verbs), how = input_byte(&in);

        (void)make_bus();
        int lowest = lowest_fd();

        stdout = open_memstream(&text, &text_size);
        stderr = open_memstream(&complaints, &complaints_size);
        assert(stdout && stderr);
        run_verb(verb, how);
        fclose(stdout);
        fclose(stderr);
        stdout = out;
        stderr = err;
        check_output(text, text_size);
        check_output(complaints, complaints_size);
        assert(lowest_fd() == lowest);
        free(text);
        free(complaints);
        return 0;
}
