// The verbs for the supervisor as a whole.
#include "base/buf.h"
#include "base/parse.h"
#include "base/str.h"
#include "ctl/ctl.h"

#include <stdio.h>

#define WAIT_PAUSE (100 * USEC_PER_MSEC)

int verb_help(struct ctl *c UNUSED, char **args UNUSED)
{
        options_print_help();
        return CTL_OK;
}

// ---- is-system-running

static bool is_starting(const char *state)
{
        return streq(state, "initializing") || streq(state, "starting");
}

void print_system_state(const struct ctl *c, const char *state)
{
        CLEANUP(buf) struct buf b = BUF_NULL;

        if (c->quiet)
                return;
        if (c->output == OUTPUT_SHORT) {
                puts(shown(state));
                return;
        }
        json_begin(&b);
        json_field(&b, "state", state);
        json_end(&b);
        puts(buf_text(&b));
}

int verb_is_system_running(struct ctl *c, char **args UNUSED)
{
        CLEANUP(free) char *state = NULL;

        if (!client_is_reachable(c)) {
                print_system_state(c, "offline");
                return CTL_FAILED;
        }
        for (;;) {
                free(state);
                state = client_get_string(c, BUS_ROOT, BUS_MANAGER, "SystemState");
                if (!c->wait || !state || !is_starting(state))
                        break;
                usleep(WAIT_PAUSE);
        }
        print_system_state(c, state ? state : "unknown");
        return state && streq(state, "running") ? CTL_OK : CTL_FAILED;
}

// ---- the log

static int show_or_set(struct ctl *c, const char *name, const char *value)
{
        int r = client_connect(c);

        if (r != 0 || value)
                return r ? r : client_set_string(c, name, value);
        CLEANUP(free) char *now = client_get_string(c, BUS_ROOT, BUS_MANAGER, name);

        if (!now)
                return client_complain(NULL, -EIO, "Failed to get %s", name);
        puts(shown(now));
        return CTL_OK;
}

int verb_log_level(struct ctl *c, char **args)
{
        return show_or_set(c, "LogLevel", args[0]);
}

int verb_log_target(struct ctl *c, char **args)
{
        return show_or_set(c, "LogTarget", args[0]);
}

int verb_service_watchdogs(struct ctl *c, char **args)
{
        bool is_on;

        if (args[0] && parse_bool(args[0], &is_on) < 0) {
                fprintf(stderr, "service-watchdogs: '%s' is neither yes nor no.\n", shown(args[0]));
                return CTL_FAILED;
        }
        int r = client_connect(c);

        if (r != 0 || args[0])
                return r ? r : client_set_bool(c, "ServiceWatchdogs", is_on);
        int value;

        r = sd_bus_get_property_trivial(c->bus, BUS_DESTINATION, BUS_ROOT, BUS_MANAGER,
                                        "ServiceWatchdogs", NULL, 'b', &value);
        if (r < 0)
                return client_complain(NULL, r, "Failed to get ServiceWatchdogs");
        puts(value ? "yes" : "no");
        return CTL_OK;
}
