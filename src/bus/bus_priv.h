// Shared by the files of the bus layer.
#pragma once

#include "base/list.h"
#include "base/rate.h"
#include "bus/client.h"
#include "bus/share.h"
#include "core/service/service.h"
#include "core/socket/sock.h"
#include "core/unit/job.h"
#include "core/unit/manager.h"

#include <systemd/sd-bus.h>

#define BUS_ROOT "/org/freedesktop/systemd1"
#define BUS_MANAGER "org.freedesktop.systemd1.Manager"
#define BUS_UNIT "org.freedesktop.systemd1.Unit"
#define BUS_JOB "org.freedesktop.systemd1.Job"

// ---- the server

// Descriptors for one more client of the owner, in case no others are left. -1: in use.
struct bus_reserve {
        int fd, pair[2];
};

struct bus_server {
        struct manager *manager;
        struct core_observer observer;
        char *path;
        int listen_fd;
        sd_event_source *listen_source;
        struct timer listen_timer; // listens again after descriptors ran out
        struct timer door_timer;   // lets readers in again after a rush
        bool is_queue_long;        // more wait than are accepted at once
        unsigned n_readers;        // among those that were accepted last
        struct bus_reserve reserve;
        struct list_node clients; // longest idle first
        struct list_node users;
        unsigned n_clients, n_listening;    // without those that are dropped
        unsigned n_places[_BUS_ACCESS_MAX]; // of n_clients
        struct list_node turn_users;        // with readers that wait for their turn
        struct timer turn_timer;
        struct share share;      // of the loop's time, for readers
        struct list_node unread; // readers with unread answers, the oldest first
        unsigned n_unread;
        struct list_node stops;      // of connections, for which clients may wait
        struct u64map *stops_by_run; // NULL: there has been none yet
        struct list_node dropped;
        struct work drop_work;       // frees clients outside their own callbacks
        struct bus_vtables *vtables; // made for the first client
        bool must_trim;              // give memory back after many clients or a large answer
        struct rate rush;            // of readers that connect
        struct rate complaints, exhaustions; // lines of the log
        uint8_t *buffer;                     // for what a client sends
};

// ---- object paths (path.c)
char *bus_unit_path(const char *id); // new string, NULL: no memory
char *bus_job_path(uint32_t id);
// The reverse: the name of the unit of a path, which need not exist: 1 and *ret (new string); 0: it
// is no path of a unit; -ENOMEM.
int bus_path_unit(const char *path, char **ret);
bool bus_path_job(const char *path, uint32_t *ret);

// ---- objects (object.c)
// The object of a path: a unit, a live connection without a unit, or a missing unit (for readers,
// who cannot load any). sd-bus passes one pointer to every getter; its low bits distinguish the
// three.
struct bus_view {
        struct manager *manager;
        struct unit *unit; // NULL for a connection and a missing unit
        struct run *run;   // a service's, or the connection's; NULL for all others
        const struct unit_conf *conf;
        const char *id; // in `name` for connections
        char *name;
};

void *bus_object_of_unit(struct unit *u);
void *bus_object_of_run(struct run *run);
int bus_view_get(void *object, struct bus_view *ret); // 0 or -ENOMEM
static inline void cleanup_bus_view(struct bus_view *v)
{
        free(v->name);
}
static inline bool bus_view_is_absent(const struct bus_view *v)
{
        return !v->unit && !v->run;
}
// A unit or connection by name. load: clients who may control get a unit loaded; a reader gets a
// missing unit, valid until the next one is requested. 0, or an error set in *error.
int bus_find_object(struct bus_client *c, const char *name, bool load, void **ret,
                    sd_bus_error *error);
enum active_state bus_view_active_state(const struct bus_view *v);
const char *bus_view_sub_state(const struct bus_view *v);
const char *bus_view_description(const struct bus_view *v, char **buffer);

// ---- jobs (job.c)
// The properties of a job for clients. id 0: there is none.
struct bus_job {
        uint32_t id;
        const char *unit, *type, *state;
};

struct bus_job bus_job_of(const struct bus_server *s, const struct bus_view *v);
uint32_t bus_count_jobs(const struct bus_server *s);
void *bus_find_job(const struct bus_server *s, uint32_t id); // the object behind its path, or NULL
// Stops a connection without a unit, and replies with the path of a job that is finished when the
// connection has ended.
int bus_stop_connection(sd_bus_message *message, struct bus_server *s, struct run *run);
void bus_stop_on_end(struct bus_server *s, const struct run *run); // it has ended
void bus_stops_done(struct bus_server *s);
// JobNew, or JobRemoved with a result.
void bus_tell_job(struct bus_server *s, uint32_t id, const char *unit, const char *result);

// ---- references and marks (manager_units.c)
void bus_refs_done(struct bus_client *c);                          // the client disconnects
int bus_append_marks(sd_bus_message *reply, const struct unit *u); // NULL: none

// ---- lists of files (files.c)
void bus_listing_free(struct bus_listing *l); // without an answer; NULL is fine

// ---- vtables (vtable.c)
struct bus_vtables;
int bus_vtables_new(struct bus_vtables **ret);
void bus_vtables_free(struct bus_vtables *v);
int bus_vtables_add(struct bus_vtables *v, struct bus_client *c); // all objects on this connection
int bus_driver_add(struct bus_client *c); // the answers of a message bus (driver.c)
extern const sd_bus_vtable bus_manager_vtable[];
extern const sd_bus_vtable bus_manager_files_vtable[];
extern const sd_bus_vtable bus_manager_jobs_vtable[];
extern const sd_bus_vtable bus_manager_units_vtable[];
extern const sd_bus_vtable bus_manager_environment_vtable[];
extern const sd_bus_vtable bus_manager_clean_vtable[];
// CanClean and Clean of a unit (manager_clean.c).
int bus_get_can_clean(sd_bus *bus, const char *path, const char *interface, const char *property,
                      sd_bus_message *reply, void *userdata, sd_bus_error *error);
int bus_on_clean(sd_bus_message *message, void *userdata, sd_bus_error *error);
extern const sd_bus_vtable bus_manager_log_vtable[], bus_log_control_vtable[];
extern const sd_bus_vtable bus_job_vtable[];
extern const sd_bus_vtable bus_log_vtable[];
extern const sd_bus_vtable bus_connections_vtable[];
extern const sd_bus_vtable bus_reload_vtable[];
// Static part of each interface; the rows of the directive table follow it.
extern const sd_bus_vtable bus_unit_vtable[], bus_service_vtable[], bus_socket_vtable[],
        bus_target_vtable[];

// ---- directives as properties (property.c)

struct directive;
const char *bus_directive_signature(const struct directive *d);    // NULL: it is no property
int bus_directive_property(const struct directive *d, char **ret); // name; new string
bool bus_directive_is_limit(const struct directive *d);
// The value in conf; is_user: of a user's supervisor; is_soft: the soft one of a resource limit.
// -ENOENT: the conf has no such group (a unit that could not be loaded).
int bus_append_directive(sd_bus_message *reply, const struct directive *d,
                         const struct unit_conf *conf, bool is_user, bool is_soft);
int bus_append_strv(sd_bus_message *reply, char *const *v);
// Appends the status text of a service (NULL: none), which the stock systemctl prints unescaped.
int bus_append_status(sd_bus_message *reply, const char *text);
int bus_append_commands(sd_bus_message *reply, const struct command_list *list, bool extended,
                        const struct exec_status *status);

// ---- calls and signals
// May this client change anything? 0, or AccessDenied in *error.
int bus_check_trusted(struct bus_client *c, sd_bus_error *error);
void bus_observer_fill(struct bus_server *s);
// Sends a signal to all subscribers; send() queues it for one of them. Signals to readers count for
// their share of the loop's time, as calls do: in a burst they are omitted.
void bus_tell(struct bus_server *s, int (*send)(sd_bus *bus, const void *data), const void *data);
#define BUS_FOREACH_CLIENT(s, c)                                                                \
        LIST_FOREACH (&(s)->clients, c##_node)                                                  \
                for (struct bus_client *c = CONTAINER_OF(c##_node, struct bus_client, node); c; \
                     c = NULL)
// Reads a list of names, patterns or states from a call. A reader's list must be short, since each
// word is compared with all units. 0, or an error set in *error.
int bus_read_words(sd_bus_message *message, const struct bus_client *c, char ***ret,
                   sd_bus_error *error);
// Queue a job for a unit of this name, reply with its path (method calls of Manager and Unit).
int bus_queue_job_by_name(sd_bus_message *message, struct bus_client *c, const char *name,
                          enum job_type type, const char *mode, sd_bus_error *error);
// Operations of both Manager and Unit; object as from bus_find_object().
int bus_kill(void *object, const char *who, int signo, sd_bus_error *error);
void bus_reset_failed(void *object);
int bus_reply_processes(sd_bus_message *message, void *object); // a(sus): cgroup, pid, name
