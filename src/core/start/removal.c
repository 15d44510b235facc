#include "core/start/removal.h"

#include "base/log.h"
#include "base/str.h"
#include "core/start/errand.h"

struct removals {
        struct errands *errands;
        struct list_node list; // struct removal
};

struct removal {
        struct removals *all;
        struct removal **slot;
        char *id;
        void *question;
        void (*question_free)(void *question);
        struct inquiry *inquiry;
        struct errand errand;
        void (*then)(void *data);
        void *data;
        struct list_node node; // in all->list
};

static void removal_free(struct removal *r)
{
        if (!r)
                return;
        errand_done(&r->errand);
        inquiry_free(r->inquiry);
        if (r->question)
                r->question_free(r->question);
        if (r->slot)
                *r->slot = NULL;
        list_remove(&r->node);
        free(r->id);
        free(r);
}

DEFINE_CLEANUP(removal, struct removal *, removal_free)

static void tell(struct removal *r)
{
        const char *text;

        while ((text = inquiry_next_field(r->inquiry)))
                log_unit(r->id, LOG_WARNING, 0, "%s", text);
}

static void on_over(struct errand *e, int error)
{
        struct removal *r = CONTAINER_OF(e, struct removal, errand);
        void (*then)(void *data) = r->then;
        void *data = r->data;

        if (error == 0)
                tell(r);
        else
                log_unit(r->id, LOG_WARNING, -error, "Cannot remove what it leaves behind on %s",
                         inquiry_where(r->inquiry));
        removal_free(r);
        if (then)
                then(data);
}

static int begin(struct removal *r, const struct removal_task *task)
{
        struct errands *errands = r->all->errands;
        int result = str_set(&r->id, task->id);

        if (result == 0)
                result = inquiry_try(task->work, r->question, &r->inquiry);
        if (result == 0)
                tell(r);
        return result <= 0 ? result
                           : errand_await(errands, &r->errand, r->inquiry, r->id,
                                          errand_limit(errands, USEC_INFINITY), on_over);
}

int removal_begin(struct removals *all, struct removal **slot, const struct removal_task *task)
{
        CLEANUP(removal) struct removal *r = calloc(1, sizeof(*r));

        if (!r) {
                task->question_free(task->question);
                log_unit(task->id, LOG_WARNING, ENOMEM, "Cannot remove what it leaves behind");
                return -ENOMEM;
        }
        *r = (struct removal){
                .all = all, .question = task->question, .question_free = task->question_free};
        int result = begin(r, task);

        if (result < 0)
                log_unit(task->id, LOG_WARNING, -result, "Cannot remove what it leaves behind");
        if (result < 0 || !errand_is_out(&r->errand))
                return result;
        list_append(&all->list, &r->node);
        if (slot) {
                removal_abandon(slot);
                r->slot = slot;
                *slot = r;
        }
        r = NULL;
        return 0;
}

void removal_await(struct removal *r, void (*then)(void *data), void *data)
{
        r->then = then;
        r->data = data;
}

const char *removal_text(const struct removal *r)
{
        return errand_text(&r->errand);
}

void removal_forget(struct removal *r)
{
        if (r)
                r->then = NULL;
}

void removal_abandon(struct removal **slot)
{
        struct removal *r = TAKE(*slot);

        if (!r)
                return;
        r->slot = NULL;
        r->then = NULL;
}

int removals_new(struct errands *errands, struct removals **ret)
{
        struct removals *all = calloc(1, sizeof(*all));

        if (!all)
                return -ENOMEM;
        all->errands = errands;
        list_init(&all->list);
        *ret = all;
        return 0;
}

void removals_free(struct removals *all)
{
        if (!all)
                return;
        LIST_FOREACH (&all->list, node)
                removal_free(CONTAINER_OF(node, struct removal, node));
        free(all);
}
