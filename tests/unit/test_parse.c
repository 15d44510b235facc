#include "base/parse.h"

#include "unit/harness.h"

#include <signal.h>

#define SEC USEC_PER_SEC
#define K ((uint64_t)1024)

static void test_bool(void **state)
{
        static const struct {
                const char *text;
                int value; // -1: refused
        } cases[] = {
                {"1", 1}, {"yes", 1}, {"Y", 1},   {"TRUE", 1},  {"t", 1},       {"on", 1},
                {"0", 0}, {"no", 0},  {"N", 0},   {"False", 0}, {"f", 0},       {"OFF", 0},
                {"", -1}, {"2", -1},  {"01", -1}, {"yes ", -1}, {"enable", -1},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                bool value = !cases[i].value;
                int r = parse_bool(cases[i].text, &value);

                assert_int_equal(r, cases[i].value < 0 ? -EINVAL : 0);
                if (r == 0)
                        assert_int_equal(value, cases[i].value);
        }
}

static void test_unsigned(void **state)
{
        static const struct {
                const char *text;
                int result;
                uint64_t value;
        } cases[] = {
                {"0", 0, 0},
                {"42", 0, 42},
                {"0x1F", 0, 31},
                {"0XfF", 0, 255},
                {"0b101", 0, 5},
                {"0o17", 0, 15},
                {"017", 0, 15}, // as strtoul() and so systemd have it
                {"00", 0, 0},
                {"18446744073709551615", 0, UINT64_MAX},
                {"0xffffffffffffffff", 0, UINT64_MAX},
                {"18446744073709551616", -ERANGE, 0},
                {"0x10000000000000000", -ERANGE, 0},
                {"99999999999999999999999", -ERANGE, 0},
                {"08", -EINVAL, 0},
                {"", -EINVAL, 0},
                {"0x", -EINVAL, 0},
                {"0z1", -EINVAL, 0},
                {"0b2", -EINVAL, 0},
                {"-1", -EINVAL, 0},
                {"+1", 0, 1},
                {" 1", -EINVAL, 0},
                {"1 ", -EINVAL, 0},
                {"1.0", -EINVAL, 0},
                {"1k", -EINVAL, 0},
                {"\xef\xbc\x91", -EINVAL, 0},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                uint64_t value = 77;

                assert_int_equal(parse_u64(cases[i].text, &value), cases[i].result);
                assert_int_equal(value, cases[i].result < 0 ? 77 : cases[i].value);
        }
        uint32_t small = 77;
        assert_int_equal(parse_u32("4294967295", &small), 0);
        assert_int_equal(small, UINT32_MAX);
        assert_int_equal(parse_u32("4294967296", &small), -ERANGE);
        assert_int_equal(parse_u32("x", &small), -EINVAL);
}

static void test_signed(void **state)
{
        static const struct {
                const char *text;
                int result;
                int64_t value;
        } cases[] = {
                {"-1", 0, -1},
                {"+1", 0, 1},
                {"-0x10", 0, -16},
                {"9223372036854775807", 0, INT64_MAX},
                {"-9223372036854775808", 0, INT64_MIN},
                {"9223372036854775808", -ERANGE, 0},
                {"-9223372036854775809", -ERANGE, 0},
                {"--1", -EINVAL, 0},
                {"-", -EINVAL, 0},
                {"", -EINVAL, 0},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                int64_t value = 77;

                assert_int_equal(parse_i64(cases[i].text, &value), cases[i].result);
                assert_int_equal(value, cases[i].result < 0 ? 77 : cases[i].value);
        }
        int32_t small = 77;
        assert_int_equal(parse_i32("-2147483648", &small), 0);
        assert_int_equal(small, INT32_MIN);
        assert_int_equal(parse_i32("-2147483649", &small), -ERANGE);
        assert_int_equal(parse_i32("2147483648", &small), -ERANGE);
        assert_int_equal(small, INT32_MIN);
}

static void test_ids(void **state)
{
        static const struct {
                const char *text;
                int uid, pid; // results
        } cases[] = {
                {"1", 0, 0},
                {"0", 0, -ERANGE},
                {"65534", 0, 0},
                {"65535", -ERANGE, 0},
                {"4294967294", 0, -ERANGE},
                {"4294967295", -ERANGE, -ERANGE},
                {"4294967296", -ERANGE, -ERANGE},
                {"2147483647", 0, 0},
                {"010", -EINVAL, -EINVAL},
                {"0x10", -EINVAL, -EINVAL},
                {"00", -EINVAL, -EINVAL},
                {"-1", -EINVAL, -EINVAL},
                {"+1", -EINVAL, -EINVAL},
                {"", -EINVAL, -EINVAL},
                {"1a", -EINVAL, -EINVAL},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                uid_t uid;
                pid_t pid;

                assert_int_equal(parse_uid(cases[i].text, &uid), cases[i].uid);
                assert_int_equal(parse_pid(cases[i].text, &pid), cases[i].pid);
        }
}

static void test_pid_file(void **state)
{
        static const struct {
                const char *text;
                size_t size;
                int result;
                pid_t pid;
        } cases[] = {
                {"17", 2, 0, 17},
                {"17\n", 3, 0, 17},
                {" \t17 \r\n", 7, 0, 17},
                {"17\n/var/lib/db\n5432\n", 21, 0, 17},
                {"17\0x", 4, 0, 17},
                {"17", 1, 0, 1}, // what is behind the text does not count
                {"", 0, -EINVAL, 0},
                {"\n17\n", 4, -EINVAL, 0},
                {"17 18\n", 6, -EINVAL, 0},
                {"0\n", 2, -ERANGE, 0},
                {"99999999999", 11, -ERANGE, 0},
                {"                                                               17", 65, -EINVAL,
                 0},
                {"                                                              17", 64, 0, 17},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                pid_t pid = 0;

                print_message("%s\n", cases[i].text);
                assert_int_equal(parse_pid_file(cases[i].text, cases[i].size, &pid),
                                 cases[i].result);
                assert_int_equal(pid, cases[i].pid);
        }
}

static void test_mode(void **state)
{
        mode_t mode = 0;

        assert_int_equal(parse_mode("0640", &mode), 0);
        assert_int_equal(mode, 0640);
        assert_int_equal(parse_mode("7777", &mode), 0);
        assert_int_equal(mode, 07777);
        assert_int_equal(parse_mode("10000", &mode), -ERANGE);
        assert_int_equal(parse_mode("777777777777777777", &mode), -ERANGE);
        assert_int_equal(parse_mode("0o22", &mode), -EINVAL);
        assert_int_equal(parse_mode("8", &mode), -EINVAL);
        assert_int_equal(parse_mode("", &mode), -EINVAL);
        assert_int_equal(parse_mode("u+x", &mode), -EINVAL);
        assert_int_equal(mode, 07777);
}

// Verdicts and values are those of `systemd-analyze timespan` (systemd 252).
static const struct {
        const char *text;
        int result;
        usec_t value;
} spans[] = {
        {"5", 0, 5 * SEC},
        {"5s", 0, 5 * SEC},
        {"5 s", 0, 5 * SEC},
        {" 5 ", 0, 5 * SEC},
        {"5min 20s", 0, 320 * SEC},
        {"5min20", 0, 320 * SEC},
        {"5 5", 0, 10 * SEC},
        {"1.5s", 0, 1500000},
        {".5", 0, 500000},
        {"5.", -EINVAL, 0},
        {"5.s", -EINVAL, 0},
        {"+5", 0, 5 * SEC},
        {"12.34 .56", 0, 12900000},
        {"12.34s.56", 0, 12900000},
        {"0.00000009min", 0, 0},
        {"0.0000019s", 0, 1},
        {"100ms", 0, 100000},
        {"3msec", 0, 3000},
        {"7us", 0, 7},
        {"7usec", 0, 7},
        {"5\xc2\xb5s", 0, 5},
        {"5\xce\xbcs", 0, 5},
        {"1m", 0, 60 * SEC},
        {"1minutes", 0, 60 * SEC},
        {"2hr 1h 1hour 1hours", 0, 5 * 3600 * SEC},
        {"1d 1day 2days", 0, 4 * 86400 * SEC},
        {"1w 1weeks", 0, 14 * 86400 * SEC},
        {"1M 1month 1months", 0, 3 * 2629800 * SEC},
        {"1y", 0, 31557600 * SEC},
        {"1.5y", 0, 47336400 * SEC},
        {"2seconds 1sec 1second", 0, 4 * SEC},
        {"0", 0, 0},
        {"infinity", 0, USEC_INFINITY},
        {" infinity ", 0, USEC_INFINITY},
        {"infinity 5", -EINVAL, 0},
        {"infinitys", -EINVAL, 0},
        {"", -EINVAL, 0},
        {"  ", -EINVAL, 0},
        {".", -EINVAL, 0},
        {"5.5.5", -EINVAL, 0},
        {"5x", -EINVAL, 0},
        {"5 x", -EINVAL, 0},
        {"s", -EINVAL, 0},
        {"1e3", -EINVAL, 0},
        {"5S", -EINVAL, 0},
        {"-1", -ERANGE, 0},
        {"1s -1s", -ERANGE, 0},
        {"18446744073709551615us", -ERANGE, 0},
        {"18446744073709551616us", -ERANGE, 0},
        {"600000y", -ERANGE, 0},
        {"300000y 300000y", -ERANGE, 0},
};

static void test_usec(void **state)
{
        for (size_t i = 0; i < ARRAY_SIZE(spans); i++) {
                usec_t value = 77;
                int r = parse_usec(spans[i].text, USEC_PER_SEC, &value);

                if (r != spans[i].result || value != (r < 0 ? 77 : spans[i].value))
                        fail_msg("\"%s\": %d, %llu", spans[i].text, r, (unsigned long long)value);
        }
        usec_t value;
        assert_int_equal(parse_usec("5 1s", USEC_PER_MSEC, &value), 0); // another default unit
        assert_int_equal(value, 1005000);
}

static void test_size(void **state)
{
        static const struct {
                const char *text;
                int result;
                uint64_t value;
        } cases[] = {
                {"0", 0, 0},
                {"5", 0, 5},
                {"5B", 0, 5},
                {"5K", 0, 5 * K},
                {"1 K", 0, K},
                {"1.5K", 0, 1536},
                {"1.K", 0, K},
                {"1.5", 0, 1},
                {"2M", 0, 2 * K * K},
                {"3G", 0, 3 * K * K * K},
                {"1T", 0, K * K * K * K},
                {"1P", 0, K * K * K * K * K},
                {"15E", 0, 15 * K * K * K * K * K * K},
                {"1G 512M", 0, K * K * K + 512 * K * K},
                {"1M2K3", 0, K * K + 2 * K + 3},
                {"5B 3", 0, 8},
                {"infinity", 0, UINT64_MAX},
                {"512M 1G", -EINVAL, 0},
                {"1K 1K", -EINVAL, 0},
                {"3 5", -EINVAL, 0},
                {"3 5B", -EINVAL, 0},
                {"1KB", -EINVAL, 0},
                {"1k", -EINVAL, 0},
                {"", -EINVAL, 0},
                {"K", -EINVAL, 0},
                {".5K", -EINVAL, 0},
                {"1.2.3", -EINVAL, 0},
                {"1x", -EINVAL, 0},
                {"-1", -ERANGE, 0},
                {"16E", -ERANGE, 0},
                {"15E 1024P", -ERANGE, 0},
                {"18446744073709551615", -ERANGE, 0}, // would be "infinity"
                {"18446744073709551616", -ERANGE, 0},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                uint64_t value = 77;
                int r = parse_size(cases[i].text, &value);

                if (r != cases[i].result || value != (r < 0 ? 77 : cases[i].value))
                        fail_msg("\"%s\": %d, %llu", cases[i].text, r, (unsigned long long)value);
        }
}

static void test_signals(void **state)
{
        const struct {
                const char *text;
                int result;
                const char *name;
        } cases[] = {
                {"SIGTERM", SIGTERM, "TERM"},
                {"TERM", SIGTERM, "TERM"},
                {"15", SIGTERM, "TERM"},
                {"SIGIO", SIGIO, "IO"},
                {"POLL", -EINVAL, NULL}, // no second names
                {"SYS", SIGSYS, "SYS"},
                {"RTMIN", SIGRTMIN, "RTMIN+0"},
                {"SIGRTMIN+3", SIGRTMIN + 3, "RTMIN+3"},
                {"RTMAX", SIGRTMAX, NULL},
                {"RTMAX-1", SIGRTMAX - 1, NULL},
                {"64", 64, NULL},
                {"RTMIN+31", -ERANGE, NULL},
                {"RTMAX-31", -ERANGE, NULL},
                {"RTMIN+4294967295", -ERANGE, NULL},
                {"RTMIN+99999999999", -EINVAL, NULL},
                {"RTMIN-1", -EINVAL, NULL},
                {"RTMAX+1", -EINVAL, NULL},
                {"RTMIN+", -EINVAL, NULL},
                {"RTMIN+-1", -EINVAL, NULL},
                {"0", -ERANGE, NULL},
                {"65", -ERANGE, NULL},
                {"-1", -EINVAL, NULL},
                {"sigterm", -EINVAL, NULL},
                {"SIG", -EINVAL, NULL},
                {"", -EINVAL, NULL},
        };
        char name[SIGNAL_NAME_MAX];

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                int signo = 0, r = parse_signal(cases[i].text, &signo);

                if ((r < 0 ? r : signo) != cases[i].result)
                        fail_msg("\"%s\": %d, %d", cases[i].text, r, signo);
                if (cases[i].name)
                        assert_string_equal(signal_format(signo, name, sizeof(name)),
                                            cases[i].name);
        }
        for (int i = 1; i < _NSIG; i++) { // what is printed can be read again
                int signo = 0;

                assert_int_equal(parse_signal(signal_format(i, name, sizeof(name)), &signo), 0);
                assert_int_equal(signo, i);
        }
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bool),     cmocka_unit_test(test_unsigned),
        cmocka_unit_test(test_signed),   cmocka_unit_test(test_ids),
        cmocka_unit_test(test_pid_file), cmocka_unit_test(test_mode),
        cmocka_unit_test(test_usec),     cmocka_unit_test(test_size),
        cmocka_unit_test(test_signals),
};
HARNESS_MAIN(tests)
