// The file in the runtime folder that tells the next supervisor which sockets were listened on.
#include "base/fd.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/str.h"
#include "conf/address.h"
#include "core/socket/earlier_priv.h"
#include "core/socket/sock.h"
#include "net/node.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define FILE_MAX ((size_t)16 * 1024 * 1024)
#define SLACK 1000 // number of obsolete lines before the file is rewritten

// ---- reading

char *earlier_make_first_line(void)
{
        CLEANUP(free) char *boot = NULL, *net = NULL;

        if (fs_read_file("/proc/sys/kernel/random/boot_id", 64, &boot, NULL) < 0 ||
            fs_readlink("/proc/self/ns/net", &net) < 0)
                return strdup("");
        boot[strcspn(boot, "\n")] = '\0';
        return str_printf("usher listeners 1 %s %s", boot, net);
}

// inode, cookie, type, text: the fields of a line
static bool parse_line(char *line, struct earlier_record *ret)
{
        char *end;

        ret->inode = strtoull(line, &end, 10);
        if (ret->inode == 0 || *end != ' ')
                return false;
        ret->cookie = strtoull(end + 1, &end, 10);
        char *type = *end == ' ' ? end + 1 : NULL, *text = type ? strchr(type, ' ') : NULL;

        if (!text)
                return false;
        *text++ = '\0';
        ret->type = type;
        ret->text = text;
        return *type && *text;
}

int earlier_parse(char *text, const char *first_line,
                  int (*cb)(const struct earlier_record *record, void *data), void *data)
{
        char *next = strchr(text, '\n');
        int r = 0;

        if (!next || !first_line[0])
                return -ESTALE;
        *next++ = '\0';
        if (!streq(text, first_line))
                return -ESTALE;
        while (r == 0 && *next) {
                struct earlier_record record;
                char *line = next, *end = strchr(line, '\n');

                if (!end)
                        break; // the writer was interrupted
                *end = '\0';
                next = end + 1;
                if (parse_line(line, &record))
                        r = cb(&record, data);
        }
        return r;
}

// Only a file that no other user can have written.
int earlier_read(const struct earlier *e, char **ret)
{
        CLEANUP(fd)
        int fd = fs_open(e->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0, NULL);
        struct stat st;

        if (fd < 0)
                return fd;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH)) ||
            st.st_nlink != 1)
                return -EPERM;
        return fs_read_fd(fd, FILE_MAX, ret, NULL);
}

// ---- writing

static void put_line(struct buf *text, uint64_t inode, uint64_t cookie, const char *port)
{
        buf_printf(text, "%llu %llu %s\n", (unsigned long long)inode, (unsigned long long)cookie,
                   port);
}

static bool put_port(struct buf *text, const struct port *port, int fd)
{
        CLEANUP(free) char *name = str_printf("%s %s", port_type_name(port), port->text);
        uint64_t inode, cookie;
        struct net_node node;

        if (!name || strchr(name, '\n'))
                return false;
        if (port->kind == PORT_FIFO && fd_get_node(fd, &node.dev, &node.ino) == 0)
                put_line(text, node.ino, node.dev, name);
        else if ((port->kind == PORT_SOCKET || port->kind == PORT_NETLINK) &&
                 net_socket_identity(fd, &inode, &cookie) == 0)
                put_line(text, inode, cookie, name);
        else
                return false;
        return true;
}

static void put_all(struct earlier *e, struct buf *text)
{
        e->n_lines = 0;
        buf_puts(text, e->first_line);
        buf_putc(text, '\n');
        size_t position = 0;

        for (const struct held *h; (h = earlier_next(e, &position)); e->n_lines++)
                put_line(text, h->holder.inode, h->cookie, h->port);
        LIST_FOREACH (&e->manager->by_type[UNIT_SOCKET], node) {
                const struct sock *s =
                        CONTAINER_OF(CONTAINER_OF(node, struct unit, type_node), struct sock, unit);

                for (size_t i = 0; i < s->n_listeners; i++)
                        if (s->listeners[i].watch.fd >= 0 && !s->listeners[i].is_adopted)
                                e->n_lines += put_port(text, s->listeners[i].port,
                                                       s->listeners[i].watch.fd);
        }
        e->n_lines_fresh = e->n_lines;
}

static int write_anew(struct earlier *e)
{
        CLEANUP(buf) struct buf text = BUF_NULL;

        e->fd = fd_close(e->fd);
        put_all(e, &text);
        int r = text.error < 0 ? text.error : fs_write_file_atomic(e->path, buf_text(&text), 0600);

        if (r < 0)
                return r;
        e->fd = fs_open(e->path, O_WRONLY | O_APPEND | O_NOFOLLOW, 0, NULL);
        e->fd = e->fd < 0 ? e->fd : fd_move_up(e->fd);
        return MIN(e->fd, 0);
}

void earlier_flush(struct earlier *e)
{
        if (!e || (e->pending.size == 0 && e->pending.error == 0))
                return;
        bool is_due =
                e->fd < 0 || e->pending.error < 0 || e->n_lines > 2 * e->n_lines_fresh + SLACK;
        int r = is_due ? write_anew(e)
                       : fd_write_all(e->fd, buf_text(&e->pending), e->pending.size);

        buf_done(&e->pending);
        work_cancel(&e->flush_work);
        if (r == 0)
                return;
        e->fd = fd_close(e->fd); // the whole file is written next time
        log_write(e->is_failure_told ? LOG_DEBUG : LOG_WARNING,
                  "%s: %s. After a sudden end, sockets that services hold could not be listened on "
                  "again.",
                  e->path, strerror(-r));
        e->is_failure_told = true;
}

static void on_flush(struct work *w)
{
        earlier_flush(CONTAINER_OF(w, struct earlier, flush_work));
}

void earlier_note(struct earlier *e, const struct port *port, int fd)
{
        if (!e)
                return;
        if (e->fd < 0 && e->pending.size > 0)
                return; // the whole file is due, in which the port will be
        if (!put_port(&e->pending, port, fd))
                return;
        e->n_lines++;
        work_queue(e->manager->events, WORK_NOTIFY, &e->flush_work, on_flush);
}

void earlier_close(struct earlier *e)
{
        siginfo_t info = {0};
        bool has_children = waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;

        if (e->fd >= 0 && !has_children && map_size(e->by_port) == 0)
                (void)fs_unlink(e->path, NULL);
        work_cancel(&e->flush_work);
        buf_done(&e->pending);
        e->fd = fd_close(e->fd);
}
