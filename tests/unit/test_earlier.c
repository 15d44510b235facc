// The records that an earlier supervisor left, and the processes that hold a socket.
#include "core/socket/earlier.h"

#include "base/fd.h"
#include "net/holder.h"
#include "unit/net_fixture.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

struct seen {
        char text[256];
        int stops; // after so many
};

static int on_record(const struct earlier_record *r, void *data)
{
        struct seen *seen = data;
        size_t n = strlen(seen->text);

        snprintf(seen->text + n, sizeof(seen->text) - n, "%llu/%llu/%s/%s;",
                 (unsigned long long)r->inode, (unsigned long long)r->cookie, r->type, r->text);
        return --seen->stops == 0 ? -ENOMEM : 0;
}

static void test_parse(void **state)
{
        static const struct {
                const char *file, *seen;
                int result, stops;
        } rows[] = {
                {"first\n1 2 Stream 127.0.0.1:80\n", "1/2/Stream/127.0.0.1:80;", 0, 0},
                {"first\n1 2 Netlink kobject-uevent 1\n3 4 FIFO /a b\n",
                 "1/2/Netlink/kobject-uevent 1;3/4/FIFO//a b;", 0, 0},
                {"first\n1 2 Stream a\n3 4 Stream b", "1/2/Stream/a;", 0, 0}, // was being written
                {"first\n\n0 1 Stream a\nx\n1\n1 \n1 2\n1 2 \n1 2 Stream\n1 2 Stream \n1 2  a\n"
                 "-1 x Stream a\n5 0 Stream b\n",
                 "5/0/Stream/b;", 0, 0},
                {"first\n1 2 Stream a\n3 4 Stream b\n", "1/2/Stream/a;", -ENOMEM, 1},
                {"first\n", "", 0, 0},
                {"first", "", -ESTALE, 0},
                {"", "", -ESTALE, 0},
                {"other\n1 2 Stream a\n", "", -ESTALE, 0},
                {"first \n1 2 Stream a\n", "", -ESTALE, 0},
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                CLEANUP(free) char *file = strdup(rows[i].file);
                struct seen seen = {.stops = rows[i].stops};

                assert_int_equal(earlier_parse(file, "first", on_record, &seen), rows[i].result);
                assert_string_equal(seen.text, rows[i].seen);
        }
        // Nothing is known of this boot: no file is of it.
        char nothing[] = "\n1 2 Stream a\n";

        assert_int_equal(earlier_parse(nothing, "", on_record, NULL), -ESTALE);
}

// A child that has only the socket, and waits to be killed.
static pid_t start_holder(int fd)
{
        int ready[2];
        char c;

        assert_int_equal(pipe(ready), 0);
        pid_t pid = fork();

        if (pid == 0) {
                assert_int_equal(dup2(fd, 40), 40);
                if (write(ready[1], "", 1) == 1)
                        pause();
                _exit(0);
        }
        assert_int_equal(read(ready[0], &c, 1), 1);
        fd_close(ready[0]);
        fd_close(ready[1]);
        return pid;
}

static void test_holders(void **state)
{
        CLEANUP(fd) int one = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        int other = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        struct net_holder holders[3] = {{0}};
        uint64_t inode, cookie, gone, ignored;

        assert_int_equal(net_socket_identity(one, &inode, &cookie), 0);
        assert_int_equal(net_socket_identity(other, &gone, &ignored), 0);
        other = fd_close(other);
        holders[0].inode = gone;
        holders[1].inode = inode;
        holders[2].inode = UINT64_MAX;
        net_holders_find(holders, ARRAY_SIZE(holders), 0);
        for (size_t i = 0; i < ARRAY_SIZE(holders); i++)
                assert_int_equal(holders[i].pid, holders[i].inode == inode ? getpid() : 0);
        // We and our children do not count.
        pid_t child = start_holder(one);
        struct net_holder h = {.inode = inode};

        net_holders_find(&h, 1, getpid());
        assert_int_equal(h.pid, 0);
        h = (struct net_holder){.inode = inode, .pid = child, .fd = 40};
        assert_true(net_holder_has(&h));
        h.fd = 41;
        assert_false(net_holder_has(&h));
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, NULL, 0), child);
        h.fd = 40;
        assert_false(net_holder_has(&h));
}

// Also where /proc does not show who has it.
static void test_unseen(void **state)
{
        static const struct {
                int family, type;
        } rows[] = {
                {AF_INET, SOCK_STREAM},    {AF_INET6, SOCK_STREAM}, {AF_INET, SOCK_DGRAM},
                {AF_INET6, SOCK_DGRAM},    {AF_UNIX, SOCK_STREAM},  {AF_UNIX, SOCK_DGRAM},
                {AF_UNIX, SOCK_SEQPACKET},
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                int fd = socket(rows[i].family, rows[i].type | SOCK_CLOEXEC, 0);
                struct sockaddr_storage any = {.ss_family = (sa_family_t)rows[i].family};
                socklen_t size = rows[i].family == AF_UNIX    ? sizeof(sa_family_t)
                                 : rows[i].family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                                              : sizeof(struct sockaddr_in);
                struct net_holder holders[2] = {{.inode = UINT64_MAX}};
                uint64_t ignored;

                if (fd < 0)
                        continue; // no IPv6 here
                assert_int_equal(bind(fd, (struct sockaddr *)&any, size), 0);
                if (rows[i].type != SOCK_DGRAM)
                        assert_int_equal(listen(fd, 1), 0);
                assert_int_equal(net_socket_identity(fd, &holders[1].inode, &ignored), 0);
                uint64_t inode = holders[1].inode;

                for (int is_open = 1; is_open >= 0; is_open--) {
                        net_holders_find(holders, 2, getpid()); // sorts
                        net_holders_look_for_unseen(holders, 2);
                        assert_int_equal(holders[0].inode, inode);
                        assert_int_equal(holders[0].fd, is_open ? -1 : 0);
                        assert_int_equal(holders[1].fd, 0);
                        fd = fd_close(fd);
                }
        }
}

static void test_take(void **state)
{
        CLEANUP(fd) int one = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        struct net_holder h = {.pid = getpid(), .fd = one};
        uint64_t cookie, same = 0, inode = 0;
        CLEANUP(fd) int pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);

        assert_int_equal(net_socket_identity(one, &h.inode, &cookie), 0);
        int fd = pidfd < 0 ? -ENOSYS : net_holder_take(&h, pidfd, cookie);

        // Valgrind and old kernels do not know what it takes.
        if (fd == -ENOSYS || fd == -EPERM || cookie == 0)
                return;
        assert_true(fd >= FD_LOW_WINDOW);
        assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        assert_int_equal(net_socket_identity(fd, &inode, &same), 0);
        assert_true(inode == h.inode && same == cookie);
        fd_close(fd);
        assert_int_equal(net_holder_take(&h, pidfd, cookie + 1), -ESTALE);
        h.inode++;
        assert_int_equal(net_holder_take(&h, pidfd, cookie), -ESTALE);
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_holders),
        cmocka_unit_test(test_unseen),
        cmocka_unit_test(test_take),
};
HARNESS_MAIN(tests)
