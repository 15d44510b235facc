// Who holds an address: the inode by /proc/net, the process by its descriptors. Best effort: what
// another user runs is not shown to everybody.
#include "net/listen_priv.h"

#include "base/fs.h"
#include "base/proc.h"
#include "base/str.h"
#include "base/strv.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

#define TABLE_MAX ((size_t)16 * 1024 * 1024)
#define PROCESSES_MAX 32768

// Does the table's local address cover the one that was asked for? Any address of either side does.
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

unsigned long listen_find_inode(const char *text, const struct port *port)
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

static bool has_descriptor(const char *pid, const char *wanted)
{
        CLEANUP(free) char *folder = str_printf("/proc/%s/fd", pid);
        DIR *d = folder ? opendir(folder) : NULL;
        bool found = false;

        if (!d)
                return false;
        for (struct dirent *e; !found && (e = readdir(d));) {
                char target[64];
                ssize_t n = readlinkat(dirfd(d), e->d_name, target, sizeof(target) - 1);

                if (n < 0)
                        continue;
                target[n] = '\0';
                found = streq(target, wanted);
        }
        closedir(d);
        return found;
}

static void find_process(unsigned long inode, char text[LISTEN_HOLDER_MAX])
{
        CLEANUP(free) char *wanted = str_printf("socket:[%lu]", inode);
        DIR *d = wanted ? opendir("/proc") : NULL;
        unsigned n = 0;

        if (!d)
                return;
        for (struct dirent *e; n < PROCESSES_MAX && (e = readdir(d));) {
                CLEANUP(free) char *comm = NULL;

                if (e->d_name[0] < '1' || e->d_name[0] > '9')
                        continue;
                n++;
                if (!has_descriptor(e->d_name, wanted))
                        continue;
                pid_t pid = (pid_t)strtol(e->d_name, NULL, 10);

                (void)proc_get_comm(pid, &comm);
                snprintf(text, LISTEN_HOLDER_MAX, "process %d (%s)", (int)pid, comm ? comm : "?");
                break;
        }
        closedir(d);
}

void listen_find_holder(const struct port *port, char text[LISTEN_HOLDER_MAX])
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
                        inode = listen_find_inode(table, port);
        }
        if (inode > 0)
                find_process(inode, text);
}
