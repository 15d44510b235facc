#include "core/socket/connection_log.h"

#include "base/clock.h"
#include "base/log.h"
#include "core/service/service.h"
#include "core/socket/connection.h"
#include "core/socket/sock.h"
#include "core/start/command.h"
#include "net/traffic.h"

#include <stdio.h>

#define TEXT_MAX 160
#define WHO_MAX (PEER_TEXT_MAX + 32)

// "Connection from 127.0.0.1:4711", or what X-LogPeer= leaves of it.
static void format_who(const struct connection *c, char text[WHO_MAX])
{
        char peer[PEER_TEXT_MAX];

        connection_peer(c, peer);
        snprintf(text, WHO_MAX, "%s%s", peer[0] ? "Connection from " : "A connection", peer);
}

void connection_log_begin(const struct connection *c)
{
        CLEANUP(free) char *buffer = NULL;
        char who[WHO_MAX];

        if (c->log != CONNECTION_LOG_FULL)
                return;
        format_who(c, who);
        log_unit(c->sock->unit.id, LOG_INFO, 0, "%s begins: %s", who, run_name(c->run, &buffer));
}

static bool is_failure(const struct run *run)
{
        return run->result != SERVICE_SUCCESS && run->result != SERVICE_SKIP_CONDITION;
}

// "main process exited, code=exited, status=1/FAILURE"
static void format_exit(const struct run *run, char text[TEXT_MAX])
{
        if (run->main_code == 0)
                snprintf(text, TEXT_MAX, "no main process");
        else
                command_format_end("main process", run->main_code, run->main_status, text,
                                   TEXT_MAX);
}

static void format_traffic(const struct connection *c, char text[TEXT_MAX])
{
        if (c->log != CONNECTION_LOG_FULL)
                text[0] = '\0';
        else if (!c->traffic || !c->traffic->is_known)
                snprintf(text, TEXT_MAX, ", bytes unknown");
        else
                snprintf(text, TEXT_MAX, ", %llu bytes received, %llu sent",
                         (unsigned long long)c->traffic->received,
                         (unsigned long long)c->traffic->sent);
}

void connection_log_end(const struct connection *c)
{
        CLEANUP(free) char *buffer = NULL;
        char who[WHO_MAX], span[USEC_SPAN_MAX], end[TEXT_MAX], traffic[TEXT_MAX];
        const struct run *run = c->run;
        bool has_failed = is_failure(run);

        // A refused one has a line of its own (core/socket/refusals).
        if (run->is_refused || c->log == CONNECTION_LOG_NONE ||
            (c->log == CONNECTION_LOG_FAILURES && !has_failed))
                return;
        format_who(c, who);
        usec_format_span(usec_sub(clock_now(), c->begin), USEC_PER_MSEC, span, sizeof(span));
        format_exit(run, end);
        format_traffic(c, traffic);
        log_unit(c->sock->unit.id, has_failed ? LOG_NOTICE : LOG_INFO, 0,
                 "%s %s after %s (%s): %s%s: %s", who, has_failed ? "failed" : "ends", span,
                 service_result_name(run->result), end, traffic, run_name(run, &buffer));
}
