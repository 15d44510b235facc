// What the environment of an orphan says. A separate process reads it (base/proc.h says why); a
// reader that hangs is abandoned, and only the orphan that it hung on stays unknown for longer.
#include "base/clock.h"
#include "base/inquiry.h"
#include "base/str.h"
#include "core/start/orphans.h"
#include "core/start/orphans_priv.h"

#define BATCH_MAX 4096
#define ID_SIZE 32
#define PROGRESS_MAX USEC_PER_SEC
// In the middle of an exec a process has no environment; also the delay when no reader could be
// started.
#define AGAIN_AFTER (10 * USEC_PER_MSEC)
#define AGAIN_MAX 50
// For how long an orphan on which a reader hung keeps nothing waiting.
#define MUTE_FOR (10 * USEC_PER_SEC)

// For how long the user's other orphans rank after those of all other users.
#define HUNG_FOR (60 * USEC_PER_SEC)

#define ANSWER_LATER "?"

// ---- in the process

struct question {
        const pid_t *pids;
        size_t n;
};

// An empty environment means that an exec is in progress, or that the process was started with
// none. An exec that ends between the two checks looks like the latter, so it is read again.
#define READS_MAX 5

// 0; -EAGAIN: the process is in its exec; -ESRCH: it is gone, or (Linux 6) in its exec; -ENXIO: its
// environment has no id.
static int read_id(pid_t pid, char **ret)
{
        for (int i = 0; i < READS_MAX; i++) {
                struct proc_stat stat;
                int r = proc_get_environ(pid, "INVOCATION_ID", ret);

                if (r != -EAGAIN)
                        return r;
                if (proc_get_stat(pid, &stat) < 0 || !stat.has_environment)
                        return -EAGAIN;
        }
        return -ENXIO;
}

static void read_environments(struct inquiry_answer *answer, const void *question)
{
        const struct question *q = question;

        for (size_t i = 0; i < q->n; i++) {
                CLEANUP(free) char *id = NULL;
                int r = read_id(q->pids[i], &id);
                bool is_in_exec = r == -EAGAIN || r == -ESRCH;

                inquiry_put_number(answer, q->pids[i]);
                inquiry_put_field(answer, r == 0 && strlen(id) == ID_SIZE ? id
                                          : is_in_exec                    ? ANSWER_LATER
                                                                          : "");
                inquiry_flush(answer);
        }
}

// ---- what comes of it

static void give_up(struct orphans *o, struct orphan *x)
{
        x->is_mute = true;
        x->ask_at = usec_add(clock_now(), MUTE_FOR);
        orphans_ask_soon(o, x->ask_at);
}

bool orphans_has_hung(const struct orphans *o, uid_t uid)
{
        usec_t now = clock_now();

        for (size_t i = 0; i < HUNG_MAX; i++)
                if (o->hung[i].uid == uid && o->hung[i].until > now)
                        return true;
        return false;
}

static void note_hung(struct orphans *o, uid_t uid)
{
        struct hung_user *place = &o->hung[0];

        for (size_t i = 0; i < HUNG_MAX; i++) {
                if (o->hung[i].uid == uid && o->hung[i].until > 0) {
                        place = &o->hung[i];
                        break;
                }
                if (o->hung[i].until < place->until)
                        place = &o->hung[i];
        }
        *place = (struct hung_user){uid, usec_add(clock_now(), HUNG_FOR)};
}

static void ask_again(struct orphans *o, struct orphan *x)
{
        if (x->n_looks++ >= AGAIN_MAX) {
                give_up(o, x);
                return;
        }
        x->ask_at = usec_add(clock_now(), AGAIN_AFTER);
        orphans_ask_soon(o, x->ask_at);
}

static struct orphan *find_asked(struct orphans *o, pid_t pid)
{
        struct orphan *x = u64map_get(o->by_pid, (uint64_t)pid);

        return x && x->state == ORPHAN_ASKED ? x : NULL;
}

static void take_owner(struct orphans *o, struct orphan *x, const struct owner *owner)
{
        if (orphans_set_owner(o, x, owner, true))
                orphans_set_state(o, x, ORPHAN_SORTED);
        else
                ask_again(o, x);
}

// The answers so far, which have been parsed already.
static void take_claims(struct orphans *o, struct orphan_claim *claims, const pid_t *pids, size_t n)
{
        int r = n > 0 ? o->hooks.find_owners(o->hooks.data, claims, n) : 0;

        for (size_t i = 0; i < n; i++) {
                struct orphan *x = find_asked(o, pids[i]);

                if (x && r == 0)
                        take_owner(o, x, &claims[i].owner);
                else if (x)
                        ask_again(o, x);
        }
}

static void take_answers(struct orphans *o)
{
        CLEANUP(free) struct orphan_claim *claims = calloc(o->n_batch, sizeof(*claims));
        CLEANUP(free) pid_t *pids = calloc(o->n_batch, sizeof(*pids));
        const char *id;
        size_t n = 0;
        int64_t pid;

        while (o->n_answered < o->n_batch && inquiry_next_number(o->inquiry, &pid) == 0 &&
               (id = inquiry_next_field(o->inquiry))) {
                struct orphan *x = find_asked(o, (pid_t)pid);

                o->n_answered++;
                if (!x)
                        continue;
                if (streq(id, ANSWER_LATER) || !claims || !pids) {
                        ask_again(o, x);
                } else if (id[0] == '\0') {
                        orphans_set_state(o, x, ORPHAN_SORTED);
                } else {
                        pids[n] = (pid_t)pid;
                        claims[n++] = (struct orphan_claim){.invocation_id = id, .uids = x->uids};
                }
        }
        take_claims(o, claims, pids, n);
}

// The reader is abandoned, with the answers that it has given.
static void end_batch(struct orphans *o, bool is_stuck)
{
        take_answers(o);
        if (is_stuck && o->n_answered < o->n_batch) {
                const struct orphan *x = find_asked(o, o->batch_pids[o->n_answered]);

                if (x)
                        note_hung(o, x->uids.real);
        }
        for (size_t i = o->n_answered; i < o->n_batch; i++) {
                struct orphan *x = find_asked(o, o->batch_pids[i]);

                if (x && ((is_stuck && i == o->n_answered) || x->is_mute))
                        give_up(o, x);
                else if (x)
                        ask_again(o, x);
        }
        watch_remove(o->events, &o->answer);
        o->answer.fd = -1;
        timer_stop(o->events, &o->progress_timer);
        inquiry_free(TAKE(o->inquiry));
        free(TAKE(o->batch_pids));
        orphans_tell(o);
        if (!list_is_empty(&o->asked))
                orphans_ask_soon(o, 0);
}

static void on_stuck(struct timer *t, usec_t now UNUSED)
{
        end_batch(CONTAINER_OF(t, struct orphans, progress_timer), true);
}

static void on_answer(struct watch *w, uint32_t revents UNUSED)
{
        struct orphans *o = CONTAINER_OF(w, struct orphans, answer);

        if (inquiry_read(o->inquiry) != -EAGAIN)
                end_batch(o, false);
        else if (timer_set(o->events, &o->progress_timer, usec_add(clock_now(), PROGRESS_MAX),
                           on_stuck) < 0)
                end_batch(o, true);
}

// ---- asking

static enum ask_turn turn_of(const struct orphans *o, const struct orphan *x)
{
        if (x->is_mute)
                return ASK_MUTE;
        return orphans_has_hung(o, x->uids.real) ? ASK_OF_HUNG : ASK_FIRST;
}

// Collects the orphans that are due, of the first turn before `limit` that has any; *ret_next: when
// others are due.
static size_t collect(const struct orphans *o, pid_t *pids, enum ask_turn limit,
                      enum ask_turn *ret_turn, usec_t *ret_next)
{
        usec_t now = clock_now(), next = USEC_INFINITY;
        enum ask_turn best = limit;
        size_t n = 0;

        LIST_FOREACH (&o->asked, node) {
                const struct orphan *x = CONTAINER_OF(node, struct orphan, todo);
                enum ask_turn turn = x->ask_at <= now ? turn_of(o, x) : ASK_NEVER;

                if (turn == ASK_NEVER)
                        next = MIN(next, x->ask_at);
                if (turn < best) {
                        best = turn;
                        n = 0;
                }
                if (turn == best && best < limit && n < BATCH_MAX)
                        pids[n++] = x->pid;
        }
        // The newest is the least likely to be one that hangs.
        for (size_t i = 0; best == ASK_OF_HUNG && i < n / 2; i++) {
                pid_t other = pids[i];

                pids[i] = pids[n - 1 - i];
                pids[n - 1 - i] = other;
        }
        *ret_turn = best;
        *ret_next = next;
        return n;
}

static int start_asking(struct orphans *o, pid_t *pids, size_t n)
{
        struct question question = {pids, n};
        int r = inquiry_start(read_environments, &question, &o->inquiry);

        if (r < 0)
                return r;
        o->batch_pids = pids;
        o->n_batch = n;
        o->n_answered = 0;
        o->answer.fd = inquiry_fd(o->inquiry);
        o->answer.on_event = on_answer;
        r = watch_set(o->events, &o->answer, EPOLLIN);
        if (r == 0)
                r = timer_set(o->events, &o->progress_timer, usec_add(clock_now(), PROGRESS_MAX),
                              on_stuck);
        if (r < 0)
                end_batch(o, false); // they are asked again
        return 0;
}

static void on_ask_time(struct timer *t, usec_t now UNUSED)
{
        struct orphans *o = CONTAINER_OF(t, struct orphans, ask_timer);
        CLEANUP(free) pid_t *pids = calloc(BATCH_MAX, sizeof(*pids));
        enum ask_turn turn;
        usec_t next;

        if (!pids) {
                orphans_ask_soon(o, usec_add(clock_now(), AGAIN_AFTER));
                return;
        }
        size_t n = collect(o, pids, o->inquiry ? o->turn : ASK_NEVER, &turn, &next);

        if (next != USEC_INFINITY)
                orphans_ask_soon(o, next);
        if (n == 0)
                return;
        // The new ones need not wait for a reader that may hang; its orphans are asked again.
        if (o->inquiry)
                end_batch(o, false);
        o->turn = turn;
        if (start_asking(o, pids, n) == 0) {
                TAKE(pids); // end_batch() frees them
                return;
        }
        for (size_t i = 0; i < n; i++) {
                struct orphan *x = find_asked(o, pids[i]);

                if (x)
                        ask_again(o, x);
        }
}

void orphans_ask_soon(struct orphans *o, usec_t when)
{
        // If the timer cannot be set, the next look tries again.
        if (!timer_is_set(&o->ask_timer) || o->ask_timer.node.key > when)
                (void)timer_set(o->events, &o->ask_timer, when, on_ask_time);
}

void orphans_ask_done(struct orphans *o)
{
        timer_stop(o->events, &o->ask_timer);
        timer_stop(o->events, &o->progress_timer);
        watch_remove(o->events, &o->answer);
        inquiry_free(TAKE(o->inquiry));
        free(TAKE(o->batch_pids));
}
