#include "conf/settings.h"

#include "base/log_target.h"

#include "base/strv.h"
#include "conf/enums.h"
#include "unit/conf_fixture.h"

#include <syslog.h>

static int set(struct settings *s, const char *name, const char *value, struct complaints *c)
{
        return settings_set(s, name, value, "usher.conf", 3, &c->diag);
}

static void test_values(void **state)
{
        CLEANUP(complaints) struct complaints c;
        CLEANUP(settings) struct settings s;

        complaints_init(&c);
        settings_init(&s);
        assert_int_equal(set(&s, "LogLevel", "debug", &c), SETTINGS_OK);
        assert_int_equal(s.log_level, LOG_DEBUG);
        assert_int_equal(set(&s, "LogLevel", "3", &c), SETTINGS_OK);
        assert_int_equal(s.log_level, LOG_ERR);
        assert_int_equal(set(&s, "LogTarget", "journal", &c), SETTINGS_OK);
        assert_int_equal(s.log_target, LOG_TARGET_JOURNAL);
        assert_int_equal(set(&s, "LogFormat", "json", &c), SETTINGS_OK);
        assert_int_equal(s.log_format, SETTINGS_LOG_JSON);
        assert_int_equal(set(&s, "Compat", "systemd", &c), SETTINGS_OK);
        assert_true(s.compat_systemd);
        assert_int_equal(set(&s, "DefaultTimeoutStartSec", "1min", &c), SETTINGS_OK);
        assert_int_equal(s.default_timeout_start, 60 * USEC_PER_SEC);
        assert_int_equal(set(&s, "DefaultTimeoutStopSec", "0", &c), SETTINGS_OK);
        assert_true(s.default_timeout_stop == USEC_INFINITY);
        assert_int_equal(set(&s, "DefaultRestartSec", "0", &c), SETTINGS_OK);
        assert_int_equal(s.default_restart, 0);
        assert_int_equal(set(&s, "DefaultStartLimitBurst", "9", &c), SETTINGS_OK);
        assert_int_equal(s.default_start_limit_burst, 9);
        assert_int_equal(set(&s, "ConnectionLog", "full", &c), SETTINGS_OK);
        assert_int_equal(s.connection_log, CONNECTION_LOG_FULL);
        assert_int_equal(set(&s, "LogPeer", "none", &c), SETTINGS_OK);
        assert_int_equal(s.log_peer, LOG_PEER_NONE);
        assert_int_equal(set(&s, "LogPeer", "", &c), SETTINGS_OK);
        assert_int_equal(s.log_peer, LOG_PEER_FULL);
        assert_int_equal(set(&s, "PassManagerEnvironment", "no", &c), SETTINGS_OK);
        assert_int_equal(s.pass_environment, 0);
        assert_int_equal(set(&s, "PassManagerEnvironment", "auto", &c), SETTINGS_OK);
        assert_int_equal(s.pass_environment, -1);
        assert_int_equal(c.diag.errors, 0);
}

static void test_lists(void **state)
{
        CLEANUP(complaints) struct complaints c;
        CLEANUP(settings) struct settings s;
        CLEANUP(free) char *path = NULL, *environment = NULL;

        complaints_init(&c);
        settings_init(&s);
        assert_int_equal(set(&s, "UnitPath", "/a '/b c'", &c), SETTINGS_OK);
        assert_int_equal(set(&s, "UnitPath", "/d", &c), SETTINGS_OK);
        path = strv_join(s.unit_path, "|");
        assert_string_equal(path, "/a|/b c|/d");
        assert_int_equal(set(&s, "UnitPath", "", &c), SETTINGS_OK);
        assert_null(s.unit_path);
        assert_int_equal(set(&s, "DefaultEnvironment", "A=1 'B=2 3'", &c), SETTINGS_OK);
        assert_int_equal(set(&s, "DefaultEnvironment", "A=4", &c), SETTINGS_OK);
        environment = strv_join(s.default_environment, "|");
        assert_string_equal(environment, "A=4|B=2 3");
        assert_int_equal(set(&s, "AllowRead", "@adm joe", &c), SETTINGS_OK);
        assert_int_equal(strv_length(s.allow_read), 2);
        assert_int_equal(set(&s, "AllowRead", "none", &c), SETTINGS_OK);
        assert_int_equal(strv_length(s.allow_read), 1);
        assert_string_equal(s.allow_read[0], "none");
        assert_int_equal(set(&s, "AllowRead", "all", &c), SETTINGS_OK);
        assert_int_equal(strv_length(s.allow_read), 1);
        assert_string_equal(s.allow_read[0], "all");
        assert_int_equal(set(&s, "AllowLogs", "none", &c), SETTINGS_OK);
        assert_string_equal(s.allow_logs[0], "none");
        assert_int_equal(set(&s, "AllowLogs", "", &c), SETTINGS_OK);
        assert_null(s.allow_logs);
        assert_int_equal(c.diag.errors, 0);
}

static void test_refusals(void **state)
{
        static const char *const bad[][2] = {
                {"LogLevel", "8"},
                {"LogLevel", "loud"},
                {"LogTarget", "printer"},
                {"Compat", "yes"},
                {"UnitPath", "a/b"},
                {"UnitPath", "'/a"},
                {"SystemdUnits", "maybe"},
                {"DefaultTimeoutStopSec", "x"},
                {"DefaultEnvironment", "1A=2"},
                {"AllowRead", "none joe"},
                {"AllowControl", "none"},
                {"RefuseWritableUnits", "2"},
                {"Unsupported", "yes"},
                {"DefaultStartLimitBurst", "-1"},
                {"LogPeer", "half"},
                {"ConnectionLog", "yes"},
        };
        CLEANUP(complaints) struct complaints c;
        CLEANUP(settings) struct settings s;

        complaints_init(&c);
        settings_init(&s);
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                print_message("%s=%s\n", bad[i][0], bad[i][1]);
                assert_int_equal(set(&s, bad[i][0], bad[i][1], &c), SETTINGS_BAD);
                assert_int_equal(c.diag.errors, i + 1);
        }
        assert_non_null(
                strstr(buf_text(&c.text),
                       "e usher.conf:3: Invalid value for Compat=: 'yes' (an example: systemd)\n"));
        assert_int_equal(set(&s, "Loglevel", "info", &c), SETTINGS_UNKNOWN);
        assert_string_equal(settings_nearest("Loglevel"), "LogLevel");
}

// Each row's example is taken, and the empty assignment brings the default back.
static void test_every_row(void **state)
{
        CLEANUP(complaints) struct complaints c;
        const struct settings_row *row;
        size_t position = 0, n = 0;

        complaints_init(&c);
        for (; (row = settings_next(&position)); n++) {
                struct settings s, fresh;

                print_message("%s\n", row->name);
                settings_init(&s);
                settings_init(&fresh);
                assert_int_equal(set(&s, row->name, row->example, &c), SETTINGS_OK);
                assert_memory_not_equal(&s, &fresh, sizeof(s));
                assert_int_equal(set(&s, row->name, "", &c), SETTINGS_OK);
                assert_memory_equal(&s, &fresh, sizeof(s));
                if (row->fallback[0])
                        assert_int_equal(set(&s, row->name, row->fallback, &c), SETTINGS_OK);
                assert_true(row->doc[strlen(row->doc) - 1] == '.');
                settings_done(&s);
        }
        assert_true(n > 10);
}

static int set_lists(void *arg)
{
        CLEANUP(settings) struct settings s;
        int r;

        settings_init(&s);
        r = settings_set(&s, "UnitPath", "/a /b", NULL, 0, NULL);
        if (r >= 0)
                r = settings_set(&s, "DefaultEnvironment", "A=1 B=2", NULL, 0, NULL);
        if (r >= 0)
                r = settings_set(&s, "AllowRead", "@adm", NULL, 0, NULL);
        return r;
}

static void test_oom(void **state)
{
        oom_prove(set_lists, NULL);
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),   cmocka_unit_test(test_lists),
        cmocka_unit_test(test_refusals), cmocka_unit_test(test_every_row),
        cmocka_unit_test(test_oom),
};
HARNESS_MAIN(tests)
