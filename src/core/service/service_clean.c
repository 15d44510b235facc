// CleanUnit: the folders of a service that does not run are removed, because an administrator asks
// for it. A process does it, since a folder may be large; meanwhile the unit is in maintenance, and
// a start waits.
#include "base/inquiry.h"
#include "base/log.h"
#include "core/service/service_priv.h"
#include "core/start/errand.h"
#include "core/start/spawner.h"
#include "spawn/plan.h"

struct cleaning {
        struct service *service;
        struct unit_conf *conf; // reference
        unsigned kinds;         // 1 << enum spawn_directory
        struct inquiry *inquiry;
        struct errand errand;
};

static void cleaning_free(struct cleaning *c)
{
        if (!c)
                return;
        errand_done(&c->errand);
        inquiry_free(c->inquiry);
        unit_conf_unref(c->conf);
        free(c);
}

DEFINE_CLEANUP(cleaning, struct cleaning *, cleaning_free)

void service_free_cleaning(struct service *s)
{
        cleaning_free(TAKE(s->cleaning));
}

static bool has_fdstore(const struct service *s)
{
        return s->run.cold && s->run.cold->fdstore.n > 0;
}

static void end(struct service *s, enum service_result result)
{
        service_free_cleaning(s);
        s->clean_result = result;
        service_set_state(&s->run, has_fdstore(s) ? SERVICE_DEAD_RESOURCES_PINNED : SERVICE_DEAD);
}

void service_end_cleaning(struct service *s)
{
        if (!s->cleaning)
                return;
        run_log(&s->run, LOG_INFO, 0, "Cleaning is stopped where it is.");
        end(s, SERVICE_FAILURE_SIGNAL);
}

static void work(struct inquiry_answer *answer, const void *question)
{
        const struct cleaning *c = question;
        const struct unit *u = &c->service->unit;
        char text[FAIL_DETAIL_MAX + 128];
        struct fail why = {0};

        if (spawn_directories_remove(spawner_settings(u->manager->spawner), c->conf, u->id,
                                     c->kinds, &why) < 0)
                inquiry_put_field(answer, fail_format(&why, text, sizeof(text)));
}

static void on_over(struct errand *e, int error)
{
        struct cleaning *c = CONTAINER_OF(e, struct cleaning, errand);
        struct service *s = c->service;
        enum service_result result = SERVICE_SUCCESS;
        const char *text;

        if (error == -ETIMEDOUT) {
                run_log(&s->run, LOG_WARNING, 0, "Cleaning timed out. Killing.");
                result = SERVICE_FAILURE_TIMEOUT;
        } else if (error < 0) {
                run_log(&s->run, LOG_WARNING, -error, "Cleaning failed");
                result = SERVICE_FAILURE_RESOURCES;
        } else {
                while ((text = inquiry_next_field(c->inquiry))) {
                        run_log(&s->run, LOG_WARNING, 0, "Cleaning failed: %s", text);
                        result = SERVICE_FAILURE_EXIT_CODE;
                }
        }
        end(s, result);
}

static int begin(struct service *s, unsigned kinds)
{
        CLEANUP(cleaning) struct cleaning *c = calloc(1, sizeof(*c));
        struct errands *errands = s->unit.manager->errands;

        if (!c)
                return -ENOMEM;
        c->service = s;
        c->conf = unit_conf_ref(s->unit.conf);
        c->kinds = kinds;
        int r = inquiry_new(work, c, "the removal of its folders", &c->inquiry);

        if (r == 0)
                r = errand_await(errands, &c->errand, c->inquiry, s->unit.id,
                                 c->conf->exec->timeout_clean_sec, on_over);
        if (r < 0)
                return r;
        s->cleaning = TAKE(c);
        s->clean_result = SERVICE_SUCCESS;
        service_set_state(&s->run, SERVICE_CLEANING);
        return 0;
}

// ---- operations of the unit

static bool may_have_fdstore(const struct service *s)
{
        return s->unit.conf->service->file_descriptor_store_max > 0 || has_fdstore(s);
}

unsigned service_can_clean(const struct unit *u)
{
        if (!u->conf->service)
                return 0;
        return spawn_directories_kinds(u->conf) |
               (may_have_fdstore(service_of(u)) ? UNIT_CLEAN_FDSTORE : 0);
}

int service_clean(struct unit *u, unsigned what)
{
        struct service *s = service_of(u);
        unsigned here = what & service_can_clean(u);

        if ((s->run.state != SERVICE_DEAD && s->run.state != SERVICE_DEAD_RESOURCES_PINNED) ||
            run_is_removing(&s->run))
                return -EBUSY;
        if (here == 0)
                return -EUNATCH;
        if (here & UNIT_CLEAN_FDSTORE && s->run.cold) {
                fdstore_clear(&s->run.cold->fdstore);
                if (s->run.state == SERVICE_DEAD_RESOURCES_PINNED)
                        service_set_state(&s->run, SERVICE_DEAD);
        }
        here &= ~UNIT_CLEAN_FDSTORE;
        return here ? begin(s, here) : 0;
}
