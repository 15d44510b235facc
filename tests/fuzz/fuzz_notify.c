// First byte: the state of the service; second byte: how many descriptors come with the message;
// the rest is the datagram. The service is there but for its process.
#include "core/service/notify.h"

#include "base/str.h"
#include "core/service/service_priv.h"
#include "fuzz/manager.h"

#include <signal.h>
#include <sys/eventfd.h>

#define FDS_MAX 8
#define STORE_MAX 5

static const struct manager_unit units[] = {
        {"a.service", "[Service]\nType=notify-reload\nNotifyAccess=all\nFileDescriptorStoreMax=5\n"
                      "WatchdogSec=1h\nExecStart=/bin/true\nRestart=no\n"},
};

static struct run *begin(void)
{
        static struct service *service;

        if (!service) {
                struct manager *m = manager_begin(units, ARRAY_SIZE(units));

                service = CONTAINER_OF(manager_keep(m, "a.service"), struct service, unit);
        }
        return &service->run;
}

static pid_t process; // the main one of every run

// What a start would have made of it.
static void set_up(struct run *run, unsigned state)
{
        static const enum service_state states[] = {
                SERVICE_START,         SERVICE_START_POST,    SERVICE_RUNNING,
                SERVICE_RELOAD_SIGNAL, SERVICE_RELOAD_NOTIFY, SERVICE_STOP_SIGTERM,
        };
        if (process == 0)
                process = manager_make_zombie();
        run->state = states[state % ARRAY_SIZE(states)];
        run->main = (struct child){.pid = process, .pidfd = -1};
        run->control = (struct child){.pidfd = -1};
        run->main_pid_known = true;
        run->result = SERVICE_SUCCESS;
        run->is_empty = false;
}

static void tear_down(struct run *run)
{
        struct events *e = run->manager->events;

        assert(run->service->run.conf == run->conf);
        timer_stop(e, &run->timer);
        work_cancel(&run->work);
        run_cold_free(run);
        run->state = SERVICE_DEAD;
        run->main = run->control = (struct child){.pidfd = -1};
        run->main_pid_known = false;
}

// Strings of a message end inside of the datagram.
static void check_message(const struct notify_message *m, const char *text, size_t size)
{
        const char *const strings[] = {m->status, m->fdname, m->main_pid, m->notify_access,
                                       m->status_errno};

        for (size_t i = 0; i < ARRAY_SIZE(strings); i++)
                assert(!strings[i] || (strings[i] > text && strings[i] <= text + size &&
                                       strings[i] + strlen(strings[i]) <= text + size));
        assert(m->n_assignments <= size / 2 + 1);
}

static size_t make_fds(int fds[FDS_MAX], unsigned n)
{
        for (unsigned i = 0; i < n; i++)
                fds[i] = i % 2 ? open("/dev/null", O_RDONLY | O_CLOEXEC) : eventfd(0, EFD_CLOEXEC);
        return n;
}

static void check_run(struct run *run)
{
        const char *status = run_status_text(run);

        assert(!status || (*status && str_is_utf8(status)));
        assert(run_status_errno(run) >= 0);
        assert(run_fdstore_count(run) <= STORE_MAX);
        // What was said does not make another process its main one.
        assert(run->main.pid == 0 || run->main.pid == process);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct input in = {data, size};
        unsigned state = input_byte(&in), n_fds = input_byte(&in) % (FDS_MAX + 1);
        struct ucred sender = {.uid = 65534, .gid = 65534};
        struct run *run = begin();
        struct notify_message message;
        size_t text_size;
        CLEANUP(free) char *text = input_bytes(&in, NOTIFY_MESSAGE_MAX, &text_size);
        int fds[FDS_MAX], lowest = lowest_fd();

        if (notify_parse(text, text_size, &message) < 0)
                return 0;
        check_message(&message, text, text_size);
        set_up(run, state);
        sender.pid = run->main.pid;
        n_fds = (unsigned)make_fds(fds, n_fds);
        service_on_notify(run, &sender, &message, fds, n_fds);
        check_run(run);
        tear_down(run);
        assert(lowest_fd() == lowest);
        return 0;
}
