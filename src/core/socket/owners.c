#include "core/socket/owners.h"

#include "base/map.h"
#include "base/str.h"
#include "core/start/errand.h"
#include "spawn/ids.h"

struct owner_question {
        struct manager *manager;
        char *key, *user, *group; // user, group: NULL: none
        struct list_node waiters;
        bool is_over; // its waiters are being told
        struct work work;
        struct ids_lookup *lookup; // NULL: nobody but the local files was asked
        struct errand errand;
};

static void question_free(struct owner_question *q)
{
        if (!q)
                return;
        errand_done(&q->errand);
        work_cancel(&q->work);
        ids_lookup_free(q->lookup);
        free(q->key);
        free(q->user);
        free(q->group);
        free(q);
}

DEFINE_CLEANUP(question, struct owner_question *, question_free)

// Nobody can join it any longer.
static void take_out(struct owner_question *q)
{
        struct manager *m = q->manager;

        (void)map_remove(m->owners, q->key);
        if (map_size(m->owners) == 0)
                map_free(TAKE(m->owners));
}

static void tell(struct owner_question *q, const struct owner_answer *answer)
{
        CLEANUP(question) struct owner_question *over = q;

        take_out(q);
        q->is_over = true;
        // A waiter may ask again, or make others forget.
        while (!list_is_empty(&over->waiters)) {
                struct owner_waiter *w =
                        CONTAINER_OF(over->waiters.next, struct owner_waiter, node);

                list_remove(&w->node);
                w->question = NULL;
                w->on_known(w, answer);
        }
}

// IDS_FOUND, IDS_NEEDS_LOOKUP or -errno; *ret is filled in any case.
static int find(const struct owner_question *q, struct owner_answer *ret)
{
        CLEANUP(ids_user) struct ids_user user = {.uid = (uid_t)-1, .gid = (gid_t)-1};
        gid_t gid;
        int r = q->user ? ids_get_user(q->user, q->lookup, &user) : IDS_FOUND;

        *ret = (struct owner_answer){.has_user = r == IDS_FOUND, .uid = user.uid, .gid = user.gid};
        if (r == IDS_FOUND && q->group) {
                r = ids_get_group(q->group, q->lookup, &gid);
                if (r == IDS_FOUND)
                        ret->gid = gid;
        }
        ret->r = r;
        return r;
}

static void on_answer(struct errand *e, int error)
{
        struct owner_question *q = CONTAINER_OF(e, struct owner_question, errand);
        struct owner_answer answer;

        if (find(q, &answer) == IDS_NEEDS_LOOKUP) // over, without an answer
                answer.r = error < 0 ? error : -ESRCH;
        else if (error < 0 && answer.r < 0)
                answer.r = error;
        tell(q, &answer);
}

static int look_up(struct owner_question *q)
{
        char *groups[] = {q->group, NULL};
        struct errands *all = q->manager->errands;
        int r = ids_lookup_new(q->user, groups, &q->lookup);

        return r < 0 ? r
                     : errand_await(all, &q->errand, ids_lookup_inquiry(q->lookup), "name services",
                                    errand_limit(all, USEC_INFINITY), on_answer);
}

static void on_work(struct work *w)
{
        struct owner_question *q = CONTAINER_OF(w, struct owner_question, work);
        struct owner_answer answer;
        int r = find(q, &answer);

        if (r == IDS_NEEDS_LOOKUP)
                answer.r = r = look_up(q);
        else
                r = 1;
        if (r != 0)
                tell(q, &answer);
}

static int question_new(struct manager *m, const char *key, const char *user, const char *group,
                        struct owner_question **ret)
{
        CLEANUP(question) struct owner_question *q = calloc(1, sizeof(*q));

        if (!q)
                return -ENOMEM;
        q->manager = m;
        list_init(&q->waiters);
        if (str_set(&q->key, key) < 0 || str_set(&q->user, user) < 0 ||
            str_set(&q->group, group) < 0)
                return -ENOMEM;
        if (!m->owners && !(m->owners = map_new()))
                return -ENOMEM;
        if (map_set(m->owners, q->key, q) < 0) {
                take_out(q);
                return -ENOMEM;
        }
        *ret = TAKE(q);
        return 0;
}

int owners_ask(struct manager *m, struct owner_waiter *w, const char *user, const char *group)
{
        // Neither kind of name has a colon.
        CLEANUP(free) char *key = str_printf("%s:%s", user ? user : "", group ? group : "");

        owners_forget(w);
        struct owner_question *q = key && m->owners ? map_get(m->owners, key) : NULL;

        if (!key || (!q && question_new(m, key, user, group, &q) < 0))
                return -ENOMEM;
        if (list_is_empty(&q->waiters))
                work_queue(m->events, WORK_STATE, &q->work, on_work);
        list_append(&q->waiters, &w->node);
        w->question = q;
        return 0;
}

void owners_forget(struct owner_waiter *w)
{
        struct owner_question *q = TAKE(w->question);

        if (!q)
                return;
        list_remove(&w->node);
        if (q->is_over || !list_is_empty(&q->waiters))
                return;
        take_out(q);
        question_free(q);
}
