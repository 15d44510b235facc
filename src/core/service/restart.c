#include "core/service/restart.h"

#include <signal.h>
#include <sys/wait.h>

static bool has_bit(const uint8_t *bits, size_t size, int n)
{
        return n >= 0 && (size_t)n / 8 < size && (bits[n / 8] & (1U << (n % 8)));
}

static bool exit_set_test(const struct exit_set *set, int code, int status)
{
        if (!set)
                return false;
        if (code == CLD_EXITED)
                return has_bit(set->codes, sizeof(set->codes), status);
        if (code == CLD_KILLED || code == CLD_DUMPED)
                return has_bit(set->signals, sizeof(set->signals), status);
        return false;
}

bool exit_is_clean(int code, int status, enum exit_clean clean, const struct exit_set *success)
{
        if (code == CLD_EXITED)
                return status == 0 || exit_set_test(success, code, status);
        // A core dump is never clean, whatever the signal.
        if (code != CLD_KILLED)
                return false;
        if (clean == EXIT_CLEAN_DAEMON &&
            (status == SIGHUP || status == SIGINT || status == SIGTERM || status == SIGPIPE))
                return true;
        return exit_set_test(success, code, status);
}

enum service_result exit_result(int code, int status, enum exit_clean clean,
                                const struct exit_set *success)
{
        if (exit_is_clean(code, status, clean, success))
                return SERVICE_SUCCESS;
        if (code == CLD_EXITED || code == 0)
                return SERVICE_FAILURE_EXIT_CODE;
        return code == CLD_DUMPED ? SERVICE_FAILURE_CORE_DUMP : SERVICE_FAILURE_SIGNAL;
}

bool restart_is_due(const struct restart_policy *p, const struct restart_cause *cause)
{
        enum service_result result = cause->result;

        if (cause->is_manual_stop)
                return false;
        if (exit_set_test(p->prevent, cause->main_code, cause->main_status))
                return false;
        if (exit_set_test(p->force, cause->main_code, cause->main_status))
                return true;
        switch (p->restart) {
        case RESTART_NO:
                return false;
        case RESTART_ALWAYS:
                return result != SERVICE_SKIP_CONDITION;
        case RESTART_ON_SUCCESS:
                return result == SERVICE_SUCCESS;
        case RESTART_ON_FAILURE:
                return result != SERVICE_SUCCESS && result != SERVICE_SKIP_CONDITION;
        case RESTART_ON_ABNORMAL:
                return result != SERVICE_SUCCESS && result != SERVICE_SKIP_CONDITION &&
                       result != SERVICE_FAILURE_EXIT_CODE;
        case RESTART_ON_WATCHDOG:
                return result == SERVICE_FAILURE_WATCHDOG;
        case RESTART_ON_ABORT:
                return result == SERVICE_FAILURE_SIGNAL || result == SERVICE_FAILURE_CORE_DUMP;
        }
        return false;
}

static long double power(long double base, unsigned n)
{
        long double value = 1;

        for (; n; n >>= 1, base *= base)
                if (n & 1)
                        value *= base;
        return value;
}

// The n-th root of x >= 1, by bisection: not worth a dependency on libm.
static long double root(long double x, unsigned n)
{
        long double low = 1, high = x;

        for (int i = 0; i < 128; i++) {
                long double middle = (low + high) / 2;

                if (power(middle, n) < x)
                        low = middle;
                else
                        high = middle;
        }
        return high;
}

usec_t restart_delay(const struct restart_policy *p, unsigned n_restarts)
{
        if (n_restarts == 0 || p->steps == 0 || p->sec == 0 || p->max_delay == USEC_INFINITY ||
            p->sec >= p->max_delay)
                return p->sec;
        if (n_restarts >= p->steps)
                return p->max_delay;
        long double q = root((long double)p->max_delay / (long double)p->sec, p->steps);
        usec_t delay = (usec_t)((long double)p->sec * power(q, n_restarts));

        return MIN(delay, p->max_delay);
}
