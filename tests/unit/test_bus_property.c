// Directives as properties: names, types, and values of that type.
#include "bus/bus_priv.h"

#include "base/fd.h"
#include "base/str.h"
#include "conf/assign.h"
#include "conf/directive.h"
#include "unit/harness.h"

#include <sys/socket.h>

static void test_names(void **state)
{
        static const struct {
                const char *section, *directive, *property, *signature;
        } rows[] = {
                {"Service", "TimeoutStartSec", "TimeoutStartUSec", "t"},
                {"Service", "TimerSlackNSec", "TimerSlackNSec", "t"},
                {"Service", "EnvironmentFile", "EnvironmentFiles", "a(sb)"},
                {"Service", "Restart", "Restart", "s"},
                {"Service", "SyslogFacility", "SyslogFacility", "i"},
                {"Service", "LimitNOFILE", "LimitNOFILE", "t"},
                {"Service", "ExecStart", NULL, NULL}, // it has a row of its own
                {"Service", "TimeoutSec", NULL, NULL},
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                const struct directive *d =
                        directive_find(UNIT_SERVICE, rows[i].section, rows[i].directive);
                CLEANUP(free) char *name = NULL;

                assert_non_null(d);
                assert_true(str_eq_ptr(bus_directive_signature(d), rows[i].signature));
                if (!rows[i].property)
                        continue;
                assert_int_equal(bus_directive_property(d, &name), 0);
                assert_string_equal(name, rows[i].property);
        }
}

// A connection that goes nowhere, for messages.
static sd_bus *begin(int *ret_other)
{
        sd_id128_t id = SD_ID128_MAKE(1, 2, 3, 4, 5, 6, 7, 8, 9, 0, a, b, c, d, e, f);
        sd_bus *bus = NULL;
        int pair[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair),
                         0);
        assert_true(sd_bus_new(&bus) >= 0 && sd_bus_set_fd(bus, pair[0], pair[0]) >= 0 &&
                    sd_bus_set_server(bus, 1, id) >= 0 && sd_bus_start(bus) >= 0);
        *ret_other = pair[1];
        return bus;
}

// The value of each directive is of the type that its property has.
static void check_types(sd_bus *bus, enum unit_type type, const struct unit_conf *conf)
{
        const struct directive *d;
        size_t position = 0, n = 0;

        while ((d = directive_next(type, &position))) {
                const char *signature = bus_directive_signature(d);
                sd_bus_message *m = NULL;

                if (!signature)
                        continue;
                assert_true(sd_bus_message_new_signal(bus, &m, "/a", "a.b", "C") >= 0);
                if (bus_append_directive(m, d, conf, false, false) < 0 ||
                    !streq(sd_bus_message_get_signature(m, 1), signature))
                        fail_msg("%s= is not of the type %s", d->name, signature);
                sd_bus_message_unref(m);
                n++;
        }
        assert_true(n > 50);
}

static void test_types(void **state)
{
        CLEANUP(unit_conf) struct unit_conf *service = NULL, *socket = NULL;
        int other;
        sd_bus *bus = begin(&other);

        assert_int_equal(unit_conf_new_empty("a.service", UNIT_SERVICE, LOAD_LOADED, &service), 0);
        assert_int_equal(unit_conf_new_empty("a.socket", UNIT_SOCKET, LOAD_LOADED, &socket), 0);
        check_types(bus, UNIT_SERVICE, service);
        check_types(bus, UNIT_SOCKET, socket);
        sd_bus_close(bus);
        sd_bus_unref(bus);
        fd_close(other);
}

static const struct CMUnitTest tests[] = {cmocka_unit_test(test_names),
                                          cmocka_unit_test(test_types)};
HARNESS_MAIN(tests)
