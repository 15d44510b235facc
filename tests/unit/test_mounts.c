// Which mounts always answer, according to the kernel's table of mounts.
#include "base/mounts.h"

#include "base/str.h"
#include "unit/harness.h"

#define ROOT "20 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"

static const struct {
        const char *what, *table;
        uint64_t id;
        int answers;
        const char *type;
} by_id[] = {
        {"a local disk", ROOT "21 20 8:2 / /srv rw - xfs /dev/sdb rw\n", 21, 1, NULL},
        {"the root, whatever it is", "20 1 0:5 / / rw - nfs4 server:/root rw\n", 20, 1, NULL},
        {"a server", ROOT "21 20 0:9 / /srv rw - nfs4 server:/x rw,vers=4.2\n", 21, 0, "nfs4"},
        {"a process", ROOT "21 20 0:9 / /srv rw - fuse.sshfs a@b: rw\n", 21, 0, "fuse.sshfs"},
        {"a disk served by a process", ROOT "21 20 8:9 / /srv rw - fuseblk /dev/sdc rw\n", 21, 0,
         "fuseblk"},
        {"one that is not in the table", ROOT, 4000000000, 0, ""},
        {"tags before the dash", ROOT "21 20 0:9 / /a rw shared:1 master:2 - cifs //a/b rw\n", 21,
         0, "cifs"},
        {"lines that are none",
         ROOT "21\n\n22 20 0:9 / /a rw\n23 20 0:9 - tmpfs\nx 1 2 3 4 - ext4\n", 21, 0, ""},
        {"an overlay of local layers",
         ROOT "21 20 0:9 / /m rw - overlay o "
              "rw,lowerdir=/a:/b,upperdir=/c,workdir=/d\n",
         21, 1, NULL},
        {"a lower layer from a server",
         ROOT "30 20 0:8 / /b rw - nfs s:/b rw\n"
              "21 20 0:9 / /m rw - overlay o "
              "rw,lowerdir=/a:/b/c,upperdir=/c,workdir=/d\n",
         21, 0, "overlay"},
        {"an upper layer of a process",
         ROOT "30 20 0:8 / /c rw - fuse s rw\n"
              "21 20 0:9 / /m rw - overlay o "
              "rw,lowerdir=/a:/b,upperdir=/c,workdir=/c/w\n",
         21, 0, "overlay"},
        {"layers one by one",
         ROOT "30 20 0:8 / /c rw - fuse s rw\n"
              "21 20 0:9 / /m rw - overlay o rw,lowerdir+=/a,lowerdir+=/c/x\n",
         21, 0, "overlay"},
        {"a layer of no known place", ROOT "21 20 0:9 / /m rw - overlay o rw,lowerdir=l/A:l/B\n",
         21, 0, "overlay"},
        {"an overlay as root, its layers out of sight",
         "20 1 0:9 / / rw - overlay o rw,lowerdir=l/A\n", 20, 1, NULL},
};

static void test_by_id(void **state UNUSED)
{
        for (size_t i = 0; i < ARRAY_SIZE(by_id); i++) {
                struct mount_remote remote;

                assert_int_equal(mounts_set_table(by_id[i].table), 0);
                if (mounts_answers(by_id[i].id, &remote) != by_id[i].answers)
                        fail_msg("%s", by_id[i].what);
                if (!by_id[i].answers)
                        assert_string_equal(remote.type, by_id[i].type);
        }
        mounts_done();
}

static const struct {
        const char *what, *table, *path;
        uint64_t remote; // 0: none
} by_point[] = {
        {"the point itself", ROOT "21 20 0:9 / /srv rw - nfs s:/ rw\n", "/srv", 21},
        {"what is below is somebody else's question", ROOT "21 20 0:9 / /srv rw - nfs s:/ rw\n",
         "/srv/x", 0},
        {"a local mount on top of it",
         ROOT "21 20 0:9 / /srv rw - autofs a rw\n"
              "22 21 8:9 / /srv rw - ext4 /dev/sdb rw\n",
         "/srv", 0},
        {"a remote one on top, with a lower id",
         ROOT "22 20 0:9 / /srv rw - tmpfs t rw\n"
              "21 22 8:9 / /srv rw - nfs s:/ rw\n",
         "/srv", 21},
        {"one of two places with the same path",
         ROOT "21 20 0:9 / /a/b rw - nfs s:/ rw\n"
              "22 20 8:9 / /a rw - ext4 /dev/sdb rw\n"
              "23 22 8:9 / /a/b rw - ext4 /dev/sdc rw\n",
         "/a/b", 21},
        {"escapes", ROOT "21 20 0:9 / /a\\040b\\134c rw - nfs s:/ rw\n", "/a b\\c", 21},
};

static void test_by_point(void **state UNUSED)
{
        for (size_t i = 0; i < ARRAY_SIZE(by_point); i++) {
                struct mount_remote remote = {0};

                assert_int_equal(mounts_set_table(by_point[i].table), 0);
                if (mounts_is_remote_point(by_point[i].path, &remote) !=
                            (by_point[i].remote != 0) ||
                    remote.id != by_point[i].remote)
                        fail_msg("%s", by_point[i].what);
        }
        mounts_done();
}

// The kernel's own: / is there, and a table that does not change is read once.
static void test_of_the_kernel(void **state UNUSED)
{
        struct mount_remote remote;

        assert_int_equal(mounts_answers(UINT64_MAX, &remote), 0);
        assert_false(mounts_is_remote_point("/", &remote));
        assert_int_equal(remote.id, 0);
        mounts_done();
}

static int set_table(void *arg UNUSED)
{
        int r = mounts_set_table(by_id[9].table);

        mounts_done();
        return r;
}

static void test_oom(void **state UNUSED)
{
        oom_prove(set_table, NULL);
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_id),
        cmocka_unit_test(test_by_point),
        cmocka_unit_test(test_of_the_kernel),
        cmocka_unit_test(test_oom),
};
HARNESS_MAIN(tests)
