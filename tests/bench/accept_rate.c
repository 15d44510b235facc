// How many connections a second usherd serves with Accept=yes and /bin/true, beside a bare loop of
// accept, vfork and exec, which does the least that can be done. Both are asked in turns by the
// same client in the same run; what counts is the median of the ratios of neighbours.
#include "base/clock.h"
#include "base/fs.h"
#include "base/str.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define CONCURRENCY 8
#define PAIRS_MAX 32
#define START_LIMIT (10 * USEC_PER_SEC)

static const char program[] = "/bin/true";

static void die(const char *what)
{
        fprintf(stderr, "accept_rate: %s: %s\n", what, strerror(errno));
        exit(EXIT_FAILURE);
}

static struct sockaddr_in loopback(uint16_t port)
{
        return (struct sockaddr_in){.sin_family = AF_INET,
                                    .sin_port = htons(port),
                                    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

// A port that nobody has at the moment; a listener of ours stays on it when fd is wanted.
static uint16_t find_port(int *ret_listener)
{
        struct sockaddr_in a = loopback(0);
        socklen_t size = sizeof(a);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

        if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
            bind(fd, (struct sockaddr *)&a, size) < 0 || listen(fd, SOMAXCONN) < 0 ||
            getsockname(fd, (struct sockaddr *)&a, &size) < 0)
                die("listen");
        if (ret_listener)
                *ret_listener = fd;
        else
                close(fd);
        return ntohs(a.sin_port);
}

// ---- the bare loop

static void serve_bare(int listener)
{
        char *argv[] = {(char *)program, NULL}, *envp[] = {NULL};

        for (;;) {
                int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

                if (fd < 0)
                        continue;
                pid_t pid = vfork();

                if (pid == 0) {
                        if (dup2(fd, 0) >= 0 && dup2(fd, 1) >= 0)
                                execve(program, argv, envp);
                        _exit(127);
                }
                close(fd);
                while (waitpid(-1, NULL, WNOHANG) > 0)
                        ;
        }
}

static pid_t start_bare(uint16_t *ret_port)
{
        int listener;
        pid_t pid;

        *ret_port = find_port(&listener);
        pid = fork();
        if (pid < 0)
                die("fork");
        if (pid == 0)
                serve_bare(listener);
        close(listener);
        return pid;
}

// ---- usherd

static void write_unit(const char *dir, const char *name, const char *text)
{
        CLEANUP(free) char *path = fs_path_join(dir, name);

        if (!path || fs_write_file_atomic(path, text, 0644) < 0)
                die(name);
}

static pid_t start_usherd(const char *build, const char *dir, const char *method,
                          uint16_t *ret_port)
{
        CLEANUP(free) char *daemon = fs_path_join(build, "usherd"), *runtime = NULL, *socket = NULL;
        pid_t pid;

        *ret_port = find_port(NULL);
        runtime = fs_path_join(dir, "run");
        socket = str_printf("[Socket]\nListenStream=127.0.0.1:%u\nAccept=yes\nMaxConnections=1000\n"
                            "TriggerLimitBurst=0\nPollLimitBurst=0\n",
                            *ret_port);
        if (!daemon || !runtime || !socket)
                die("usherd");
        write_unit(dir, "bench.socket", socket);
        write_unit(dir, "bench@.service", "[Service]\nExecStart=/bin/true\nStandardInput=socket\n");
        pid = fork();
        if (pid < 0)
                die("fork");
        if (pid == 0) {
                execl(daemon, daemon, "--log-level=warning", "--spawn-method", method,
                      "--runtime-dir", runtime, dir, NULL);
                die(daemon);
        }
        return pid;
}

static void stop(pid_t pid)
{
        int status;

        kill(pid, SIGTERM);
        if (waitpid(pid, &status, 0) < 0)
                die("waitpid");
}

// ---- the client

static int open_connection(uint16_t port)
{
        struct sockaddr_in a = loopback(port);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (fd < 0)
                die("socket");
        if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
                return fd;
        close(fd);
        return -errno;
}

// Waits until somebody accepts, and for the end of that connection.
static void await(uint16_t port)
{
        usec_t until = clock_now() + START_LIMIT;
        char c;
        int fd;

        while ((fd = open_connection(port)) < 0) {
                if (clock_now() > until)
                        die("the server does not listen");
                poll(NULL, 0, 10);
        }
        while (read(fd, &c, 1) > 0)
                ;
        close(fd);
}

static void add_connection(int epoll, uint16_t port)
{
        int fd = open_connection(port);
        struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP, .data.fd = fd};

        if (fd < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0)
                die("connect");
}

// n connections, CONCURRENCY of them at a time; each lasts until the server's process ends. How
// many a second.
static double measure(uint16_t port, unsigned n)
{
        struct epoll_event events[CONCURRENCY];
        unsigned started = 0, ended = 0;
        int epoll = epoll_create1(EPOLL_CLOEXEC);
        usec_t start = clock_now();

        if (epoll < 0)
                die("epoll");
        for (; started < CONCURRENCY && started < n; started++)
                add_connection(epoll, port);
        while (ended < n) {
                int got = epoll_wait(epoll, events, CONCURRENCY, 10000);

                if (got <= 0)
                        die("a connection does not end");
                for (int i = 0; i < got; i++) {
                        char data[64];

                        if (read(events[i].data.fd, data, sizeof(data)) > 0)
                                continue;
                        close(events[i].data.fd);
                        ended++;
                        if (started < n && started++ < n)
                                add_connection(epoll, port);
                }
        }
        close(epoll);
        return n * (double)USEC_PER_SEC / (double)(clock_now() - start);
}

// ---- the comparison

static int compare_numbers(const void *a, const void *b)
{
        double x = *(const double *)a, y = *(const double *)b;

        return (x > y) - (x < y);
}

static double median(double *values, size_t n)
{
        qsort(values, n, sizeof(*values), compare_numbers);
        return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

static void compare(const char *build, const char *dir, const char *method, size_t pairs,
                    unsigned n)
{
        double bare[PAIRS_MAX], ours[PAIRS_MAX], ratio[PAIRS_MAX];
        uint16_t bare_port, our_port;
        pid_t bare_pid = start_bare(&bare_port);
        pid_t our_pid = start_usherd(build, dir, method, &our_port);

        await(bare_port);
        await(our_port);
        for (size_t i = 0; i < pairs; i++) {
                // Who is first alternates, for what the first leaves behind.
                if (i % 2)
                        ours[i] = measure(our_port, n);
                bare[i] = measure(bare_port, n);
                if (i % 2 == 0)
                        ours[i] = measure(our_port, n);
                ratio[i] = ours[i] / bare[i];
        }
        stop(bare_pid);
        stop(our_pid);
        double middle = median(ratio, pairs);

        printf("accept-yes %-7s usherd %6.0f/s, bare accept+vfork+exec %6.0f/s, ratio %.3f "
               "(%.3f to %.3f, %zu pairs of %u connections)\n",
               method, median(ours, pairs), median(bare, pairs), middle, ratio[0], ratio[pairs - 1],
               pairs, n);
}

int main(int argc, char **argv)
{
        static const char *const methods[] = {"shared", "vfork", "fork"};
        bool is_quick = argc > 1 && streq(argv[1], "--quick");
        const char *build = getenv("BUILD"), *tmp = getenv("TMPDIR");
        CLEANUP(free) char *dir = str_printf("%s/usher-bench.XXXXXX", tmp ? tmp : "/tmp");

        if (!build || !dir || !mkdtemp(dir))
                die("BUILD, TMPDIR");
        setvbuf(stdout, NULL, _IOLBF, 0);
        for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
                compare(build, dir, methods[i], is_quick ? 5 : 15, is_quick ? 500 : 2000);
        return fs_remove_tree(dir) < 0;
}
