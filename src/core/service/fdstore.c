#include "core/service/fdstore.h"

#include "base/fd.h"
#include "base/nowait.h"
#include "base/str.h"

#include <linux/kcmp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>

void fdstore_init(struct fdstore *s)
{
        list_init(&s->entries);
        s->n = 0;
}

bool fdstore_name_is_valid(const char *name)
{
        size_t n = strlen(name);

        if (n == 0 || n > FDSTORE_NAME_MAX)
                return false;
        for (const char *p = name; *p; p++)
                if (*p < ' ' || *p >= 127 || *p == ':')
                        return false;
        return true;
}

static void entry_free(struct fdstore_entry *entry)
{
        watch_remove(entry->events, &entry->watch);
        (void)nowait_close_file(entry->watch.fd);
        list_remove(&entry->node);
        entry->store->n--;
        free(entry->name);
        free(entry);
}

// The peer hung up: the descriptor is useless now.
static void on_hangup(struct watch *w, uint32_t revents UNUSED)
{
        entry_free(CONTAINER_OF(w, struct fdstore_entry, watch));
}

static bool is_socket(int fd)
{
        int type;
        socklen_t size = sizeof(type);

        return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0;
}

// Do both refer to one open file? If kcmp(2) is not allowed, every descriptor counts as new, except
// one with the same device and inode of a file type without an offset.
static bool is_same_file(int a, int b)
{
        pid_t self = getpid();
        long r = syscall(SYS_kcmp, self, self, KCMP_FILE, a, b);
        dev_t dev_a, dev_b;
        ino_t ino_a, ino_b;

        if (r >= 0)
                return r == 0;
        return is_socket(a) && fd_get_node(a, &dev_a, &ino_a) == 0 &&
               fd_get_node(b, &dev_b, &ino_b) == 0 && dev_a == dev_b && ino_a == ino_b;
}

int fdstore_add(struct fdstore *s, struct events *e, int fd, const char *name, bool poll,
                size_t max)
{
        CLEANUP(nowait_file) int own = nowait_move_up(fd);

        if (own < 0)
                return own;
        if (!fdstore_name_is_valid(name))
                return -EINVAL;
        LIST_FOREACH (&s->entries, node)
                if (is_same_file(CONTAINER_OF(node, struct fdstore_entry, node)->watch.fd, own))
                        return 0;
        if (s->n >= max)
                return -E2BIG;
        struct fdstore_entry *entry = calloc(1, sizeof(*entry));

        if (!entry || !(entry->name = strdup(name))) {
                free(entry);
                return -ENOMEM;
        }
        entry->store = s;
        entry->events = e;
        entry->watch = (struct watch){.fd = TAKE_FD(own), .on_event = on_hangup};
        list_append(&s->entries, &entry->node);
        s->n++;
        // EPOLLHUP and EPOLLERR are always reported; files that cannot be polled never hang up.
        // A file system that may not answer would be asked whether the file can be polled.
        if (poll && !nowait_is_file(entry->watch.fd))
                (void)watch_set(e, &entry->watch, EPOLLET);
        return 1;
}

size_t fdstore_remove(struct fdstore *s, const char *name)
{
        size_t n = 0;

        LIST_FOREACH (&s->entries, node) {
                struct fdstore_entry *entry = CONTAINER_OF(node, struct fdstore_entry, node);

                if (streq(entry->name, name)) {
                        entry_free(entry);
                        n++;
                }
        }
        return n;
}

void fdstore_clear(struct fdstore *s)
{
        LIST_FOREACH (&s->entries, node)
                entry_free(CONTAINER_OF(node, struct fdstore_entry, node));
}
