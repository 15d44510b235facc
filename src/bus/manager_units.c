// The Manager interface: what package tools and administrators do with single units other than
// starting and stopping them.
#include "base/buf.h"
#include "base/log.h"
#include "base/str.h"
#include "base/strv.h"
#include "bus/bus_priv.h"
#include "core/unit/collect.h"
#include "core/unit/registry.h"

#include <fnmatch.h>

#define REFS_MAX 4096 // of one client

static struct manager *manager_of(void *userdata)
{
        return ((struct bus_client *)userdata)->server->manager;
}

// ---- references: a unit stays in memory for as long as the client is connected

static void unref_unit(struct manager *m, const char *name)
{
        struct unit *u = registry_find_unit(m, name);

        // The name may belong to another unit by now.
        if (!u || u->n_refs == 0)
                return;
        u->n_refs--;
        collect_unit_later(u);
}

void bus_refs_done(struct bus_client *c)
{
        STRV_FOREACH (name, c->refs)
                unref_unit(c->server->manager, *name);
        strv_free(c->refs);
        c->refs = NULL;
}

static int find_unit(sd_bus_message *message, void *userdata, struct unit **ret,
                     sd_bus_error *error)
{
        const char *name = NULL;
        void *object = NULL;
        CLEANUP(bus_view) struct bus_view v = {0};
        int r = bus_check_trusted(userdata, error);

        if (r < 0 || (r = sd_bus_message_read(message, "s", &name)) < 0 ||
            (r = bus_find_object(userdata, name, false, &object, error)) < 0 ||
            (r = bus_view_get(object, &v)) < 0)
                return r;
        if (!v.unit)
                return sd_bus_error_setf(error, SD_BUS_ERROR_NOT_SUPPORTED,
                                         "%s is a connection, and no unit.", name);
        *ret = v.unit;
        return 0;
}

static int on_ref(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
        struct bus_client *c = userdata;
        struct unit *u = NULL;
        int r = find_unit(message, userdata, &u, error);

        if (r < 0)
                return r;
        if (strv_length(c->refs) >= REFS_MAX)
                return sd_bus_error_setf(error, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                         "One client keeps at most %d units.", REFS_MAX);
        r = strv_push(&c->refs, u->id);
        if (r < 0)
                return r;
        u->n_refs++;
        return sd_bus_reply_method_return(message, NULL);
}

static int on_unref(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
        struct bus_client *c = userdata;
        struct unit *u = NULL;
        int r = find_unit(message, userdata, &u, error);

        if (r < 0)
                return r;
        for (char **name = c->refs; name && *name; name++) {
                if (!streq(*name, u->id))
                        continue;
                char **last = c->refs + strv_length(c->refs) - 1;

                free(*name);
                *name = *last;
                *last = NULL;
                unref_unit(c->server->manager, u->id);
                return sd_bus_reply_method_return(message, NULL);
        }
        return sd_bus_error_set(error, "org.freedesktop.systemd1.NotReferenced",
                                "Unit has not been referenced yet.");
}

// ---- marks: what a package's update leaves to be restarted or reloaded at its end

static const struct {
        const char *name;
        unsigned mark;
} marks[] = {
        {"needs-reload", UNIT_MARK_RELOAD},
        {"needs-restart", UNIT_MARK_RESTART},
};

int bus_append_marks(sd_bus_message *reply, const struct unit *u)
{
        int r = sd_bus_message_open_container(reply, 'a', "s");

        for (size_t i = 0; r >= 0 && u && i < ARRAY_SIZE(marks); i++)
                if (u->marks & marks[i].mark)
                        r = sd_bus_message_append(reply, "s", marks[i].name);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

// "+needs-restart" and "-needs-restart" change the existing marks; plain words replace them.
static int set_marks(struct unit *u, char *const *words, sd_bus_error *error)
{
        unsigned result = u->marks;
        bool is_fresh = false;

        STRV_FOREACH (word, words) {
                const char *name = *word + strspn(*word, "+-");
                size_t i = 0;

                if (name > *word + 1)
                        name = "";
                while (i < ARRAY_SIZE(marks) && !streq(marks[i].name, name))
                        i++;
                if (i == ARRAY_SIZE(marks))
                        return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS,
                                                 "%s is no mark: needs-reload or needs-restart",
                                                 *word);
                if (name == *word && !is_fresh) {
                        result = 0;
                        is_fresh = true;
                }
                result = **word == '-' ? result & ~marks[i].mark : result | marks[i].mark;
        }
        u->marks = (uint8_t)(words && *words ? result : 0);
        return 0;
}

// Only properties that are no directives can be set, since directives come from the unit's files.
static int on_set_properties(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
        struct unit *u = NULL;
        const char *property;
        int runtime = 0;
        int r = find_unit(message, userdata, &u, error);

        if (r >= 0)
                r = sd_bus_message_read(message, "b", &runtime);
        if (r >= 0)
                r = sd_bus_message_enter_container(message, 'a', "(sv)");
        while (r >= 0 && (r = sd_bus_message_enter_container(message, 'r', "sv")) > 0) {
                CLEANUP(strv) char **words = NULL;

                r = sd_bus_message_read(message, "s", &property);
                if (r < 0)
                        break;
                if (!streq(property, "Markers"))
                        return sd_bus_error_setf(error, SD_BUS_ERROR_NOT_SUPPORTED,
                                                 "usher sets no %s= at run time: write a drop-in "
                                                 "(usherctl edit) and reload.",
                                                 property);
                if ((r = sd_bus_message_enter_container(message, 'v', "as")) < 0 ||
                    (r = sd_bus_message_read_strv(message, &words)) < 0 ||
                    (r = sd_bus_message_exit_container(message)) < 0 ||
                    (r = set_marks(u, words, error)) < 0)
                        break;
                r = sd_bus_message_exit_container(message);
        }
        return r < 0 ? r : sd_bus_reply_method_return(message, NULL);
}

// 0, also if there was nothing to do, or -errno.
static int work_on_marks(struct manager *m, struct unit *u, sd_bus_message *reply)
{
        struct request_failure failure;
        struct job *job = NULL;
        enum job_type type = u->marks & UNIT_MARK_RESTART ? JOB_TRY_RESTART : JOB_TRY_RELOAD;
        enum request_error wrong = job_request_manual(m, type, u, JOB_FAIL, &job, &failure);

        if (wrong != REQUEST_OK) {
                log_unit(u->id, LOG_WARNING, 0, "Its mark stays: %s", failure.text);
                return 0;
        }
        u->marks = 0;
        if (!job)
                return 0;
        CLEANUP(free) char *path = bus_job_path(job->id);

        return path ? sd_bus_message_append(reply, "o", path) : -ENOMEM;
}

static int on_enqueue_marked(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
        struct manager *m = manager_of(userdata);
        __attribute__((cleanup(sd_bus_message_unrefp))) sd_bus_message *reply = NULL;
        int r = bus_check_trusted(userdata, error);

        if (r >= 0)
                r = sd_bus_message_new_method_return(message, &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "o");
        for (struct unit *u = registry_next_unit(m, NULL); u && r >= 0;
             u = registry_next_unit(m, u))
                if (u->marks)
                        r = work_on_marks(m, u, reply);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

// ---- dump: all units, for debugging

static void dump_list(struct buf *b, const char *label, char *const *items)
{
        STRV_FOREACH (item, items)
                buf_printf(b, "\t%s: %s\n", label, *item);
}

static void dump_unit(struct buf *b, const struct unit *u)
{
        buf_printf(b,
                   "-> Unit %s:\n\tDescription: %s\n\tUnit Load State: %s\n"
                   "\tUnit Active State: %s\n\tSub State: %s\n",
                   u->id, unit_description(u), load_state_name(u->conf->load_state),
                   active_state_name(unit_active_state(u)), u->ops->sub_state(u));
        if (u->conf->fragment_path)
                buf_printf(b, "\tFragment Path: %s\n", u->conf->fragment_path);
        dump_list(b, "DropIn Path", u->conf->dropin_paths);
        dump_list(b, "Name", u->aliases);
        for (enum dependency d = 0; d < _DEP_MAX; d++)
                UNIT_FOREACH_DEPENDENCY (u, DEP_BIT(d), other)
                        buf_printf(b, "\t%s: %s\n", dependency_name(d), other->id);
        if (u->job)
                buf_printf(b, "\tJob: %u %s\n", u->job->id, job_type_name(u->job->type));
        if (u->n_refs > 0)
                buf_printf(b, "\tReferences: %u\n", u->n_refs);
}

static bool is_matched(const struct unit *u, char *const *patterns)
{
        bool matches = !patterns || !*patterns;

        STRV_FOREACH (pattern, patterns)
                matches = matches || fnmatch(*pattern, u->id, FNM_NOESCAPE) == 0;
        return matches;
}

static int reply_dump(sd_bus_message *message, void *userdata, char *const *patterns)
{
        struct manager *m = manager_of(userdata);
        CLEANUP(buf) struct buf b = BUF_NULL;

        buf_printf(&b, "Manager: usher %s\nNames: %zu\n", USHER_VERSION, map_size(m->units));
        for (struct unit *u = registry_next_unit(m, NULL); u; u = registry_next_unit(m, u))
                if (is_matched(u, patterns))
                        dump_unit(&b, u);
        return b.error ? b.error : sd_bus_reply_method_return(message, "s", buf_text(&b));
}

static int on_dump(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
        int r = bus_check_trusted(userdata, error);

        return r < 0 ? r : reply_dump(message, userdata, NULL);
}

static int on_dump_matching(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
        CLEANUP(strv) char **patterns = NULL;
        int r = bus_check_trusted(userdata, error);

        if (r >= 0)
                r = sd_bus_message_read_strv(message, &patterns);
        return r < 0 ? r : reply_dump(message, userdata, patterns);
}

#define METHOD(name, in, out, function) \
        SD_BUS_METHOD(name, in, out, function, SD_BUS_VTABLE_UNPRIVILEGED)

const sd_bus_vtable bus_manager_units_vtable[] = {
        SD_BUS_VTABLE_START(0),
        METHOD("RefUnit", "s", "", on_ref),
        METHOD("UnrefUnit", "s", "", on_unref),
        METHOD("SetUnitProperties", "sba(sv)", "", on_set_properties),
        METHOD("EnqueueMarkedJobs", "", "ao", on_enqueue_marked),
        METHOD("Dump", "", "s", on_dump),
        METHOD("DumpUnitsMatchingPatterns", "as", "s", on_dump_matching),
        SD_BUS_VTABLE_END,
};
