// Strings up to a NUL each: a user, a group, passwd, group, nsswitch.conf; the rest is what the
// name services answered.
#include "spawn/ids_lookup.h"

#include "base/str.h"
#include "fuzz/input.h"

#include <stdio.h>
#include <sys/mman.h>

// A file that has a path, without a file system.
struct file {
        int fd;
        char path[32];
};
static struct file passwd, group, nsswitch;

static void file_put(struct file *f, const char *text)
{
        if (!f->path[0]) {
                f->fd = memfd_create("fuzz", MFD_CLOEXEC);
                assert(f->fd >= 0);
                snprintf(f->path, sizeof(f->path), "/proc/self/fd/%d", f->fd);
        }
        size_t size = strlen(text);

        assert(ftruncate(f->fd, 0) == 0 && pwrite(f->fd, text, size, 0) == (ssize_t)size);
}

static void check_user(const char *name, struct ids_lookup *lookup)
{
        CLEANUP(ids_user) struct ids_user user = {.uid = (uid_t)-1, .gid = (gid_t)-1};
        CLEANUP(free) gid_t *gids = NULL;
        size_t n = 0;
        int r = ids_get_user(name, lookup, &user);

        assert(r <= 0 || !lookup);
        if (r != IDS_FOUND)
                return;
        // To set -1 changes nothing: it must never come out.
        assert(user.uid != (uid_t)-1 && user.gid != (gid_t)-1 && user.name);
        assert(!user.home || user.home[0] == '/');
        assert(!user.shell || user.shell[0] == '/');
        r = ids_get_groups(user.name, user.gid, lookup, &gids, &n);
        assert(r <= 0 || !lookup);
        if (r != IDS_FOUND)
                return;
        assert(n >= 1 && n <= IDS_GROUPS_MAX && gids[0] == user.gid);
        for (size_t i = 0; i < n; i++)
                for (size_t k = 0; k < i; k++)
                        assert(gids[i] != (gid_t)-1 && gids[i] != gids[k]);
}

static void check_group(const char *name, struct ids_lookup *lookup)
{
        gid_t gid = (gid_t)-1;
        int r = ids_get_group(name, lookup, &gid);

        assert(r != IDS_NEEDS_LOOKUP || !lookup);
        assert((r == IDS_FOUND) == (gid != (gid_t)-1));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct input in = {data, size};
        CLEANUP(free) char *user = input_string(&in), *group_name = input_string(&in);
        CLEANUP(free) char *users = input_string(&in), *groups = input_string(&in);
        CLEANUP(free) char *services = input_string(&in);
        size_t answer_size;
        CLEANUP(free) char *answer = input_rest(&in, &answer_size);
        CLEANUP(ids_lookup) struct ids_lookup *lookup = NULL;
        char *asked[] = {group_name, NULL};

        file_put(&passwd, users);
        file_put(&group, groups);
        file_put(&nsswitch, services);
        ids_set_files(passwd.path, group.path, nsswitch.path);
        int lowest = lowest_fd();

        assert(ids_lookup_new_answered(user, asked, answer, answer_size, &lookup) == 0);
        check_user(user, NULL);
        check_group(group_name, NULL);
        check_user(user, lookup);
        check_group(group_name, lookup);
        assert(lowest_fd() == lowest);
        return 0;
}
