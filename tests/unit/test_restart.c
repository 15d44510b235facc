#include "core/service/restart.h"

#include "unit/harness.h"

#include <signal.h>
#include <sys/wait.h>

static struct exit_set set_of(int code, int signo)
{
        struct exit_set set = {0};

        if (code >= 0)
                set.codes[code / 8] |= (uint8_t)(1U << (code % 8));
        if (signo > 0)
                set.signals[signo / 8] |= (uint8_t)(1U << (signo % 8));
        return set;
}

// Which settings restart after a result; the columns are the settings, in this order.
static const enum service_restart columns[] = {
        RESTART_NO,          RESTART_ALWAYS,   RESTART_ON_SUCCESS,  RESTART_ON_FAILURE,
        RESTART_ON_ABNORMAL, RESTART_ON_ABORT, RESTART_ON_WATCHDOG,
};

static const struct {
        enum service_result result;
        const char *restarts; // y where it does
} matrix[] = {
        //                                  no always succ fail abn abort wdog
        {SERVICE_SUCCESS, "-yy----"},          {SERVICE_FAILURE_EXIT_CODE, "-y-y---"},
        {SERVICE_FAILURE_SIGNAL, "-y-yyy-"},   {SERVICE_FAILURE_CORE_DUMP, "-y-yyy-"},
        {SERVICE_FAILURE_TIMEOUT, "-y-yy--"},  {SERVICE_FAILURE_RESOURCES, "-y-yy--"},
        {SERVICE_FAILURE_PROTOCOL, "-y-yy--"}, {SERVICE_FAILURE_OOM_KILL, "-y-yy--"},
        {SERVICE_FAILURE_WATCHDOG, "-y-yy-y"}, {SERVICE_SKIP_CONDITION, "-------"},
};

static void test_matrix(void **state)
{
        for (size_t i = 0; i < ARRAY_SIZE(matrix); i++)
                for (size_t k = 0; k < ARRAY_SIZE(columns); k++) {
                        struct restart_policy p = {.restart = columns[k]};
                        struct restart_cause cause = {.result = matrix[i].result};
                        bool is_due = restart_is_due(&p, &cause);

                        if (is_due != (matrix[i].restarts[k] == 'y'))
                                fail_msg("result %d, Restart= column %zu: %d", matrix[i].result, k,
                                         is_due);
                        cause.is_manual_stop = true;
                        assert_false(restart_is_due(&p, &cause));
                }
}

static void test_prevent_and_force(void **state)
{
        struct exit_set seven = set_of(7, SIGUSR1), none = {0};
        struct restart_policy p = {.restart = RESTART_ALWAYS, .prevent = &seven, .force = &none};
        struct restart_cause cause = {SERVICE_FAILURE_EXIT_CODE, CLD_EXITED, 7, false};

        assert_false(restart_is_due(&p, &cause));
        cause.main_status = 8;
        assert_true(restart_is_due(&p, &cause));
        cause = (struct restart_cause){SERVICE_FAILURE_SIGNAL, CLD_KILLED, SIGUSR1, false};
        assert_false(restart_is_due(&p, &cause));
        cause.main_code = CLD_DUMPED;
        assert_false(restart_is_due(&p, &cause));
        // the number 7 is a code here, no signal
        cause = (struct restart_cause){SERVICE_FAILURE_SIGNAL, CLD_KILLED, 7, false};
        assert_true(restart_is_due(&p, &cause));
        // force against Restart=no; prevent wins over force; a stop by hand over both
        p = (struct restart_policy){.restart = RESTART_NO, .force = &seven};
        cause = (struct restart_cause){SERVICE_FAILURE_EXIT_CODE, CLD_EXITED, 7, false};
        assert_true(restart_is_due(&p, &cause));
        cause.is_manual_stop = true;
        assert_false(restart_is_due(&p, &cause));
        cause.is_manual_stop = false;
        p.prevent = &seven;
        assert_false(restart_is_due(&p, &cause));
        // nothing ended: code 0 is in no set
        struct exit_set zero = set_of(0, 0);

        p = (struct restart_policy){.restart = RESTART_NO, .force = &zero};
        cause = (struct restart_cause){SERVICE_FAILURE_TIMEOUT, 0, 0, false};
        assert_false(restart_is_due(&p, &cause));
}

static void test_clean(void **state)
{
        static const struct {
                int code, status;
                enum exit_clean clean;
                bool in_set, is_clean;
        } rows[] = {
                {CLD_EXITED, 0, EXIT_CLEAN_DAEMON, false, true},
                {CLD_EXITED, 0, EXIT_CLEAN_COMMAND, false, true},
                {CLD_EXITED, 1, EXIT_CLEAN_DAEMON, false, false},
                {CLD_EXITED, 75, EXIT_CLEAN_DAEMON, true, true},
                {CLD_EXITED, 75, EXIT_CLEAN_COMMAND, true, true},
                {CLD_KILLED, SIGHUP, EXIT_CLEAN_DAEMON, false, true},
                {CLD_KILLED, SIGINT, EXIT_CLEAN_DAEMON, false, true},
                {CLD_KILLED, SIGTERM, EXIT_CLEAN_DAEMON, false, true},
                {CLD_KILLED, SIGPIPE, EXIT_CLEAN_DAEMON, false, true},
                {CLD_KILLED, SIGHUP, EXIT_CLEAN_COMMAND, false, false},
                {CLD_KILLED, SIGTERM, EXIT_CLEAN_COMMAND, false, false},
                {CLD_KILLED, SIGKILL, EXIT_CLEAN_DAEMON, false, false},
                {CLD_KILLED, SIGUSR2, EXIT_CLEAN_DAEMON, false, false},
                {CLD_KILLED, SIGUSR2, EXIT_CLEAN_DAEMON, true, true},
                {CLD_DUMPED, SIGABRT, EXIT_CLEAN_DAEMON, true, false},
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct exit_set set = {0};

                if (rows[i].in_set)
                        set = rows[i].code == CLD_EXITED ? set_of(rows[i].status, 0)
                                                         : set_of(-1, rows[i].status);
                bool is_clean = exit_is_clean(rows[i].code, rows[i].status, rows[i].clean, &set);

                if (is_clean != rows[i].is_clean)
                        fail_msg("row %zu", i);
        }
}

static void test_results_and_names(void **state)
{
        assert_int_equal(exit_result(CLD_EXITED, 0, EXIT_CLEAN_DAEMON, NULL), SERVICE_SUCCESS);
        assert_int_equal(exit_result(CLD_EXITED, 3, EXIT_CLEAN_DAEMON, NULL),
                         SERVICE_FAILURE_EXIT_CODE);
        assert_int_equal(exit_result(CLD_KILLED, SIGKILL, EXIT_CLEAN_DAEMON, NULL),
                         SERVICE_FAILURE_SIGNAL);
        // Nobody knows how it ended: never a success.
        assert_int_equal(exit_result(0, 0, EXIT_CLEAN_DAEMON, NULL), SERVICE_FAILURE_EXIT_CODE);
        assert_int_equal(exit_result(CLD_DUMPED, SIGSEGV, EXIT_CLEAN_DAEMON, NULL),
                         SERVICE_FAILURE_CORE_DUMP);
}

static void test_delay(void **state)
{
        struct restart_policy p = {.sec = 100, .max_delay = USEC_INFINITY};

        assert_int_equal(restart_delay(&p, 0), 100);
        assert_int_equal(restart_delay(&p, 50), 100);
        p = (struct restart_policy){.sec = 100, .max_delay = 1600, .steps = 4};
        assert_int_equal(restart_delay(&p, 0), 100);
        assert_in_range(restart_delay(&p, 1), 199, 200);
        assert_in_range(restart_delay(&p, 2), 399, 400);
        assert_in_range(restart_delay(&p, 3), 799, 800);
        assert_int_equal(restart_delay(&p, 4), 1600);
        assert_int_equal(restart_delay(&p, UINT32_MAX), 1600);
        // no growth where the settings contradict each other, or the wait is none at all
        p.max_delay = 50;
        assert_int_equal(restart_delay(&p, 3), 100);
        p = (struct restart_policy){.sec = 0, .max_delay = 50, .steps = 3};
        assert_int_equal(restart_delay(&p, 3), 0);
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_matrix), cmocka_unit_test(test_prevent_and_force),
        cmocka_unit_test(test_clean),  cmocka_unit_test(test_results_and_names),
        cmocka_unit_test(test_delay),
};

HARNESS_MAIN(tests)
