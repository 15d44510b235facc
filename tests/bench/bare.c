// What the kernel itself asks for: loops that accept, start a program and reap it, and do nothing
// else. Every server is measured beside them: bare METHOD [OPTION...] ADDRESS PROGRAM
//   vfork, fork   accept, start with that call, reap by waitpid(-1) when the next connection comes
//   clone         clone(CLONE_VM) on a stack of its own: goes on without waiting for the exec
//   pidfd         as clone; listener and a pidfd of each child in one epoll, which reaps by pid
//   activate      waits for the listener, starts PROGRAM with it as descriptor 3, waits for its end
//   start         reads every file below the folder ADDRESS and binds PROGRAM (a number) sockets
// Options: -i COUNT  more listening sockets, which nobody asks     -k COUNT  children that stay: of
//   -p PROGRAM, with a pipe that never ends as standard input
#include "base/str.h"
#include "conf/address.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define SLOTS 512
#define SLOT_SIZE 16384
#define PIDS 65536 // places of the table from pid to slot
#define IDLE_PORT 7999

struct bare {
        const char *program;
        int listener;
        unsigned idle, stay;
        const char *stay_program;
};

// The arguments of a child with its own stack.
struct launch {
        char *stack;
        int fd;
        const char *program;
};

static struct launch slots[SLOTS];
static uint16_t free_slots[SLOTS], slot_of_pid[PIDS];
static unsigned n_free;

static void die(const char *what)
{
        fprintf(stderr, "bare: %s: %s\n", what, strerror(errno));
        exit(EXIT_FAILURE);
}

static int listen_at(const char *text)
{
        struct port port = {0};
        int one = 1, r = address_parse(text, SOCK_STREAM, &port);

        if (r < 0) {
                fprintf(stderr, "bare: %s: %s\n", text, address_error(r));
                exit(EXIT_FAILURE);
        }
        int fd = socket(port.address.addr.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
            bind(fd, &port.address.addr.sa, port.address.size) < 0 || listen(fd, SOMAXCONN) < 0)
                die(text);
        port_done(&port);
        return fd;
}

static void open_idle(unsigned n)
{
        for (unsigned i = 0; i < n; i++) {
                char address[64];

                snprintf(address, sizeof(address), "127.2.%u.%u:%d", i / 250, i % 250, IDLE_PORT);
                listen_at(address);
        }
}

static __attribute__((noreturn)) void exec_on(int fd, const char *program)
{
        char *argv[] = {(char *)program, NULL}, *envp[] = {NULL};

        if (dup2(fd, 0) >= 0 && dup2(fd, 1) >= 0)
                execve(program, argv, envp);
        _exit(127);
}

static void keep_children(const struct bare *b)
{
        int ends[2];

        if (b->stay == 0)
                return;
        if (pipe2(ends, O_CLOEXEC) < 0)
                die("pipe");
        for (unsigned i = 0; i < b->stay; i++) {
                pid_t pid = vfork();

                if (pid < 0)
                        die("vfork");
                if (pid == 0)
                        exec_on(ends[0], b->stay_program);
        }
}

// ---- one call, then wait(2)

static void serve_fork(const struct bare *b, bool use_vfork)
{
        for (;;) {
                int fd = accept4(b->listener, NULL, NULL, SOCK_CLOEXEC);

                if (fd < 0)
                        continue;
                pid_t pid = use_vfork ? vfork() : fork();

                if (pid == 0)
                        exec_on(fd, b->program);
                close(fd);
                while (waitpid(-1, NULL, WNOHANG) > 0)
                        ;
        }
}

// ---- stacks of their own

static int child_main(void *data)
{
        struct launch *l = data;

        exec_on(l->fd, l->program);
}

static void make_slots(const char *program)
{
        for (unsigned i = 0; i < SLOTS; i++) {
                slots[i] = (struct launch){.stack = malloc(SLOT_SIZE), .program = program};
                if (!slots[i].stack)
                        die("stacks");
                free_slots[n_free++] = (uint16_t)i;
        }
}

static pid_t launch(int fd, int flags, int *pidfd)
{
        unsigned i = free_slots[--n_free];
        struct launch *l = &slots[i];

        l->fd = fd;
        pid_t pid = clone(child_main, l->stack + SLOT_SIZE, CLONE_VM | flags | SIGCHLD, l, pidfd);

        if (pid < 0)
                die("clone");
        slot_of_pid[(unsigned)pid % PIDS] = (uint16_t)i;
        return pid;
}

static void give_back(pid_t pid)
{
        free_slots[n_free++] = slot_of_pid[(unsigned)pid % PIDS];
}

static void serve_clone(const struct bare *b)
{
        for (;;) {
                int fd = accept4(b->listener, NULL, NULL, SOCK_CLOEXEC);
                pid_t pid;

                if (fd < 0)
                        continue;
                launch(fd, 0, NULL);
                close(fd);
                while ((pid = waitpid(-1, NULL, n_free == 0 ? 0 : WNOHANG)) > 0)
                        give_back(pid);
        }
}

static void serve_pidfd(const struct bare *b)
{
        struct epoll_event events[64];
        struct epoll_event event = {.events = EPOLLIN, .data.u64 = 0};

        int epoll = epoll_create1(EPOLL_CLOEXEC);

        if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, b->listener, &event) < 0)
                die("epoll");
        for (;;) {
                int n = epoll_wait(epoll, events, ARRAY_SIZE(events), -1);

                for (int i = 0; i < n; i++) {
                        siginfo_t info = {0};
                        int pidfd = (int)events[i].data.u64;

                        if (pidfd > 0) {
                                waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED);
                                give_back(info.si_pid);
                                // A child that has not come to its exec has a copy of it, which
                                // would go on to tell.
                                epoll_ctl(epoll, EPOLL_CTL_DEL, pidfd, NULL);
                                close(pidfd);
                                continue;
                        }
                        int fd = n_free > 0 ? accept4(b->listener, NULL, NULL, SOCK_CLOEXEC) : -1;

                        if (fd < 0)
                                continue;
                        launch(fd, CLONE_PIDFD, &pidfd);
                        close(fd);
                        event.data.u64 = (uint64_t)pidfd;
                        if (epoll_ctl(epoll, EPOLL_CTL_ADD, pidfd, &event) < 0)
                                die("pidfd");
                }
        }
}

// ---- one service for all

static void serve_activate(const struct bare *b)
{
        struct epoll_event event = {.events = EPOLLIN};
        char *argv[] = {(char *)b->program, NULL}, *envp[] = {NULL};
        int epoll = epoll_create1(EPOLL_CLOEXEC);

        if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, b->listener, &event) < 0)
                die("epoll");
        for (;;) {
                if (epoll_wait(epoll, &event, 1, -1) != 1)
                        continue;
                pid_t pid = vfork();

                if (pid == 0) {
                        if (b->listener == 3 ? fcntl(3, F_SETFD, 0) == 0
                                             : dup2(b->listener, 3) == 3)
                                execve(b->program, argv, envp);
                        _exit(127);
                }
                waitpid(pid, NULL, 0);
        }
}

// ---- the least that a start costs

static void read_all(const char *dir)
{
        DIR *d = opendir(dir);
        struct dirent *e;
        char text[4096];

        if (!d)
                die(dir);
        while ((e = readdir(d))) {
                int fd = openat(dirfd(d), e->d_name, O_RDONLY | O_CLOEXEC);

                if (fd < 0)
                        continue;
                while (read(fd, text, sizeof(text)) > 0)
                        ;
                close(fd);
        }
        closedir(d);
}

int main(int argc, char **argv)
{
        struct bare b = {0};
        const char *method = argc > 1 ? argv[1] : "";
        struct rlimit limit;
        int c;

        optind = 2;
        while ((c = getopt(argc, argv, "i:k:p:")) != -1)
                switch (c) {
                case 'i':
                        b.idle = (unsigned)atoi(optarg);
                        break;
                case 'k':
                        b.stay = (unsigned)atoi(optarg);
                        break;
                case 'p':
                        b.stay_program = optarg;
                        break;
                default:
                        return 2;
                }
        if (optind + 2 != argc)
                return 2;
        if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
                limit.rlim_cur = limit.rlim_max;
                setrlimit(RLIMIT_NOFILE, &limit);
        }
        if (streq(method, "start")) {
                read_all(argv[optind]);
                open_idle((unsigned)atoi(argv[optind + 1]));
                return EXIT_SUCCESS;
        }
        b.listener = listen_at(argv[optind]);
        b.program = argv[optind + 1];
        make_slots(b.program);
        open_idle(b.idle);
        keep_children(&b);
        if (streq(method, "vfork") || streq(method, "fork"))
                serve_fork(&b, streq(method, "vfork"));
        else if (streq(method, "clone"))
                serve_clone(&b);
        else if (streq(method, "pidfd"))
                serve_pidfd(&b);
        else if (streq(method, "activate"))
                serve_activate(&b);
        return 2;
}
