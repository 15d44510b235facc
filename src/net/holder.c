// Finds the process that has an address: the inode from /proc/net, the process from its
// descriptors.
#include "net/holder.h"

#include "base/fd.h"
#include "base/fs.h"
#include "base/proc.h"
#include "base/str.h"
#include "base/strv.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438 // Linux 5.6; the same on all architectures
#endif

#define TABLE_MAX ((size_t)16 * 1024 * 1024)
#define PROCESSES_MAX 32768

// ---- tables of /proc/net

// Does the table's local address match the port's? The wildcard address on either side matches any.
static bool matches_inet(const char *hex, const struct port *port)
{
        const struct address *a = &port->address;
        bool is_v6 = a->addr.sa.sa_family == AF_INET6;
        unsigned number = ntohs(is_v6 ? a->addr.in6.sin6_port : a->addr.in.sin_port);
        const char *colon = strchr(hex, ':');

        return colon && strtoul(colon + 1, NULL, 16) == number;
}

// One line of /proc/net/{tcp,udp}{,6}: "sl local remote st ... uid timeout inode".
static unsigned long inode_of_inet_line(const char *line, const struct port *port)
{
        char local[80];
        unsigned state;
        unsigned long inode;

        if (sscanf(line, " %*u: %79s %*s %x %*s %*s %*s %*u %*u %lu", local, &state, &inode) != 3)
                return 0;
        if (port->type == SOCK_STREAM && state != 0x0a) // TCP_LISTEN
                return 0;
        return matches_inet(local, port) ? inode : 0;
}

// One line of /proc/net/unix: "num refs protocol flags type state inode path".
static unsigned long inode_of_unix_line(const char *line, const struct port *port)
{
        unsigned long inode;
        int end = 0;

        if (sscanf(line, "%*s %*s %*s %*s %*s %*s %lu %n", &inode, &end) != 1 || end == 0)
                return 0;
        return streq(line + end, port->text) ? inode : 0;
}

unsigned long net_holder_find_inode(const char *text, const struct port *port)
{
        bool is_unix = port->address.addr.sa.sa_family == AF_UNIX;
        CLEANUP(strv) char **lines = NULL;

        if (strv_split(text, "\n", &lines) < 0)
                return 0;
        STRV_FOREACH (line, lines) {
                unsigned long inode =
                        is_unix ? inode_of_unix_line(*line, port) : inode_of_inet_line(*line, port);

                if (inode > 0)
                        return inode;
        }
        return 0;
}

// ---- by inode

static int compare(const void *a, const void *b)
{
        const struct net_holder *x = a, *y = b;

        return x->inode < y->inode ? -1 : x->inode > y->inode;
}

// The inode of a link to a socket, "socket:[123]"; 0: it leads elsewhere.
static uint64_t inode_of_link(int dir, const char *name)
{
        char target[64], *end;
        ssize_t n = readlinkat(dir, name, target, sizeof(target) - 1);

        if (n <= 0)
                return 0;
        target[n] = '\0';
        const char *number = str_after_prefix(target, "socket:[");
        uint64_t inode = number ? strtoull(number, &end, 10) : 0;

        return inode > 0 && streq(end, "]") ? inode : 0;
}

static bool descends_from(pid_t pid, pid_t ancestor)
{
        while (pid > 0 && pid != ancestor) {
                struct proc_stat stat;

                if (proc_get_stat(pid, &stat) < 0)
                        return false;
                pid = stat.parent;
        }
        return pid > 0;
}

// Returns how many of the addresses without a known holder this process has.
static size_t look_at(const char *pid_text, struct net_holder *holders, size_t n, pid_t except)
{
        CLEANUP(free) char *folder = str_printf("/proc/%s/fd", pid_text);
        DIR *d = folder ? opendir(folder) : NULL;
        pid_t pid = (pid_t)strtol(pid_text, NULL, 10);
        size_t n_found = 0;

        if (!d)
                return 0;
        for (struct dirent *e; (e = readdir(d));) {
                const struct net_holder wanted = {.inode = inode_of_link(dirfd(d), e->d_name)};
                struct net_holder *holder =
                        wanted.inode == 0 ? NULL
                                          : bsearch(&wanted, holders, n, sizeof(*holders), compare);

                if (!holder || holder->pid > 0)
                        continue;
                if (except > 0 && descends_from(pid, except))
                        break;
                holder->pid = pid;
                holder->fd = (int)strtol(e->d_name, NULL, 10);
                n_found++;
        }
        closedir(d);
        return n_found;
}

void net_holders_find(struct net_holder *holders, size_t n, pid_t except)
{
        DIR *d = n > 0 ? opendir("/proc") : NULL;
        size_t n_found = 0;
        unsigned seen = 0;

        for (size_t i = 0; i < n; i++)
                holders[i].pid = holders[i].fd = 0;
        qsort(holders, n, sizeof(*holders), compare);
        if (!d)
                return;
        for (struct dirent *e; n_found < n && seen < PROCESSES_MAX && (e = readdir(d));) {
                if (e->d_name[0] < '1' || e->d_name[0] > '9')
                        continue;
                seen++;
                n_found += look_at(e->d_name, holders, n, except);
        }
        closedir(d);
}

// The n-th word of a line as a number; 0: it is no number.
static uint64_t number_of_word(const char *line, unsigned column)
{
        const char *p = line + strspn(line, " ");

        for (; column > 0; column--) {
                p += strcspn(p, " ");
                p += strspn(p, " ");
        }
        return strtoull(p, NULL, 10);
}

static void look_into_table(const char *path, unsigned column, struct net_holder *holders, size_t n)
{
        CLEANUP(free) char *text = NULL;

        if (fs_read_file(path, TABLE_MAX, &text, NULL) < 0)
                return;
        for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
                *end = '\0';
                const struct net_holder wanted = {.inode = number_of_word(line, column)};
                struct net_holder *holder =
                        wanted.inode == 0 ? NULL
                                          : bsearch(&wanted, holders, n, sizeof(*holders), compare);

                if (holder && holder->pid == 0)
                        holder->fd = -1;
        }
}

void net_holders_look_for_unseen(struct net_holder *holders, size_t n)
{
        static const struct {
                const char *path;
                unsigned column; // of the inode
        } tables[] = {
                {"/proc/net/tcp", 9},  {"/proc/net/tcp6", 9},    {"/proc/net/udp", 9},
                {"/proc/net/udp6", 9}, {"/proc/net/udplite", 9}, {"/proc/net/udplite6", 9},
                {"/proc/net/unix", 6}, {"/proc/net/netlink", 9},
        };
        size_t n_unknown = 0;

        for (size_t i = 0; i < n; i++)
                n_unknown += holders[i].pid == 0;
        for (size_t i = 0; n_unknown > 0 && i < ARRAY_SIZE(tables); i++)
                look_into_table(tables[i].path, tables[i].column, holders, n);
}

bool net_holder_has(const struct net_holder *holder)
{
        char path[64];

        snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)holder->pid, holder->fd);
        return inode_of_link(AT_FDCWD, path) == holder->inode;
}

int net_socket_identity(int fd, uint64_t *ret_inode, uint64_t *ret_cookie)
{
        struct stat st;
        socklen_t size = sizeof(*ret_cookie);

        if (fstat(fd, &st) < 0)
                return -errno;
        *ret_inode = st.st_ino;
        if (getsockopt(fd, SOL_SOCKET, SO_COOKIE, ret_cookie, &size) < 0)
                *ret_cookie = 0;
        return 0;
}

int net_holder_take(const struct net_holder *holder, int pidfd, uint64_t cookie)
{
        uint64_t inode, own;
        int fd = (int)syscall(SYS_pidfd_getfd, pidfd, holder->fd, 0);

        if (fd < 0)
                return -errno;
        fd = fd_move_up(fd);
        if (fd < 0)
                return fd;
        if (cookie != 0 && net_socket_identity(fd, &inode, &own) == 0 && own == cookie &&
            inode == holder->inode)
                return fd;
        fd_close(fd);
        return -ESTALE;
}

// ---- by address

static void find_process(unsigned long inode, char text[NET_HOLDER_MAX])
{
        struct net_holder holder = {.inode = inode};
        CLEANUP(free) char *comm = NULL;

        net_holders_find(&holder, 1, 0);
        if (holder.pid == 0)
                return;
        (void)proc_get_comm(holder.pid, &comm);
        snprintf(text, NET_HOLDER_MAX, "process %d (%s)", (int)holder.pid, comm ? comm : "?");
}

void net_holder_of_address(const struct port *port, char text[NET_HOLDER_MAX])
{
        static const char *const stream[] = {"/proc/net/tcp", "/proc/net/tcp6", NULL};
        static const char *const datagram[] = {"/proc/net/udp", "/proc/net/udp6", NULL};
        static const char *const unix_table[] = {"/proc/net/unix", NULL};
        const char *const *tables = port->address.addr.sa.sa_family == AF_UNIX ? unix_table
                                    : port->type == SOCK_STREAM                ? stream
                                                                               : datagram;
        unsigned long inode = 0;

        text[0] = '\0';
        for (; *tables && inode == 0; tables++) {
                CLEANUP(free) char *table = NULL;

                if (fs_read_file(*tables, TABLE_MAX, &table, NULL) == 0)
                        inode = net_holder_find_inode(table, port);
        }
        if (inode > 0)
                find_process(inode, text);
}
