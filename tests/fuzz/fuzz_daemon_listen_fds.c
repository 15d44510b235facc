// Strings up to a NUL each: LISTEN_PID (empty: our own), LISTEN_FDS, LISTEN_FDNAMES; then a byte
// for how many descriptors there are, and bytes for what each of them is, and what it may be taken
// for.
#include "daemon/listen_fds.h"

#include "base/fd.h"
#include "conf/address.h"
#include "conf/group.h"
#include "fuzz/input.h"
#include "net/adopt.h"

#include <stdio.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>

#define PASSED_MAX 6
#define NUMBERS (PASSED_MAX + 1) // the last is never passed: behind it are those of the fuzzer

static const char *const ports[] = {"127.0.0.1:0", "[::1]:0", "@usher-fuzz", "127.0.0.1:1", "@x"};
static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};

struct port_choice {
        struct port port;
        bool is_good;
};

static struct port_choice choose_port(unsigned choice)
{
        struct port_choice c = {0};
        int type = types[choice / ARRAY_SIZE(ports) % ARRAY_SIZE(types)];

        c.is_good = address_parse(ports[choice % ARRAY_SIZE(ports)], type, &c.port) == 0;
        return c;
}

// A socket of this sort, bound and, where it can, listening; or no socket at all.
static int make_fd(unsigned choice)
{
        struct port_choice c = choose_port(choice);
        int fd;

        if (!c.is_good || choice & 0x80) {
                port_done(&c.port);
                return open("/dev/null", O_RDONLY);
        }
        fd = socket(c.port.address.addr.sa.sa_family, c.port.type, 0);
        if (fd >= 0 && bind(fd, &c.port.address.addr.sa, c.port.address.size) == 0 && choice & 0x40)
                (void)!listen(fd, 1);
        port_done(&c.port);
        return fd < 0 ? open("/dev/null", O_RDONLY) : fd;
}

static bool is_open(int fd)
{
        return fcntl(fd, F_GETFD) >= 0;
}

// The numbers are the test's, also between the inputs: the fuzzer opens descriptors of its own.
__attribute__((constructor)) static void hold_numbers(void)
{
        for (int fd = SD_LISTEN_FDS_START; fd < SD_LISTEN_FDS_START + NUMBERS; fd++)
                while (!is_open(fd))
                        assert(open("/dev/null", O_RDONLY | O_CLOEXEC) >= 0);
}

static void release_numbers(void)
{
        for (int fd = SD_LISTEN_FDS_START; fd < SD_LISTEN_FDS_START + NUMBERS; fd++)
                close(fd);
}

static void pass_fds(struct input *in, unsigned n)
{
        for (unsigned i = 0; i < n; i++)
                assert(make_fd(input_byte(in)) == SD_LISTEN_FDS_START + (int)i);
}

// What fits is of the type, and has the address.
static void check_fit(int fd, unsigned choice)
{
        const struct socket_group *group = group_default(GROUP_SOCKET);
        struct port_choice c = choose_port(choice);
        struct address own = {.size = sizeof(own.addr)};
        int type = 0;
        socklen_t size = sizeof(type);

        if (c.is_good && net_adopt_fits(fd, &c.port, group)) {
                assert(getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0);
                assert(type == c.port.type && getsockname(fd, &own.addr.sa, &own.size) == 0);
                CLEANUP(free) char *text = address_format(&own, 0);

                assert(text && strcmp(text, c.port.text) == 0);
        }
        port_done(&c.port);
        group_unref(group);
}

static void set_variable(const char *name, const char *value)
{
        assert(*value ? setenv(name, value, 1) == 0 : unsetenv(name) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct input in = {data, size};
        CLEANUP(free) char *pid = input_string(&in), *n_text = input_string(&in);
        CLEANUP(free) char *names = input_string(&in), *own_pid = NULL;
        CLEANUP(free) int *fds = NULL;
        size_t n_fds = 0;
        unsigned n_passed = input_byte(&in) % (PASSED_MAX + 1);
        int lowest = lowest_fd();

        release_numbers();
        pass_fds(&in, n_passed);

        assert(asprintf(&own_pid, "%d", getpid()) > 0);
        set_variable("LISTEN_PID", *pid ? pid : own_pid);
        set_variable("LISTEN_FDS", n_text);
        set_variable("LISTEN_FDNAMES", names);
        int r = listen_fds_take(&fds, &n_fds);

        assert(r <= 0 && !getenv("LISTEN_PID") && !getenv("LISTEN_FDS"));
        assert(n_fds <= n_passed);
        for (size_t i = 0; i < n_fds; i++) {
                assert(fds[i] >= FD_LOW_WINDOW && !is_open(SD_LISTEN_FDS_START + (int)i));
                assert(fcntl(fds[i], F_GETFD) == FD_CLOEXEC);
                check_fit(fds[i], input_byte(&in));
                close(fds[i]);
        }
        release_numbers();
        hold_numbers();
        assert(lowest_fd() == lowest);
        return 0;
}
