// Method calls of a control client, one after the other: a byte for who asks and of what object;
// up to a NUL each the object's name and the method's; then its arguments.
#include "base/map.h"
#include "base/strv.h"
#include "bus/bus_priv.h"
#include "bus/server.h"
#include "conf/unit_name.h"
#include "core/unit/registry.h"
#include "fuzz/manager.h"

#include <sys/socket.h>

#define TURNS_MAX 2000
#define CALLS_MAX 4
#define STRANGER 12345

// What can be started starts no process.
static const struct manager_unit units[] = {
        {"a.target", "[Unit]\nWants=b.target skipped.service\n"},
        {"b.target", "[Unit]\nConflicts=a.target\nDescription=b\n"},
        {"skipped.service", "[Unit]\nConditionPathExists=/nonexistent\n[Service]\n"
                            "ExecStart=/bin/true \"a b\"\nUser=nobody\n[Install]\n"
                            "WantedBy=a.target\n"},
        {"t@.service", "[Unit]\nConditionPathExists=/nonexistent\n[Service]\nExecStart=/bin/true "
                       "%i\n"},
        {"bad.service", "[Service]\nType=magic\n"},
};

struct method {
        const char *interface, *name, *signature;
};
static struct method methods[256];
static size_t n_methods;

// One connection with the access that it has; kept as long as it lives.
struct connection {
        enum bus_access access;
        sd_bus *bus;
};

static struct manager *m;
static struct bus_server *server;
static char **environment;

// ---- methods

static void add_methods(const char *interface, const sd_bus_vtable *v)
{
        // The loop's end and a reload are for the tests; files are not for a stranger's input.
        static const char *const left_out[] = {"Exit", "Reload"};

        for (; v->type != _SD_BUS_VTABLE_END; v++) {
                bool is_left_out = v->type != _SD_BUS_VTABLE_METHOD;

                for (size_t i = 0; !is_left_out && i < ARRAY_SIZE(left_out); i++)
                        is_left_out = strcmp(v->x.method.member, left_out[i]) == 0;
                if (is_left_out)
                        continue;
                assert(n_methods < ARRAY_SIZE(methods));
                const char *signature = v->x.method.signature;

                methods[n_methods++] =
                        (struct method){interface, v->x.method.member, signature ? signature : ""};
        }
}

static void find_methods(void)
{
        static const struct method general[] = {
                {"org.freedesktop.DBus.Properties", "Get", "ss"},
                {"org.freedesktop.DBus.Properties", "GetAll", "s"},
                {"org.freedesktop.DBus.Properties", "Set", "ssv"},
                {"org.freedesktop.DBus.Introspectable", "Introspect", ""},
                {"org.freedesktop.DBus.Peer", "Ping", ""},
                {"org.freedesktop.DBus", "NameHasOwner", "s"},
                {"org.freedesktop.DBus", "GetConnectionUnixUser", "s"},
        };

        memcpy(methods, general, sizeof(general));
        n_methods = ARRAY_SIZE(general);
        add_methods(BUS_MANAGER, bus_manager_vtable);
        add_methods(BUS_UNIT, bus_unit_vtable);
        add_methods("org.freedesktop.systemd1.Service", bus_service_vtable);
        add_methods("org.freedesktop.systemd1.Socket", bus_socket_vtable);
        add_methods(BUS_JOB, bus_job_vtable);
        add_methods("org.usher.Log", bus_log_vtable);
        add_methods("org.usher.Connections", bus_connections_vtable);
}

// Any other text stands for one of them, too.
static const struct method *choose_method(const char *name)
{
        unsigned sum = 0;

        for (size_t i = 0; i < n_methods; i++)
                if (strcmp(methods[i].name, name) == 0)
                        return &methods[i];
        for (; *name; name++)
                sum = sum * 31 + (unsigned char)*name;
        return &methods[sum % n_methods];
}

static void begin(void)
{
        if (m)
                return;
        m = manager_begin(units, ARRAY_SIZE(units));
        (void)manager_keep(m, "a.target");
        (void)manager_keep(m, "skipped.service");
        manager_keep_all(m);
        assert(bus_server_new(m, m->options.runtime_dir, &server) == 0);
        assert(strv_copy(m->options.environment, &environment) == 0);
        find_methods();
}

// ---- the connection

static void turn(struct connection *c)
{
        server->share = (struct share){0}; // a reader need not rest here
        assert(events_turn(m->events, 0) >= 0);
        while (c->bus && sd_bus_process(c->bus, NULL) > 0)
                ;
}

static void connection_close(struct connection *c)
{
        if (c->bus)
                sd_bus_close_unref(TAKE(c->bus));
        while (server->n_clients > 0)
                assert(events_turn(m->events, 0) >= 0);
        assert(events_turn(m->events, 0) >= 0);
}

// False: it took so long, on a busy machine, that the client was dropped.
static bool connection_open(struct connection *c)
{
        int pair[2], feed[2];
        uid_t uid = c->access == BUS_ACCESS_READ ? STRANGER : geteuid();

        assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0);
        assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, feed) == 0);
        struct bus_user *user = bus_place_take(server, uid, c->access);

        assert(user && bus_client_new(server, user, pair[1], feed) == 0);
        assert(sd_bus_new(&c->bus) >= 0 && sd_bus_set_fd(c->bus, pair[0], pair[0]) >= 0);
        assert(sd_bus_set_anonymous(c->bus, 1) >= 0 && sd_bus_start(c->bus) >= 0);
        for (int i = 0; sd_bus_is_ready(c->bus) == 0; i++) {
                assert(i < TURNS_MAX);
                turn(c);
        }
        return sd_bus_is_ready(c->bus) > 0;
}

// ---- the call

static int append_value(sd_bus_message *call, struct input *in, char type)
{
        CLEANUP(free) char *text = strchr("sog", type) ? input_string(in) : NULL;
        uint64_t number = text ? 0 : input_number(in, strchr("xtd", type) ? 8 : 4);

        if (text)
                return sd_bus_message_append_basic(call, type, text);
        if (type == 'b')
                number &= 1;
        return sd_bus_message_append_basic(call, type, &number);
}

// Basic types, and arrays and variants of them: more no method takes.
static int append_arguments(sd_bus_message *call, struct input *in, const char *signature)
{
        int r = 0;

        for (const char *p = signature; *p && r >= 0; p++) {
                if (*p == 'a') {
                        char content[] = {*++p, '\0'};

                        r = sd_bus_message_open_container(call, 'a', content);
                        for (unsigned n = input_byte(in) % 8; n > 0 && r >= 0; n--)
                                r = append_value(call, in, *p);
                } else if (*p == 'v') {
                        r = sd_bus_message_open_container(call, 'v', "s");
                        if (r >= 0)
                                r = append_value(call, in, 's');
                } else {
                        r = append_value(call, in, *p);
                        continue;
                }
                if (r >= 0)
                        r = sd_bus_message_close_container(call);
        }
        return r;
}

static char *make_path(unsigned kind, const char *name)
{
        switch (kind) {
        case 0:
                return strdup(BUS_ROOT);
        case 1:
                return bus_unit_path(name);
        case 2:
                return bus_job_path((uint32_t)strtoul(name, NULL, 0));
        default:
                return strdup(name);
        }
}

struct answer {
        bool is_there;
        bool is_bad; // no client could read it
};

static int on_answer(sd_bus_message *reply, void *data, sd_bus_error *error)
{
        struct answer *a = data;
        bool is_plain = sd_bus_message_is_method_error(reply, NULL) <= 0 &&
                        sd_bus_message_is_empty(reply) == 0;

        (void)error;
        a->is_there = true;
        if (is_plain)
                a->is_bad = sd_bus_message_skip(reply, sd_bus_message_get_signature(reply, 1)) < 0;
        return 0;
}

static void call(struct connection *c, const struct method *method, const char *path,
                 struct input *in)
{
        sd_bus_message *message = NULL;
        sd_bus_slot *slot = NULL;
        struct answer answer = {0};
        int r = sd_bus_message_new_method_call(c->bus, &message, "org.freedesktop.systemd1", path,
                                               method->interface, method->name);

        if (r >= 0)
                r = append_arguments(message, in, method->signature);
        if (r >= 0)
                r = sd_bus_call_async(c->bus, &slot, message, on_answer, &answer, UINT64_MAX);
        for (int i = 0; r >= 0 && !answer.is_there && sd_bus_is_open(c->bus) > 0; i++) {
                assert(i < TURNS_MAX); // every call is answered
                turn(c);
        }
        assert(!answer.is_bad);
        sd_bus_slot_unref(slot);
        sd_bus_message_unref(message);
}

// ---- what must hold

static void reset_environment(void)
{
        if (strv_equal(m->options.environment, environment))
                return;
        STRV_FOREACH (item, m->options.environment)
                assert(strv_env_name_is_valid(*item, strcspn(*item, "=")) && strchr(*item, '='));
        strv_free(m->options.environment);
        assert(strv_copy(environment, &m->options.environment) == 0);
}

// A reader has changed nothing: units, jobs, the environment.
static void check_reader(const struct unit *a, enum active_state state, size_t n_units)
{
        assert(map_size(m->units) == n_units && job_count(m) == 0);
        assert(unit_active_state(a) == state && !m->is_stopping);
        assert(strv_equal(m->options.environment, environment));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static struct connection reader = {.access = BUS_ACCESS_READ},
                                 owner = {.access = BUS_ACCESS_OWNER};
        struct input in = {data, size};

        begin();
        for (unsigned n = 0; n < CALLS_MAX && in.left > 0; n++) {
                unsigned choice = input_byte(&in);
                struct connection *c = choice & 0x80 ? &owner : &reader;
                CLEANUP(free) char *name = input_string(&in);
                CLEANUP(free) char *method = input_string(&in);
                CLEANUP(free) char *path = make_path(choice & 3, name);
                struct unit *a = registry_find_unit(m, "a.target");
                enum active_state state = unit_active_state(a);

                while (!c->bus || sd_bus_is_open(c->bus) <= 0) {
                        connection_close(&reader);
                        connection_close(&owner);
                        if (!connection_open(&reader) || !connection_open(&owner))
                                connection_close(c);
                }
                size_t n_units = map_size(m->units);
                int lowest = lowest_fd();

                call(c, choose_method(method), path, &in);
                if (c == &reader)
                        check_reader(a, state, n_units);
                for (int i = 0; job_count(m) > 0; i++) {
                        assert(i < TURNS_MAX);
                        turn(c);
                }
                assert(lowest_fd() == lowest);
                reset_environment();
        }
        return 0;
}
