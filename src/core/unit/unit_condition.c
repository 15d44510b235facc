// The conditions of a unit: an inquiry (base/inquiry.h) tests them, since a path may be on a file
// system that does not answer. Then the unit's job waits, and nothing else does.
#include "base/clock.h"
#include "base/fail.h"
#include "base/log.h"
#include "core/condition/condition.h"
#include "core/start/errand.h"
#include "core/start/spawner.h"
#include "core/unit/job.h"
#include "core/unit/manager.h"

#define CONDITION_TEXT_MAX 512

// Kept from the first test on.
struct unit_checks {
        struct unit *unit;
        struct unit_conf *conf; // reference: the lists belong to it
        struct condition_context context;
        struct inquiry *inquiry; // in progress
        struct errand errand;
        struct work room_work; // queued here while no process can be created
        bool is_answered;      // the job has not run since the answer
        int error;             // if answered: 0, or -errno if there was no answer
        int8_t states[];       // of conditions, then of asserts
};

// ---- the look

static bool put_states(struct inquiry_answer *answer, const struct condition_list *list,
                       const struct condition_context *context, bool is_asked)
{
        CLEANUP(free) int8_t *states = calloc(list->n + 1, 1);
        const struct condition *failed;

        if (!states) {
                answer->fields.error = -ENOMEM;
                return false;
        }
        if (is_asked)
                condition_list_test(list, context, states);
        for (size_t i = 0; i < list->n; i++)
                inquiry_put_number(answer, states[i]);
        return condition_list_judge(list, states, &failed) == CONDITIONS_HOLD;
}

static void look(struct inquiry_answer *answer, const void *question)
{
        const struct unit_checks *c = question;
        const struct unit_group *g = c->conf->unit;

        // Asserts are only tested if the conditions hold.
        bool holds = put_states(answer, &g->conditions, &c->context, true);

        (void)put_states(answer, &g->asserts, &c->context, holds);
}

static size_t count(const struct unit_conf *conf)
{
        return conf->unit->conditions.n + conf->unit->asserts.n;
}

static int read_states(struct unit_checks *c)
{
        for (size_t i = 0; i < count(c->conf); i++) {
                int64_t number;
                int r = inquiry_next_number(c->inquiry, &number);

                if (r < 0)
                        return r;
                c->states[i] = (int8_t)number;
        }
        return 0;
}

// ---- waiting

static void stop_looking(struct unit_checks *c)
{
        errand_done(&c->errand);
        inquiry_free(TAKE(c->inquiry));
        work_cancel(&c->room_work);
}

static void on_room(struct work *w)
{
        job_look_again(CONTAINER_OF(w, struct unit_checks, room_work)->unit);
}

static void take_answer(struct unit_checks *c, int error)
{
        struct spawner *spawner = c->unit->manager->spawner;

        if (error == 0)
                error = read_states(c);
        inquiry_free(TAKE(c->inquiry));
        if (fail_is_exhaustion(error)) {
                spawner_wait(spawner, SPAWNER_STARTS, &c->room_work, on_room, error);
                return;
        }
        c->is_answered = true;
        c->error = error;
}

static void on_over(struct errand *e, int error)
{
        struct unit_checks *c = CONTAINER_OF(e, struct unit_checks, errand);

        take_answer(c, error);
        unit_changed(c->unit);
        if (c->is_answered)
                job_look_again(c->unit);
}

static void begin(struct unit_checks *c)
{
        struct unit *u = c->unit;
        const struct spawn_environment *environment = &u->manager->environment->inherited;

        c->context.environment = environment->block;
        c->context.own_environment = environment->own;
        int r = inquiry_try(look, c, &c->inquiry);

        if (r > 0) {
                r = errand_await(u->manager->errands, &c->errand, c->inquiry, u->id,
                                 errand_limit(u->manager->errands, USEC_INFINITY), on_over);
                unit_changed(u);
                if (r == 0)
                        return;
        }
        take_answer(c, r);
}

static struct unit_checks *get_checks(struct unit *u)
{
        if (u->checks && u->checks->conf == u->conf)
                return u->checks;
        unit_checks_free(u);
        u->checks = calloc(1, sizeof(*u->checks) + count(u->conf));
        if (u->checks) {
                u->checks->unit = u;
                u->checks->conf = unit_conf_ref(u->conf);
                u->checks->context.is_user = u->manager->options.is_user;
        }
        return u->checks;
}

// 0: the results are there; 1: it waits for the answer; -errno: there is none.
static int ask(struct unit *u)
{
        struct unit_checks *c = count(u->conf) > 0 ? get_checks(u) : NULL;

        if (!c)
                return count(u->conf) > 0 ? -ENOMEM : 0;
        if (!c->is_answered && !unit_is_checking(u))
                begin(c);
        if (!c->is_answered)
                return 1;
        c->is_answered = false;
        return c->error;
}

bool unit_is_checking(const struct unit *u)
{
        const struct unit_checks *c = u->checks;

        return c && (errand_is_out(&c->errand) || list_is_linked(&c->room_work.node));
}

const char *unit_checks_text(const struct unit *u)
{
        return u->checks ? errand_text(&u->checks->errand) : NULL;
}

void unit_forget_checks(struct unit *u)
{
        if (!u->checks)
                return;
        stop_looking(u->checks);
        u->checks->is_answered = false;
}

void unit_checks_free(struct unit *u)
{
        struct unit_checks *c = TAKE(u->checks);

        if (!c)
                return;
        stop_looking(c);
        unit_conf_unref(c->conf);
        free(c);
}

// ---- the verdict

const int8_t *unit_condition_states(const struct unit *u, bool is_assert)
{
        const struct unit_checks *c = u->checks;

        if (!c || c->conf != u->conf)
                return NULL;
        return c->states + (is_assert ? c->conf->unit->conditions.n : 0);
}

static void stamp(usec_t *t, usec_t *rt)
{
        *t = clock_now();
        *rt = clock_now_realtime();
}

static bool judge(const struct unit *u, bool is_assert)
{
        const struct unit_group *g = u->conf->unit;
        const struct condition *failed = NULL;
        const int level = is_assert ? LOG_ERR : LOG_NOTICE;
        char text[CONDITION_TEXT_MAX];
        enum condition_answer answer =
                condition_list_judge(is_assert ? &g->asserts : &g->conditions,
                                     unit_condition_states(u, is_assert), &failed);

        if (answer == CONDITIONS_FAILED)
                log_unit(u->id, level, 0,
                         "%s was skipped because of an unmet condition check (%s).", u->id,
                         condition_format(failed, is_assert ? "Assert" : "Condition", text,
                                          sizeof(text)));
        else if (answer == CONDITIONS_NO_TRIGGER)
                log_unit(u->id, level, 0,
                         "%s was skipped because no trigger condition checks were met.", u->id);
        return answer == CONDITIONS_HOLD;
}

enum unit_verdict unit_test_conditions(struct unit *u)
{
        int r = ask(u);

        if (r > 0)
                return UNIT_WAITS;
        if (r < 0) {
                log_unit(u->id, LOG_ERR, -r, "Cannot test its conditions");
                return r == -ETIMEDOUT ? UNIT_TIMEOUT : UNIT_FAILED;
        }
        stamp(&u->condition_time, &u->condition_time_rt);
        u->condition_result = judge(u, false);
        unit_changed(u);
        if (!u->condition_result)
                return UNIT_SKIPPED;
        stamp(&u->assert_time, &u->assert_time_rt);
        u->assert_result = judge(u, true);
        return u->assert_result ? UNIT_STARTED : UNIT_ASSERT;
}
