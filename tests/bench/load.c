// The client of the measurements: load [OPTION...] ADDRESS
//   -n COUNT     connections in all (1000)     -c COUNT  of them at a time (1)
//   -s COUNT     so many source addresses in turns, out of 127.0.0.0/8 (one, the kernel's choice)
//   -p USEC      a pause before each connection -t SEC    ends after that time, whatever was
//   reached -k           keep: opens COUNT connections, says so, and keeps them until standard
//   input ends
// ADDRESS is HOST:PORT or the path of a socket. A connection ends when the server closes it. Prints
// connections, seconds, and the quantiles 0.5, 0.9, 0.99, 1 of a connection's microseconds.
#include "base/clock.h"
#include "base/parse.h"
#include "base/str.h"
#include "conf/address.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONCURRENCY_MAX 1024
#define STALLED 20000 // ms

struct load {
        struct port port; // where to
        unsigned count, concurrency, sources;
        usec_t pause, limit;
        bool keep;
        unsigned started, ended;
        uint32_t *times;               // of the connections that have ended
        usec_t began[CONCURRENCY_MAX]; // by place
        int fds[CONCURRENCY_MAX];
        int epoll;
};

static void die(const char *what)
{
        fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
        exit(EXIT_FAILURE);
}

// The n-th source: 127.1.0.0 and those behind it.
static void bind_source(const struct load *l, int fd, unsigned n)
{
        struct sockaddr_in a = {.sin_family = AF_INET};
        int one = 1;

        a.sin_addr.s_addr = htonl((127U << 24) + (1U << 16) + n % l->sources);
        if (setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one)) < 0 ||
            bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
                die("source address");
}

static int open_connection(const struct load *l, unsigned n)
{
        int fd = socket(l->port.address.addr.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (fd < 0)
                die("socket");
        if (l->sources > 1)
                bind_source(l, fd, n);
        if (connect(fd, &l->port.address.addr.sa, l->port.address.size) < 0)
                die("connect");
        return fd;
}

static void begin(struct load *l, unsigned place)
{
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = place};

        if (l->pause > 0)
                usleep((useconds_t)l->pause);
        l->began[place] = clock_now();
        l->fds[place] = open_connection(l, l->started++);
        if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, l->fds[place], &event) < 0)
                die("epoll_ctl");
}

static int compare_times(const void *a, const void *b)
{
        uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

        return (x > y) - (x < y);
}

static void report(const struct load *l, usec_t took)
{
        static const double quantiles[] = {0.5, 0.9, 0.99, 1};

        qsort(l->times, l->ended, sizeof(*l->times), compare_times);
        printf("%u %.6f", l->ended, (double)took / (double)USEC_PER_SEC);
        for (size_t i = 0; i < ARRAY_SIZE(quantiles); i++) {
                unsigned at = (unsigned)(quantiles[i] * l->ended);

                printf(" %u", l->ended > 0 ? l->times[MIN(at, l->ended - 1)] : 0);
        }
        putchar('\n');
}

static void run(struct load *l)
{
        struct epoll_event events[64];
        usec_t start = clock_now();
        bool is_over = false;

        while (l->started < MIN(l->concurrency, l->count))
                begin(l, l->started);
        while (l->ended < l->started) {
                int n = epoll_wait(l->epoll, events, ARRAY_SIZE(events), STALLED);

                if (n <= 0)
                        die("a connection does not end");
                for (int i = 0; i < n; i++) {
                        unsigned place = events[i].data.u32;
                        char data[64];

                        if (read(l->fds[place], data, sizeof(data)) > 0)
                                continue;
                        close(l->fds[place]);
                        l->times[l->ended++] = (uint32_t)(clock_now() - l->began[place]);
                        is_over = is_over || (l->limit > 0 && clock_now() - start > l->limit);
                        if (!is_over && l->started < l->count)
                                begin(l, place);
                }
        }
        report(l, clock_now() - start);
}

static void keep(const struct load *l)
{
        char c;

        for (unsigned i = 0; i < l->count; i++)
                open_connection(l, i);
        printf("open\n");
        fflush(stdout);
        while (read(STDIN_FILENO, &c, 1) > 0)
                ;
}

static unsigned number(const char *text)
{
        uint32_t n;

        if (parse_u32(text, &n) < 0) {
                fprintf(stderr, "load: %s is not a number\n", text);
                exit(2);
        }
        return n;
}

int main(int argc, char **argv)
{
        struct load l = {.count = 1000, .concurrency = 1, .sources = 1};
        int c;

        while ((c = getopt(argc, argv, "n:c:s:p:t:k")) != -1)
                switch (c) {
                case 'n':
                        l.count = number(optarg);
                        break;
                case 'c':
                        l.concurrency = number(optarg);
                        break;
                case 's':
                        l.sources = number(optarg);
                        break;
                case 'p':
                        l.pause = number(optarg);
                        break;
                case 't':
                        l.limit = number(optarg) * USEC_PER_SEC;
                        break;
                case 'k':
                        l.keep = true;
                        break;
                default:
                        return 2;
                }
        if (optind + 1 != argc || l.concurrency > CONCURRENCY_MAX)
                return 2;
        int r = address_parse(argv[optind], SOCK_STREAM, &l.port);

        if (r < 0) {
                fprintf(stderr, "load: %s: %s\n", argv[optind], address_error(r));
                return 2;
        }
        l.times = calloc(MAX(l.count, 1U), sizeof(*l.times));
        l.epoll = epoll_create1(EPOLL_CLOEXEC);
        if (!l.times || l.epoll < 0)
                die("start");
        if (l.keep)
                keep(&l);
        else
                run(&l);
        close(l.epoll);
        port_done(&l.port);
        free(l.times);
        return EXIT_SUCCESS;
}
