// The socket unit type: its states and what leads from one to the next.
//
//   dead/failed -> start-pre -> (open) -> start-chown -> start-post -> listening <-> running
//   any -> stop-pre -> stop-pre-sigterm -> -sigkill -> (close) stop-post -> final-... ->
//   dead/failed
#include "core/socket/sock.h"

#include "base/log.h"
#include "core/socket/connection.h"
#include "core/socket/sock_priv.h"
#include "core/start/removal.h"

static const struct {
        const char *name;
        enum active_state active;
        bool runs_commands; // runs commands, or looks up the users that one of them needs
        bool is_up;         // its ports are open for serving, or being opened
        bool is_open;       // its ports are open
} states[_SOCK_STATE_MAX] = {
        [SOCK_DEAD] = {.name = "dead", .active = ACTIVE_INACTIVE},
        [SOCK_START_PRE] = {"start-pre", ACTIVE_ACTIVATING, .runs_commands = true, .is_up = true},
        [SOCK_START_CHOWN] = {"start-chown", ACTIVE_ACTIVATING, .runs_commands = true,
                              .is_up = true, .is_open = true},
        [SOCK_START_POST] = {"start-post", ACTIVE_ACTIVATING, .runs_commands = true, .is_up = true,
                             .is_open = true},
        [SOCK_LISTENING] = {"listening", ACTIVE_ACTIVE, .is_up = true, .is_open = true},
        [SOCK_DEFERRED] = {"deferred", ACTIVE_ACTIVE, .is_up = true, .is_open = true},
        [SOCK_RUNNING] = {"running", ACTIVE_ACTIVE, .is_up = true, .is_open = true},
        [SOCK_STOP_PRE] = {"stop-pre", ACTIVE_DEACTIVATING, .runs_commands = true, .is_open = true},
        [SOCK_STOP_PRE_SIGTERM] = {"stop-pre-sigterm", ACTIVE_DEACTIVATING, .runs_commands = true,
                                   .is_open = true},
        [SOCK_STOP_PRE_SIGKILL] = {"stop-pre-sigkill", ACTIVE_DEACTIVATING, .runs_commands = true,
                                   .is_open = true},
        [SOCK_STOP_POST] = {"stop-post", ACTIVE_DEACTIVATING, .runs_commands = true},
        [SOCK_FINAL_SIGTERM] = {"final-sigterm", ACTIVE_DEACTIVATING, .runs_commands = true},
        [SOCK_FINAL_SIGKILL] = {"final-sigkill", ACTIVE_DEACTIVATING, .runs_commands = true},
        [SOCK_FAILED] = {.name = "failed", .active = ACTIVE_FAILED},
        [SOCK_CLEANING] = {"cleaning", ACTIVE_MAINTENANCE, .is_open = true},
};

static const char *const result_names[_SOCK_RESULT_MAX] = {
        [SOCK_SUCCESS] = "success",
        [SOCK_FAILURE_RESOURCES] = "resources",
        [SOCK_FAILURE_TIMEOUT] = "timeout",
        [SOCK_FAILURE_EXIT_CODE] = "exit-code",
        [SOCK_FAILURE_SIGNAL] = "signal",
        [SOCK_FAILURE_CORE_DUMP] = "core-dump",
        [SOCK_FAILURE_START_LIMIT_HIT] = "start-limit-hit",
        [SOCK_FAILURE_TRIGGER_LIMIT_HIT] = "trigger-limit-hit",
        [SOCK_FAILURE_SERVICE_START_LIMIT_HIT] = "service-start-limit-hit",
};

const char *sock_state_name(enum sock_state s)
{
        return states[s].name;
}

const char *sock_result_name(enum sock_result r)
{
        return result_names[r];
}

bool sock_state_is_up(enum sock_state s)
{
        return states[s].is_up;
}

bool sock_state_is_open(enum sock_state s)
{
        return states[s].is_open;
}

void sock_set_result(struct sock *s, enum sock_result result)
{
        if (s->result == SOCK_SUCCESS)
                s->result = result;
}

void sock_set_failure(struct sock *s, char *text)
{
        free(s->failure);
        s->failure = text;
}

void sock_set_state(struct sock *s, enum sock_state state)
{
        enum active_state old = states[s->state].active;

        if (s->state != state)
                log_unit(s->unit.id, LOG_DEBUG, 0, "Changed %s -> %s", states[s->state].name,
                         states[state].name);
        s->state = state;
        sock_command_unwait(s);
        removal_forget(s->removal);
        work_cancel(&s->start_work);
        if (!states[state].runs_commands)
                sock_command_done(s);
        if (state != SOCK_DEFERRED)
                sock_defer_done(s);
        if (state != SOCK_LISTENING) {
                sock_update_watch(s);
                sock_poll_limit_reset(s);
                sock_pause_end(s);
        }
        unit_notify(&s->unit, old, states[state].active, 0);
}

static void enter_start_post(struct sock *s);
static void enter_stop_post(struct sock *s, enum sock_result result);

// ---- going down

static void enter_dead(struct sock *s, enum sock_result result)
{
        sock_set_result(s, result);
        if (s->result != SOCK_SUCCESS)
                log_unit(s->unit.id, LOG_WARNING, 0, "Failed with result '%s'.",
                         result_names[s->result]);
        if (!s->park)
                sock_close(s, false);
        sock_set_state(s, s->result == SOCK_SUCCESS ? SOCK_DEAD : SOCK_FAILED);
}

// Signals the command that still runs; continues with the next state if there is none.
static void enter_signal(struct sock *s, enum sock_state state, enum sock_result result)
{
        int signo = state == SOCK_STOP_PRE_SIGTERM || state == SOCK_FINAL_SIGTERM
                            ? s->unit.conf->kill->kill_signal
                            : s->unit.conf->kill->final_kill_signal;
        bool is_final = state == SOCK_FINAL_SIGTERM || state == SOCK_FINAL_SIGKILL;

        sock_set_result(s, result);
        if (sock_signal_command(s, signo) > 0) {
                sock_set_state(s, state);
                sock_command_arm_timeout(s);
        } else if (is_final) {
                enter_dead(s, SOCK_SUCCESS);
        } else {
                enter_stop_post(s, SOCK_SUCCESS);
        }
}

void sock_enter_stop_pre(struct sock *s, enum sock_result result)
{
        sock_set_result(s, result);
        sock_set_state(s, SOCK_STOP_PRE);
        int r = sock_run_commands(s, &sock_conf(s)->exec_stop_pre);

        if (r > 0)
                enter_signal(s, SOCK_STOP_PRE_SIGTERM, SOCK_SUCCESS);
        else if (r < 0)
                enter_stop_post(s, SOCK_FAILURE_RESOURCES);
}

static void enter_stop_post(struct sock *s, enum sock_result result)
{
        assert(s->state >= SOCK_START_PRE && s->state < SOCK_STOP_POST);
        sock_set_result(s, result);
        if (!s->park)
                sock_close(s, true);
        sock_set_state(s, SOCK_STOP_POST);
        int r = sock_run_commands(s, &sock_conf(s)->exec_stop_post);

        if (r != 0)
                enter_signal(s, SOCK_FINAL_SIGTERM, r < 0 ? SOCK_FAILURE_RESOURCES : SOCK_SUCCESS);
}

// ---- going up

static void enter_start_pre(struct sock *s)
{
        sock_set_state(s, SOCK_START_PRE);
        int r = sock_run_commands(s, &sock_conf(s)->exec_start_pre);

        if (r > 0)
                sock_enter_open(s);
        else if (r < 0)
                enter_dead(s, SOCK_FAILURE_RESOURCES);
}

void sock_on_opened(struct sock *s, enum sock_result result)
{
        if (result != SOCK_SUCCESS) {
                sock_enter_stop_pre(s, result);
                return;
        }
        sock_set_state(s, SOCK_START_CHOWN);
        int r = sock_give_all(s);

        if (r < 0)
                sock_enter_stop_pre(s, SOCK_FAILURE_EXIT_CODE);
        else if (r == 0)
                enter_start_post(s);
        else
                sock_command_arm_timeout(s);
}

static void enter_start_post(struct sock *s)
{
        assert(s->state == SOCK_START_CHOWN);
        sock_set_state(s, SOCK_START_POST);
        int r = sock_run_commands(s, &sock_conf(s)->exec_start_post);

        if (r > 0)
                sock_enter_listening(s);
        else if (r < 0)
                sock_enter_stop_pre(s, SOCK_FAILURE_RESOURCES);
}

void sock_enter_listening(struct sock *s)
{
        assert(states[s->state].is_up && s->state >= SOCK_START_POST);
        if (s->state == SOCK_RUNNING)
                sock_mend_after_service(s);
        if (!sock_conf(s)->accept && sock_conf(s)->flush_pending)
                sock_flush(s);
        // Entering listening does not end a pause; leaving that state does.
        if (sock_begin_watch(s, SOCK_LISTENING) && s->state != SOCK_LISTENING)
                sock_set_state(s, SOCK_LISTENING);
}

void sock_enter_running(struct sock *s)
{
        assert(states[s->state].is_up && s->state >= SOCK_LISTENING);
        sock_set_state(s, SOCK_RUNNING);
}

// ---- commands over

void sock_on_commands_done(struct sock *s, enum sock_result result)
{
        assert(states[s->state].runs_commands);
        switch (s->state) {
        case SOCK_START_PRE:
                if (result == SOCK_SUCCESS)
                        sock_enter_open(s);
                else
                        enter_signal(s, SOCK_FINAL_SIGTERM, result);
                break;
        case SOCK_START_CHOWN:
                if (result == SOCK_SUCCESS)
                        enter_start_post(s);
                else
                        sock_enter_stop_pre(s, result);
                break;
        case SOCK_START_POST:
                if (result == SOCK_SUCCESS)
                        sock_enter_listening(s);
                else
                        sock_enter_stop_pre(s, result);
                break;
        case SOCK_STOP_PRE:
        case SOCK_STOP_PRE_SIGTERM:
        case SOCK_STOP_PRE_SIGKILL:
                enter_stop_post(s, result);
                break;
        case SOCK_STOP_POST:
        case SOCK_FINAL_SIGTERM:
        case SOCK_FINAL_SIGKILL:
                enter_dead(s, result);
                break;
        case SOCK_DEAD:
        case SOCK_LISTENING:
        case SOCK_DEFERRED:
        case SOCK_RUNNING:
        case SOCK_FAILED:
        case SOCK_CLEANING:
        case _SOCK_STATE_MAX:
                break;
        }
}

void sock_on_command_timeout(struct sock *s)
{
        assert(states[s->state].runs_commands);
        bool kill = s->unit.conf->kill->send_sigkill;

        if (s->state == SOCK_START_PRE && sock_owner_is_asked(s)) {
                const struct owner_answer none = {.r = -ETIMEDOUT};

                sock_owner_settle(s, &none);
                return;
        }
        log_unit(s->unit.id, LOG_WARNING, 0, "%s timed out.%s", states[s->state].name,
                 sock_control_pid(s) > 0 ? " Terminating." : "");
        switch (s->state) {
        case SOCK_START_PRE:
                enter_signal(s, SOCK_FINAL_SIGTERM, SOCK_FAILURE_TIMEOUT);
                break;
        case SOCK_START_CHOWN:
        case SOCK_START_POST:
        case SOCK_STOP_PRE:
                enter_signal(s, SOCK_STOP_PRE_SIGTERM, SOCK_FAILURE_TIMEOUT);
                break;
        case SOCK_STOP_PRE_SIGTERM:
                if (kill)
                        enter_signal(s, SOCK_STOP_PRE_SIGKILL, SOCK_FAILURE_TIMEOUT);
                else
                        enter_stop_post(s, SOCK_FAILURE_TIMEOUT);
                break;
        case SOCK_STOP_PRE_SIGKILL:
                enter_stop_post(s, SOCK_FAILURE_TIMEOUT);
                break;
        case SOCK_STOP_POST:
                enter_signal(s, SOCK_FINAL_SIGTERM, SOCK_FAILURE_TIMEOUT);
                break;
        case SOCK_FINAL_SIGTERM:
                if (kill)
                        enter_signal(s, SOCK_FINAL_SIGKILL, SOCK_FAILURE_TIMEOUT);
                else
                        enter_dead(s, SOCK_FAILURE_TIMEOUT);
                break;
        case SOCK_FINAL_SIGKILL:
                enter_dead(s, SOCK_FAILURE_TIMEOUT);
                break;
        case SOCK_DEAD:
        case SOCK_LISTENING:
        case SOCK_DEFERRED:
        case SOCK_RUNNING:
        case SOCK_FAILED:
        case SOCK_CLEANING:
        case _SOCK_STATE_MAX:
                break;
        }
}

// ---- operations of the unit type

static enum unit_verdict sock_start(struct unit *u)
{
        struct sock *s = sock_of(u);

        switch (s->state) {
        case SOCK_DEAD:
        case SOCK_FAILED:
                break;
        case SOCK_START_PRE:
        case SOCK_START_CHOWN:
        case SOCK_START_POST:
                return UNIT_STARTED;
        case SOCK_LISTENING:
        case SOCK_DEFERRED:
        case SOCK_RUNNING:
        case SOCK_STOP_PRE:
        case SOCK_STOP_PRE_SIGTERM:
        case SOCK_STOP_PRE_SIGKILL:
        case SOCK_STOP_POST:
        case SOCK_FINAL_SIGTERM:
        case SOCK_FINAL_SIGKILL:
        case SOCK_CLEANING:
        case _SOCK_STATE_MAX:
                return UNIT_RETRY;
        }
        sock_set_failure(s, NULL);
        sock_unawait_unit(s);
        if (!unit_start_limit_test(u)) {
                enter_dead(s, SOCK_FAILURE_START_LIMIT_HIT);
                return UNIT_LIMIT;
        }
        // A socket without listeners counts as started (conf/boot_units.h).
        if (!sock_conf(s)->accept && sock_conf(s)->ports.n > 0 && !sock_service_permits_start(s))
                return UNIT_NOT_LOADED;
        if (sock_conf(s)->accept && !sock_template_check(s))
                return UNIT_NOT_LOADED;
        s->result = SOCK_SUCCESS;
        sock_pause_forget(s);
        // A manual start resets the limits; systemd keeps what was counted.
        if (manager_differs(u->manager, DIFFERENCE_TRIGGER_LIMIT))
                rate_reset(&s->trigger_limit);
        s->trigger_limit.interval = sock_conf(s)->trigger_limit_interval_sec;
        s->trigger_limit.burst = sock_conf(s)->trigger_limit_burst;
        enter_start_pre(s);
        return UNIT_STARTED;
}

// Restores listeners that are missing.
static void sock_start_again(struct unit *u)
{
        sock_mend(sock_of(u));
}

static enum unit_verdict sock_stop(struct unit *u)
{
        struct sock *s = sock_of(u);

        switch (s->state) {
        case SOCK_DEAD:
        case SOCK_FAILED:
                return UNIT_ALREADY;
        case SOCK_START_PRE:
        case SOCK_START_CHOWN:
        case SOCK_START_POST:
                enter_signal(s, SOCK_STOP_PRE_SIGTERM, SOCK_SUCCESS);
                return UNIT_STARTED;
        case SOCK_LISTENING:
        case SOCK_DEFERRED:
        case SOCK_RUNNING:
                sock_park(s);
                sock_enter_stop_pre(s, SOCK_SUCCESS);
                return UNIT_STARTED;
        case SOCK_STOP_PRE:
        case SOCK_STOP_PRE_SIGTERM:
        case SOCK_STOP_PRE_SIGKILL:
        case SOCK_STOP_POST:
        case SOCK_FINAL_SIGTERM:
        case SOCK_FINAL_SIGKILL:
        case SOCK_CLEANING:
        case _SOCK_STATE_MAX:
                break; // it is stopping already
        }
        return UNIT_STARTED;
}

static int sock_kill(struct unit *u, const char *who, int signo)
{
        struct sock *s = sock_of(u);

        if (strncmp(who, "main", 4) == 0)
                return -ESRCH; // a socket has no main process
        if (sock_signal_command(s, signo) > 0)
                return 0;
        return strcmp(who, "all") == 0 ? 0 : -ESRCH;
}

static enum active_state sock_active_state(const struct unit *u)
{
        return states[sock_of(u)->state].active;
}

static const char *sock_sub_state(const struct unit *u)
{
        return states[sock_of(u)->state].name;
}

static const char *sock_result(const struct unit *u)
{
        return result_names[sock_of(u)->result];
}

static void sock_reset_failed(struct unit *u)
{
        struct sock *s = sock_of(u);

        if (s->state == SOCK_FAILED)
                sock_set_state(s, SOCK_DEAD);
        s->result = SOCK_SUCCESS;
        sock_pause_forget(s);
        sock_history_done(s);
        if (s->pause != PAUSE_NONE) {
                rate_reset(&s->trigger_limit);
                sock_pause_end(s);
                sock_enter_listening(s);
        }
}

static bool sock_is_needed(const struct unit *u)
{
        return !list_is_empty(&sock_of(u)->connections) || sock_of(u)->missing_unit;
}

static int sock_init(struct unit *u)
{
        struct sock *s = sock_of(u);

        list_init(&s->connections);
        list_init(&s->nodes);
        sock_owner_init(s);
        return u->conf->socket ? sock_listeners_new(s) : 0;
}

static void sock_done(struct unit *u)
{
        struct sock *s = sock_of(u);

        sock_command_done(s);
        sock_defer_done(s);
        sock_park_done(s);
        sock_history_done(s);
        sock_pause_end(s);
        connection_forget_all(s);
        refusals_done(s);
        sock_close(s, false);
        removal_abandon(&s->removal);
        work_cancel(&s->start_work);
        sock_listeners_free(s);
        sock_names_done(s);
        sock_template_drop(s);
        admit_free(TAKE(s->admit));
        sock_set_failure(s, NULL);
}

static void sock_reconfigure(struct unit *u, struct unit_conf *old)
{
        struct sock *s = sock_of(u);

        if (!u->conf->socket)
                return; // the file is gone or bad: what is open stays until the stop
        s->trigger_limit.interval = sock_conf(s)->trigger_limit_interval_sec;
        s->trigger_limit.burst = sock_conf(s)->trigger_limit_burst;
        sock_mend(s);
        (void)sock_reopen(s, old); // logged; the old listeners stay
        if (s->state == SOCK_LISTENING || s->state == SOCK_RUNNING || s->state == SOCK_DEFERRED)
                (void)sock_names_ask(s); // a failure is logged; known addresses stay
        sock_update_watch(s);
}

static struct unit_conf **sock_template_conf(struct unit *u)
{
        return &sock_of(u)->template_conf;
}

static void sock_reloaded(struct unit *u)
{
        struct sock *s = sock_of(u);

        sock_template_reloaded(s);
        sock_mend_tell_again(s);
        if (u->conf->socket)
                sock_mend(s);
        if (s->missing_unit)
                sock_retry_now(s);
}

const struct unit_ops sock_ops = {
        .type = UNIT_SOCKET,
        .size = sizeof(struct sock),
        .init = sock_init,
        .done = sock_done,
        .reconfigure = sock_reconfigure,
        .template_conf = sock_template_conf,
        .reloaded = sock_reloaded,
        .start = sock_start,
        .start_again = sock_start_again,
        .stop = sock_stop,
        .start_refused = sock_start_refused,
        .stop_again = sock_stop_again,
        .kill = sock_kill,
        .active_state = sock_active_state,
        .sub_state = sock_sub_state,
        .result = sock_result,
        .reset_failed = sock_reset_failed,
        .trigger_notify = sock_trigger_notify,
        .is_needed = sock_is_needed,
        .collect_fds = sock_collect_for_service,
};
