// The Job interface, and the methods of the Manager about jobs.
//
// A connection that has no unit has no jobs either: it can only be stopped. Since clients wait for
// the job that a stop returns, this file makes one, which only it knows, and which is done when the
// connection has ended.
#include "base/map.h"
#include "base/str.h"
#include "bus/bus_priv.h"
#include "core/socket/connection.h"

// The stop of a connection.
struct bus_stop {
        struct list_node node; // in the server's list
        struct bus_server *server;
        uint32_t id;
        const struct run *run;
        char *name;
};

#define STOP_TAG ((uintptr_t)1)

static struct bus_job job_of_stop(const struct bus_stop *stop)
{
        return (struct bus_job){stop->id, stop->name, job_type_name(JOB_STOP),
                                job_state_name(JOB_RUNNING)};
}

static struct bus_job job_of_job(const struct job *j)
{
        return (struct bus_job){j->id, j->unit->id, job_type_name(j->type),
                                job_state_name(j->state)};
}

// ---- stops of connections

static struct bus_stop *stop_at(const struct list_node *node)
{
        return CONTAINER_OF(node, struct bus_stop, node);
}

static struct bus_stop *find_stop_of(const struct bus_server *s, const struct run *run)
{
        return s->stops_by_run ? u64map_get(s->stops_by_run, (uintptr_t)run) : NULL;
}

static void stop_free(struct bus_stop *stop)
{
        list_remove(&stop->node);
        u64map_remove(stop->server->stops_by_run, (uintptr_t)stop->run);
        free(stop->name);
        free(stop);
}

static void finish_stop(struct bus_stop *stop, enum job_result result)
{
        bus_tell_job(stop->server, stop->id, stop->name, job_result_name(result));
        stop_free(stop);
}

void bus_stops_done(struct bus_server *s)
{
        LIST_FOREACH (&s->stops, node)
                stop_free(stop_at(node));
        u64map_free(s->stops_by_run);
}

void bus_stop_on_end(struct bus_server *s, const struct run *run)
{
        struct bus_stop *stop = find_stop_of(s, run);

        if (stop)
                finish_stop(stop, JOB_DONE);
}

static int new_stop(struct bus_server *s, const struct run *run, struct bus_stop **ret)
{
        if (!s->stops_by_run && !(s->stops_by_run = u64map_new()))
                return -ENOMEM;
        struct bus_stop *stop = calloc(1, sizeof(*stop));
        int r = stop ? connection_name(connection_of(run), &stop->name) : -ENOMEM;

        if (r >= 0)
                r = u64map_set(s->stops_by_run, (uintptr_t)run, stop);
        if (r < 0) {
                free(stop ? stop->name : NULL);
                free(stop);
                return r;
        }
        stop->server = s;
        stop->run = run;
        stop->id = job_take_id(s->manager);
        list_append(&s->stops, &stop->node);
        bus_tell_job(s, stop->id, stop->name, NULL);
        *ret = stop;
        return 0;
}

int bus_stop_connection(sd_bus_message *message, struct bus_server *s, struct run *run)
{
        struct bus_stop *stop = find_stop_of(s, run);
        int r = stop ? 0 : new_stop(s, run, &stop);
        CLEANUP(free) char *path = r < 0 ? NULL : bus_job_path(stop->id);

        if (!path)
                return -ENOMEM;
        r = sd_bus_reply_method_return(message, "o", path);
        // The connection may end at once, which also completes the stop.
        service_run_stop(run);
        return r;
}

struct bus_job bus_job_of(const struct bus_server *s, const struct bus_view *v)
{
        const struct bus_stop *stop = v->unit || !v->run ? NULL : find_stop_of(s, v->run);

        if (stop)
                return job_of_stop(stop);
        return v->unit && v->unit->job ? job_of_job(v->unit->job) : (struct bus_job){0, "", "", ""};
}

uint32_t bus_count_jobs(const struct bus_server *s)
{
        return (uint32_t)(job_count(s->manager) +
                          (s->stops_by_run ? u64map_size(s->stops_by_run) : 0));
}

// ---- objects

void *bus_find_job(const struct bus_server *s, uint32_t id)
{
        struct job *j = job_find(s->manager, id);

        if (j)
                return j;
        LIST_FOREACH (&s->stops, node)
                if (stop_at(node)->id == id)
                        return (void *)((uintptr_t)stop_at(node) | STOP_TAG);
        return NULL;
}

static struct bus_stop *as_stop(void *object)
{
        uintptr_t address = (uintptr_t)object;

        return address & STOP_TAG ? (struct bus_stop *)(address & ~STOP_TAG) : NULL;
}

static struct bus_job job_of_object(void *object)
{
        const struct bus_stop *stop = as_stop(object);

        return stop ? job_of_stop(stop) : job_of_job(object);
}

// The service of a connection goes on to stop.
static void cancel(void *object)
{
        struct bus_stop *stop = as_stop(object);

        if (stop)
                finish_stop(stop, JOB_CANCELED);
        else
                job_finish(object, JOB_CANCELED);
}

#define GETTER(name)                                                                               \
        static int name(sd_bus *bus UNUSED, const char *path UNUSED, const char *interface UNUSED, \
                        const char *property UNUSED, sd_bus_message *reply, void *userdata,        \
                        sd_bus_error *error UNUSED)

GETTER(get_id)
{
        return sd_bus_message_append(reply, "u", job_of_object(userdata).id);
}

GETTER(get_unit)
{
        struct bus_job j = job_of_object(userdata);
        CLEANUP(free) char *unit = bus_unit_path(j.unit);

        return unit ? sd_bus_message_append(reply, "(so)", j.unit, unit) : -ENOMEM;
}

GETTER(get_string)
{
        struct bus_job j = job_of_object(userdata);

        return sd_bus_message_append(reply, "s", streq(property, "State") ? j.state : j.type);
}

static int on_cancel(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
        int r = bus_check_trusted(bus_client_of(message), error);

        if (r < 0)
                return r;
        cancel(userdata);
        return sd_bus_reply_method_return(message, NULL);
}

const sd_bus_vtable bus_job_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_PROPERTY("Id", "u", get_id, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Unit", "(so)", get_unit, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("JobType", "s", get_string, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("State", "s", get_string, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_METHOD("Cancel", "", "", on_cancel, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};

// ---- methods of the Manager

static int append_job(sd_bus_message *reply, struct bus_job j)
{
        CLEANUP(free) char *path = bus_job_path(j.id);
        CLEANUP(free) char *unit_path = bus_unit_path(j.unit);

        if (!path || !unit_path)
                return -ENOMEM;
        return sd_bus_message_append(reply, "(usssoo)", j.id, j.unit, j.type, j.state, path,
                                     unit_path);
}

static int on_list_jobs(sd_bus_message *message, void *userdata, sd_bus_error *error UNUSED)
{
        const struct bus_server *s = ((struct bus_client *)userdata)->server;
        __attribute__((cleanup(sd_bus_message_unrefp))) sd_bus_message *reply = NULL;
        int r = sd_bus_message_new_method_return(message, &reply);

        if (r < 0 || (r = sd_bus_message_open_container(reply, 'a', "(usssoo)")) < 0)
                return r;
        for (struct job *j = job_next(s->manager, NULL); j && r >= 0; j = job_next(s->manager, j))
                r = append_job(reply, job_of_job(j));
        LIST_FOREACH (&s->stops, node)
                if (r >= 0)
                        r = append_job(reply, job_of_stop(stop_at(node)));
        if (r < 0 || (r = sd_bus_message_close_container(reply)) < 0)
                return r;
        return sd_bus_send(NULL, reply, NULL);
}

static void *find_job(void *userdata, uint32_t id, sd_bus_error *error)
{
        void *object = bus_find_job(((struct bus_client *)userdata)->server, id);

        if (!object)
                (void)sd_bus_error_setf(error, "org.freedesktop.systemd1.NoSuchJob",
                                        "Job %u does not exist.", id);
        return object;
}

static int on_get_job(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
        uint32_t id = 0;
        int r = sd_bus_message_read(message, "u", &id);

        if (r < 0)
                return r;
        if (!find_job(userdata, id, error))
                return -ENOENT;
        CLEANUP(free) char *path = bus_job_path(id);

        return path ? sd_bus_reply_method_return(message, "o", path) : -ENOMEM;
}

static int on_cancel_job(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
        uint32_t id = 0;
        int r = sd_bus_message_read(message, "u", &id);

        if (r < 0 || (r = bus_check_trusted(userdata, error)) < 0)
                return r;
        void *object = find_job(userdata, id, error);

        if (!object)
                return -ENOENT;
        cancel(object);
        return sd_bus_reply_method_return(message, NULL);
}

static int on_clear_jobs(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
        struct bus_server *s = ((struct bus_client *)userdata)->server;
        int r = bus_check_trusted(userdata, error);

        if (r < 0)
                return r;
        for (struct job *j = job_next(s->manager, NULL); j; j = job_next(s->manager, NULL))
                job_finish(j, JOB_CANCELED);
        LIST_FOREACH (&s->stops, node)
                finish_stop(stop_at(node), JOB_CANCELED);
        return sd_bus_reply_method_return(message, NULL);
}

#define METHOD(name, in, out, function) \
        SD_BUS_METHOD(name, in, out, function, SD_BUS_VTABLE_UNPRIVILEGED)

const sd_bus_vtable bus_manager_jobs_vtable[] = {
        SD_BUS_VTABLE_START(0),
        METHOD("GetJob", "u", "o", on_get_job),
        METHOD("CancelJob", "u", "", on_cancel_job),
        METHOD("ClearJobs", "", "", on_clear_jobs),
        METHOD("ListJobs", "", "a(usssoo)", on_list_jobs),
        SD_BUS_VTABLE_END,
};
