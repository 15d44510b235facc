#include "core/service/notify.h"

#include "unit/harness.h"

static int parse(const char *text, size_t size, struct notify_message *ret)
{
        static char buffer[NOTIFY_MESSAGE_MAX + 2];

        assert_true(size <= NOTIFY_MESSAGE_MAX);
        memset(buffer, 'x', sizeof(buffer)); // what is behind the message must not be read
        memcpy(buffer, text, size);
        return notify_parse(buffer, size, ret);
}

static struct notify_message parse_ok(const char *text)
{
        struct notify_message m;

        assert_int_equal(parse(text, strlen(text), &m), 0);
        return m;
}

static void test_flags(void **state)
{
        static const struct {
                const char *text;
                size_t offset;
        } rows[] = {
                {"READY=1", offsetof(struct notify_message, ready)},
                {"RELOADING=1", offsetof(struct notify_message, reloading)},
                {"STOPPING=1", offsetof(struct notify_message, stopping)},
                {"WATCHDOG=1", offsetof(struct notify_message, watchdog)},
                {"WATCHDOG=trigger", offsetof(struct notify_message, watchdog_trigger)},
                {"FDSTORE=1", offsetof(struct notify_message, fdstore)},
                {"FDSTOREREMOVE=1", offsetof(struct notify_message, fdstore_remove)},
                {"FDPOLL=0", offsetof(struct notify_message, fdpoll_off)},
                {"BARRIER=1", offsetof(struct notify_message, barrier)},
                {"RESTART_RESET=1", offsetof(struct notify_message, restart_reset)},
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct notify_message m = parse_ok(rows[i].text);

                for (size_t k = 0; k < ARRAY_SIZE(rows); k++)
                        if (*((bool *)(void *)((char *)&m + rows[k].offset)) != (i == k))
                                fail_msg("%s sets flag %zu wrong", rows[i].text, k);
                assert_int_equal(m.n_assignments, 1);
        }
        assert_false(parse_ok("READY=0").ready);
        assert_false(parse_ok("READY=10").ready);
        assert_false(parse_ok("READY").ready);
        assert_false(parse_ok("XREADY=1").ready);
        assert_false(parse_ok("FDPOLL=1").fdpoll_off);
}

static void test_values(void **state)
{
        struct notify_message m =
                parse_ok("STATUS=at work = 5\nMAINPID=17\nERRNO=2\nFDNAME=a\nREADY=1\n"
                         "MONOTONIC_USEC=100\nWATCHDOG_USEC=200\nEXTEND_TIMEOUT_USEC=300\n"
                         "NOTIFYACCESS=all\nX_OTHER=1");

        assert_string_equal(m.status, "at work = 5");
        assert_string_equal(m.main_pid, "17");
        assert_string_equal(m.status_errno, "2");
        assert_string_equal(m.fdname, "a");
        assert_string_equal(m.notify_access, "all");
        assert_int_equal(m.monotonic, 100);
        assert_int_equal(m.watchdog_usec, 200);
        assert_int_equal(m.extend_timeout, 300);
        assert_true(m.ready);
        assert_int_equal(m.n_assignments, 10);
        m = parse_ok("MONOTONIC_USEC=soon\nWATCHDOG_USEC=-1\nEXTEND_TIMEOUT_USEC=");
        assert_true(m.monotonic == USEC_INFINITY && m.watchdog_usec == USEC_INFINITY &&
                    m.extend_timeout == USEC_INFINITY);
        assert_null(m.status);
        assert_string_equal(parse_ok("STATUS=").status, "");
}

static void test_bounds(void **state)
{
        struct notify_message m;
        char text[NOTIFY_MESSAGE_MAX];

        assert_int_equal(parse("", 0, &m), -EINVAL);
        assert_int_equal(parse("\0", 1, &m), -EINVAL);
        assert_int_equal(parse("READY=1\0", 8, &m), 0);
        assert_true(m.ready);
        assert_int_equal(parse("READY=1\0\0", 9, &m), -EINVAL);
        assert_int_equal(parse("READY=1\0STATUS=x", 16, &m), -EINVAL);
        memset(text, 'a', sizeof(text));
        memcpy(text, "STATUS=", 7);
        assert_int_equal(parse(text, sizeof(text), &m), 0);
        assert_int_equal(strlen(m.status), sizeof(text) - 7);
        memset(text, '\n', sizeof(text));
        assert_int_equal(parse(text, sizeof(text), &m), 0);
        assert_int_equal(m.n_assignments, 0);
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flags),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_bounds),
};

HARNESS_MAIN(tests)
