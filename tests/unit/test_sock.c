// Socket units with real sockets and real services: states, counters, limits, pauses, reload.
#include "core/socket/sock.h"

#include "base/fd.h"
#include "core/socket/admit.h"
#include "core/unit/registry.h"
#include "unit/service_fixture.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

static struct fixture *begin(void **state)
{
        static struct fixture f;

        if (harness_has_valgrind() && !streq(*state, "fork")) {
                printf("valgrind knows no clone with shared memory\n");
                skip();
        }
        fixture_init(&f, *state);
        return &f;
}

static struct sock *sock_start(struct fixture *f, const char *name)
{
        struct request_failure why = {0};
        struct unit *u = NULL;

        assert_int_equal(registry_load_unit(f->manager, name, &u), 0);
        assert_ptr_equal(u->ops, &sock_ops);
        assert_int_equal(dependency_add(f->keep, DEP_AFTER, u), 0);
        if (job_request(f->manager, JOB_START, u, JOB_REPLACE, NULL, &why) != REQUEST_OK)
                fail_msg("%s", why.text);
        return CONTAINER_OF(u, struct sock, unit);
}

static void sock_stop(struct fixture *f, struct sock *s)
{
        assert_int_equal(job_request(f->manager, JOB_STOP, &s->unit, JOB_REPLACE, NULL, NULL),
                         REQUEST_OK);
}

static void await(struct fixture *f, const struct sock *s, enum sock_state state)
{
        for (usec_t end = clock_now() + FIXTURE_PATIENCE; s->state != state || s->unit.job;) {
                if (clock_now() > end)
                        fail_msg("%s is %s, not %s\n%s", s->unit.id, sock_state_name(s->state),
                                 sock_state_name(state), buf_text(&f->log));
                fixture_turn(f);
        }
}

// A client at a socket in the test's folder.
static int connect_unix(const struct fixture *f, const char *name)
{
        struct sockaddr_un un = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        snprintf(un.sun_path, sizeof(un.sun_path), "%s/%s", f->dir, name);
        if (connect(fd, (struct sockaddr *)&un, sizeof(un)) < 0)
                return fd_close(fd);
        return fd;
}

// What comes, with the loop turning meanwhile: 'x' the byte, 0 the end, -1 a reset.
static int answer(struct fixture *f, int fd)
{
        struct pollfd p = {.fd = fd, .events = POLLIN};
        char c;

        for (usec_t end = clock_now() + FIXTURE_PATIENCE; poll(&p, 1, 0) <= 0;) {
                if (clock_now() > end)
                        fail_msg("no answer\n%s", buf_text(&f->log));
                fixture_turn(f);
        }
        ssize_t n = read(fd, &c, 1);

        return n == 1 ? c : (int)n;
}

static int ask(struct fixture *f, int fd)
{
        return send(fd, "x", 1, MSG_NOSIGNAL) == 1 ? answer(f, fd) : -1;
}

static void put_echo(struct fixture *f, const char *more)
{
        CLEANUP(free)
        char *text = str_printf("[Socket]\nListenStream=@/s\nAccept=yes\n%s", more);

        fixture_unit(f, "e.socket", text);
        fixture_unit(f, "e@.service", "[Service]\nExecStart=/bin/cat\nStandardInput=socket\n");
}

static void test_connections(void **state)
{
        struct fixture *f = begin(state);

        put_echo(f, "RemoveOnStop=yes\n");
        struct sock *s = sock_start(f, "e.socket");

        await(f, s, SOCK_LISTENING);
        CLEANUP(fd) int one = connect_unix(f, "s");
        CLEANUP(fd) int two = connect_unix(f, "s");
        assert_int_equal(ask(f, one), 'x');
        assert_int_equal(ask(f, two), 'x');
        assert_int_equal(s->n_accepted, 2);
        assert_int_equal(s->n_connections, 2);
        assert_int_equal(admit_count(s->admit), 2);
        one = fd_close(one);
        for (int i = 0; i < 500 && s->n_connections > 1; i++)
                fixture_turn(f);
        assert_int_equal(s->n_connections, 1);
        // The socket goes, the connection stays.
        sock_stop(f, s);
        await(f, s, SOCK_DEAD);
        assert_int_equal(ask(f, two), 'x');
        assert_int_equal(connect_unix(f, "s"), -1);
        two = fd_close(two);
        for (int i = 0; i < 500 && s->n_connections > 0; i++)
                fixture_turn(f);
        assert_int_equal(s->n_connections, 0);
        fixture_done(f);
}

static void test_max_connections(void **state)
{
        struct fixture *f = begin(state);

        put_echo(f, "MaxConnections=1\n");
        struct sock *s = sock_start(f, "e.socket");

        await(f, s, SOCK_LISTENING);
        CLEANUP(fd) int one = connect_unix(f, "s");
        assert_int_equal(ask(f, one), 'x');
        CLEANUP(fd) int two = connect_unix(f, "s");
        assert_true(answer(f, two) <= 0);
        assert_int_equal(s->n_refused, 1);
        assert_int_equal(s->n_refused_by[REFUSAL_FULL], 1);
        fixture_done(f);
}

// X-MaxConnectionsAction=queue: the second waits in the backlog, and is served when the first goes.
// Difference: max-connections
static void test_queue(void **state)
{
        struct fixture *f = begin(state);

        put_echo(f, "MaxConnections=1\nX-MaxConnectionsAction=queue\n");
        struct sock *s = sock_start(f, "e.socket");

        await(f, s, SOCK_LISTENING);
        CLEANUP(fd) int one = connect_unix(f, "s");
        assert_int_equal(ask(f, one), 'x');
        CLEANUP(fd) int two = connect_unix(f, "s");
        assert_int_equal(send(two, "x", 1, 0), 1);
        for (int i = 0; i < 500 && s->pause != PAUSE_FULL; i++)
                fixture_turn(f);
        assert_int_equal(s->pause, PAUSE_FULL);
        assert_non_null(sock_status_text(s));
        assert_int_equal(s->n_accepted, 1);
        one = fd_close(one);
        assert_int_equal(answer(f, two), 'x');
        assert_int_equal(s->n_refused, 0);
        fixture_done(f);
}

// Difference: trigger-limit
static void test_trigger_limit_pauses(void **state)
{
        struct fixture *f = begin(state);
        int clients[6];

        put_echo(f, "TriggerLimitIntervalSec=200ms\nTriggerLimitBurst=3\n");
        struct sock *s = sock_start(f, "e.socket");

        await(f, s, SOCK_LISTENING);
        for (size_t i = 0; i < ARRAY_SIZE(clients); i++) {
                clients[i] = connect_unix(f, "s");
                assert_int_equal(send(clients[i], "x", 1, 0), 1);
        }
        fixture_await_log(f, "Trigger limit hit");
        assert_int_equal(s->state, SOCK_LISTENING); // paused, not failed
        for (size_t i = 0; i < ARRAY_SIZE(clients); i++) {
                assert_int_equal(answer(f, clients[i]), 'x'); // nobody is lost
                fd_close(clients[i]);
        }
        fixture_done(f);
}

static void test_one_for_all(void **state)
{
        struct fixture *f = begin(state);

        fixture_unit(f, "a.socket", "[Socket]\nListenStream=@/s\nFileDescriptorName=mine\n");
        fixture_unit(f, "a.service",
                     "[Service]\nExecStart=/bin/sh -c 'echo $LISTEN_FDS $LISTEN_FDNAMES >@/out; "
                     "exec sleep 60'\n");
        struct sock *s = sock_start(f, "a.socket");

        await(f, s, SOCK_LISTENING);
        CLEANUP(fd) int one = connect_unix(f, "s");
        assert_true(one >= 0);
        struct service *service = fixture_service(f, "a.service");
        fixture_await(f, service, SERVICE_RUNNING);
        assert_int_equal(s->state, SOCK_RUNNING);
        for (int i = 0; i < 500 && !*fixture_read(f, "out"); i++)
                fixture_turn(f);
        assert_string_equal(fixture_read(f, "out"), "1 mine\n");
        // It goes without having accepted: the socket listens, and starts it again.
        pid_t first = service->run.main.pid;
        assert_int_equal(kill(first, SIGTERM), 0);
        for (int i = 0; i < 1000 && (service->run.main.pid == first || !service->run.main.pid); i++)
                fixture_turn(f);
        assert_true(service->run.main.pid > 0 && service->run.main.pid != first);
        sock_stop(f, s);
        fixture_job(f, JOB_STOP, "a.service");
        fixture_await(f, service, SERVICE_DEAD); // it still writes into the folder
        fixture_done(f);
}

static void test_refusals(void **state)
{
        struct fixture *f = begin(state);

        fixture_unit(f, "a.socket", "[Socket]\nListenStream=@/s\n"); // without a service
        struct sock *s = sock_start(f, "a.socket");

        fixture_await_log(f, "its service a.service is not there");
        for (int i = 0; i < 20; i++)
                fixture_turn(f);
        assert_int_equal(s->state, SOCK_DEAD);
        // Bad commands around it.
        fixture_unit(f, "b.socket", "[Socket]\nListenStream=@/b\nExecStartPre=/bin/false\n");
        fixture_unit(f, "b.service", "[Service]\nExecStart=/bin/true\n");
        struct sock *b = sock_start(f, "b.socket");
        await(f, b, SOCK_FAILED);
        assert_int_equal(b->result, SOCK_FAILURE_EXIT_CODE);
        assert_int_equal(connect_unix(f, "b"), -1); // never opened
        fixture_done(f);
}

#define METHOD(test, method)                                       \
        {                                                          \
#test "@" method, test, NULL, NULL, (void *)method \
        }
#define METHODS(test) METHOD(test, "fork"), METHOD(test, "shared")

static const struct CMUnitTest tests[] = {
        METHODS(test_connections),          METHODS(test_max_connections), METHODS(test_queue),
        METHODS(test_trigger_limit_pauses), METHODS(test_one_for_all),     METHODS(test_refusals),
};
HARNESS_MAIN(tests)
