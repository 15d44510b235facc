// The whole input is /proc/self/mountinfo; and, line by line, a uid_map.
#include "base/mounts.h"

#include "base/owner.h"
#include "base/str.h"
#include "base/strv.h"
#include "fuzz/input.h"

#include <fcntl.h>
#include <sys/stat.h>

#define IDS_MAX 64

// The type that some line with this id gives.
static bool has_type(char *const *lines, uint64_t id, const char *type)
{
        STRV_FOREACH (line, lines) {
                const char *tail = strstr(*line, " - ");

                if (!tail || strtoull(*line, NULL, 10) != id)
                        continue;
                tail += strlen(" - ") + strspn(tail + strlen(" - "), " ");
                if (strncmp(tail, type, strlen(type)) == 0)
                        return true;
        }
        return false;
}

// What the root folder is on answers, also where the table lacks it.
static bool is_of_root(uint64_t id)
{
        struct statx root;

        assert(statx(AT_FDCWD, "/", AT_STATX_DONT_SYNC, STATX_MNT_ID, &root) == 0);
        return (root.stx_mask & STATX_MNT_ID) && root.stx_mnt_id == id;
}

static void check_id(char *const *lines, uint64_t id)
{
        struct mount_remote remote = {.id = 1};
        int r = mounts_answers(id, &remote);

        assert(r == 0 || r == 1);
        if (r == 1) { // it is there
                assert(has_type(lines, id, "") || is_of_root(id));
                return;
        }
        assert(memchr(remote.type, '\0', sizeof(remote.type)));
        assert(remote.id == id || (remote.id == 0 && !remote.type[0]));
        assert(remote.id == 0 || has_type(lines, id, remote.type));
}

static void check_points(char *const *lines)
{
        STRV_FOREACH (line, lines) {
                CLEANUP(strv) char **fields = NULL;
                struct mount_remote remote;

                assert(strv_split(*line, " ", &fields) == 0);
                if (strv_length(fields) > 4 && mounts_is_remote_point(fields[4], &remote))
                        assert(mounts_has_remote() && memchr(remote.type, '\0', MOUNT_TYPE_MAX));
        }
        assert(!mounts_is_remote_point("/", &(struct mount_remote){0}));
}

// Whatever stands in front, a line that has all ids has them.
static void check_map(const char *map)
{
        CLEANUP(free) char *whole = str_printf("0 0 4294967295\n%s", map);

        (void)owner_map_has(map, 0);
        assert(whole && owner_map_has(whole, 12345));
        assert(!owner_map_has("", 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct input in = {data, size};
        CLEANUP(free) char *text = input_string(&in);
        CLEANUP(strv) char **lines = NULL;

        assert(mounts_set_table(text) == 0);
        assert(strv_split(text, "\n", &lines) == 0);
        for (uint64_t id = 0; id < IDS_MAX; id++)
                check_id(lines, id);
        check_id(lines, UINT64_MAX);
        check_points(lines);
        check_map(text);
        return 0;
}
