// Which users' unit files the system supervisor accepts. Owners and mounts are faked, so the test
// needs no root.
#include "conf/trust.h"

#include "base/fd.h"
#include "base/strv.h"
#include "conf/cfgfile.h"
#include "conf/install.h"
#include "conf/lint.h"
#include "unit/conf_fixture.h"

#include <fcntl.h>
#include <sys/statvfs.h>

#define ALICE 1000u
#define ROOT 0u

// ---- what the kernel says

// Owners and modes of paths below the test's folder; everything else is root's and 0755, 0644.
static struct fake {
        const char *path;
        unsigned owner, mode; // mode 0: as it is
} fakes[8];
static size_t n_fakes;
static bool is_read_only;
static uid_t euid;

static void fake(const char *path, unsigned owner, unsigned mode)
{
        fakes[n_fakes++] = (struct fake){path, owner, mode};
}

int __real_fstat(int fd, struct stat *st);
int __real_stat(const char *path, struct stat *st);
int __real_fstatat(int dir, const char *path, struct stat *st, int flags);
int __real_fstatvfs(int fd, struct statvfs *st);
int __wrap_fstat(int fd, struct stat *st);
int __wrap_stat(const char *path, struct stat *st);
int __wrap_fstatat(int dir, const char *path, struct stat *st, int flags);
int __wrap_fstatvfs(int fd, struct statvfs *st);
uid_t __wrap_geteuid(void);

static int disguise(int r, struct stat *st)
{
        if (r < 0)
                return r;
        st->st_uid = st->st_gid = 0;
        for (size_t i = 0; i < n_fakes; i++) {
                struct stat real;
                char path[256]; // not at(): its paths are in use

                snprintf(path, sizeof(path), "%s/%s", top, fakes[i].path);
                if (__real_fstatat(AT_FDCWD, path, &real, AT_SYMLINK_NOFOLLOW) < 0 ||
                    real.st_ino != st->st_ino || real.st_dev != st->st_dev)
                        continue;
                st->st_uid = fakes[i].owner;
                if (fakes[i].mode)
                        st->st_mode = (st->st_mode & S_IFMT) | fakes[i].mode;
        }
        return 0;
}

int __wrap_fstat(int fd, struct stat *st)
{
        return disguise(__real_fstat(fd, st), st);
}

int __wrap_stat(const char *path, struct stat *st)
{
        return disguise(__real_stat(path, st), st);
}

int __wrap_fstatat(int dir, const char *path, struct stat *st, int flags)
{
        return disguise(__real_fstatat(dir, path, st, flags), st);
}

int __wrap_fstatvfs(int fd, struct statvfs *st)
{
        int r = __real_fstatvfs(fd, st);

        if (is_read_only)
                st->f_flag |= ST_RDONLY;
        return r;
}

uid_t __wrap_geteuid(void)
{
        return euid;
}

static int setup(void **state)
{
        n_fakes = 0;
        is_read_only = false;
        euid = 0;
        return setup_top(state);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown_top)

// ---- one file or folder

static void test_check(void **state)
{
        static const struct {
                const char *path;
                unsigned owner, mode;
                uid_t also;
                bool is_read_only, is_user;
                const char *fault; // NULL: none
        } cases[] = {
                {"f", ROOT, 0644, FS_NOBODY, false, false, NULL},
                {"f", ROOT, 0600, FS_NOBODY, false, false, NULL},
                {"f", ROOT, 0755, FS_NOBODY, false, false, NULL},
                {"f", ALICE, 0644, FS_NOBODY, false, false, "user 1000 owns it (chown root)"},
                {"f", ALICE, 0444, FS_NOBODY, true, false, "user 1000 owns it (chown root)"},
                {"f", ALICE, 0644, ALICE, false, false, NULL},
                {"f", ALICE, 0644, 1001, false, false, "user 1000 owns it (chown root)"},
                {"f", ROOT, 0664, FS_NOBODY, false, false, "its group may write it (chmod g-w)"},
                {"f", ROOT, 0646, FS_NOBODY, false, false, "everybody may write it (chmod go-w)"},
                {"f", ROOT, 0666, FS_NOBODY, false, false, "everybody may write it (chmod go-w)"},
                {"f", ALICE, 0664, ALICE, false, false, "its group may write it (chmod g-w)"},
                {"f", ROOT, 0777, FS_NOBODY, true, false, NULL},
                {"f", ROOT, 01666, FS_NOBODY, false, false, "everybody may write it (chmod go-w)"},
                {"d", ROOT, 0755, FS_NOBODY, false, false, NULL},
                {"d", ROOT, 0775, FS_NOBODY, false, false, "its group may write it (chmod g-w)"},
                {"d", ROOT, 0777, FS_NOBODY, true, false, NULL},
                {"d", ROOT, 01777, FS_NOBODY, false, false, NULL},
                {"d", ALICE, 01777, FS_NOBODY, false, false, "user 1000 owns it (chown root)"},
                {"d", ALICE, 0755, ALICE, false, false, NULL},
                // of a process that is not root: its own, and its group's
                {"f", ALICE, 0644, FS_NOBODY, false, true, NULL},
                {"f", 1001, 0644, FS_NOBODY, false, true, "user 1001 owns it (chown root)"},
                {"f", ROOT, 0664, FS_NOBODY, false, true, NULL},
                {"f", ROOT, 0666, FS_NOBODY, false, true, "everybody may write it (chmod go-w)"},
                // what is never read as a file
                {"/dev/null", 0, 0, FS_NOBODY, false, false, NULL},
        };

        put_file("f", "");
        assert_int_equal(mkdir(at("d"), 0755), 0);
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                const char *path = cases[i].path[0] == '/' ? cases[i].path : at(cases[i].path);
                CLEANUP(fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
                struct fail why = {0};
                struct stat st;

                n_fakes = 0;
                fake(cases[i].path, cases[i].owner, cases[i].mode);
                is_read_only = cases[i].is_read_only;
                euid = cases[i].is_user && getegid() == 0 ? ALICE : 0;
                if (cases[i].is_user && euid == 0)
                        continue; // the group is not faked
                assert_int_equal(fstat(fd, &st), 0);
                assert_int_equal(trust_check(fd, &st, cases[i].also, &why),
                                 cases[i].fault ? -EPERM : 0);
                assert_string_equal(why.detail, cases[i].fault ? cases[i].fault : "");
        }
}

static void test_mode(void **state)
{
        assert_int_equal(trust_mode_choose(-1, false, false, false), TRUST_ROOT);
        assert_int_equal(trust_mode_choose(-1, false, false, true), TRUST_GIVEN);
        assert_int_equal(trust_mode_choose(-1, false, true, true), TRUST_ALL);
        assert_int_equal(trust_mode_choose(-1, true, false, false), TRUST_ALL);
        assert_int_equal(trust_mode_choose(1, true, true, false), TRUST_ROOT);
        assert_int_equal(trust_mode_choose(0, false, false, true), TRUST_ALL);
}

// ---- units

#define REFUSED(reason) "Refused: " reason "; RefuseWritableUnits=no in usher.conf allows it.\n"
#define IS_ALICES "user 1000 owns it (chown root)"
#define HAS_GROUP "its group may write it (chmod g-w)"

static void write_units(void)
{
        put_file("u/a.service", "[Service]\nExecStart=/bin/true\n");
        put_file("u/b.service", "[Service]\nExecStart=/bin/true\n");
        put_file("u/a.service.d/x.conf", "[Unit]\nDescription=x\n");
        put_file("l/a.service", "[Service]\nExecStart=/bin/false\n");
        put_link("u/linked.service", "../o/linked.service");
        put_file("o/linked.service", "[Service]\nExecStart=/bin/true\n");
        put_link("u/alias.service", "b.service");
        put_link("u/masked.service", "/dev/null");
        put_link("u/t.target.wants/b.service", "../b.service");
        put_file("u/t.target", "[Unit]\n");
}

static const char *state_name(enum load_state state)
{
        return state == LOAD_LOADED      ? "loaded"
               : state == LOAD_ERROR     ? "error"
               : state == LOAD_MASKED    ? "masked"
               : state == LOAD_NOT_FOUND ? "not-found"
                                         : "?";
}

static char *load(const char *name, enum trust_mode trust, struct complaints *said)
{
        char *dirs[] = {(char *)at("u"), (char *)at("l"), NULL};
        CLEANUP(conf_loader) struct conf_loader *loader = NULL;
        CLEANUP(unit_conf) struct unit_conf *conf = NULL;
        const struct conf_loader_options options = {
                .unit_path = dirs, .trust = trust, .diag = complaints_init(said)};

        assert_int_equal(conf_loader_new(&options, &loader), 0);
        assert_int_equal(conf_load(loader, name, &said->diag, &conf), 0);
        return str_printf("%s %s%s", conf->id, state_name(conf->load_state),
                          conf->linked_wants ? " wants" : "");
}

static const struct {
        struct fake fakes[2];
        const char *name;
        enum trust_mode trust;
        const char *state, *said;
} units[] = {
        {{{0}}, "a.service", TRUST_ROOT, "a.service loaded", ""},
        {{{"u/a.service", ALICE, 0}},
         "a.service",
         TRUST_ROOT,
         "a.service error",
         "e u/a.service: " REFUSED(IS_ALICES)},
        {{{"u/a.service", ALICE, 0}}, "a.service", TRUST_ALL, "a.service loaded", ""},
        {{{"u/a.service", ALICE, 0}},
         "a.service",
         TRUST_GIVEN,
         "a.service error",
         "e u/a.service: " REFUSED(IS_ALICES)},
        {{{"u/a.service", ALICE, 0}, {"u", ALICE, 0}},
         "a.service",
         TRUST_GIVEN,
         "a.service loaded",
         ""},
        {{{"u/a.service", 0, 0664}},
         "a.service",
         TRUST_GIVEN,
         "a.service error",
         "e u/a.service: " REFUSED(HAS_GROUP)},
        {{{"u/a.service", 0, 0666}},
         "a.service",
         TRUST_ALL,
         "a.service loaded",
         "n u/a.service: Configuration file u/a.service is marked world-writable. Please "
         "remove world writability permission bits. Proceeding anyway.\n"},
        // a drop-in, and its folder
        {{{"u/a.service.d/x.conf", ALICE, 0}},
         "a.service",
         TRUST_ROOT,
         "a.service error",
         "e u/a.service.d/x.conf: " REFUSED(IS_ALICES)},
        {{{"u/a.service.d", 0, 0775}},
         "a.service",
         TRUST_ROOT,
         "a.service error",
         "e u/a.service.d/x.conf: " REFUSED("its folder u/a.service.d: " HAS_GROUP)},
        // the folder of the units: what later ones have does not come out from behind it
        {{{"u", ALICE, 0}},
         "a.service",
         TRUST_ROOT,
         "a.service error",
         "e u: " REFUSED(IS_ALICES) "e u/a.service: " REFUSED("its folder u: " IS_ALICES)},
        {{{"u", 0, 0777}},
         "masked.service",
         TRUST_ROOT,
         "masked.service masked",
         "e u: " REFUSED("everybody may write it (chmod go-w)")},
        {{{"u", ALICE, 0}},
         "alias.service",
         TRUST_ROOT,
         "alias.service error",
         "e u: " REFUSED(IS_ALICES) "e u/alias.service: " REFUSED("its folder u: " IS_ALICES)},
        {{{"u", 0, 01777}}, "a.service", TRUST_ROOT, "a.service loaded", ""},
        {{{"u", 0, 01777}, {"u/alias.service", ALICE, 0}},
         "alias.service",
         TRUST_ROOT,
         "alias.service not-found",
         "w u: Link 'alias.service' ignored: it is not root's.\n"},
        // what a link leads to counts, and whose the link is
        {{{"o/linked.service", ALICE, 0}},
         "linked.service",
         TRUST_ROOT,
         "linked.service error",
         "e u/linked.service: " REFUSED(IS_ALICES)},
        {{{"u/linked.service", ALICE, 0}},
         "linked.service",
         TRUST_ROOT,
         "linked.service error",
         "e u/linked.service: " REFUSED("u/linked.service: a link of user 1000 leads to "
                                        "../o/linked.service, which user 0 owns")},
        {{{"u/linked.service", ALICE, 0}, {"u", ALICE, 0}},
         "linked.service",
         TRUST_GIVEN,
         "linked.service loaded",
         ""},
        // links beside the units
        {{{0}}, "t.target", TRUST_ROOT, "t.target loaded wants", ""},
        {{{"u/t.target.wants", ALICE, 0}},
         "t.target",
         TRUST_ROOT,
         "t.target loaded",
         "e u/t.target.wants: " REFUSED(IS_ALICES)},
        {{{"u/t.target.wants", ALICE, 0}}, "t.target", TRUST_ALL, "t.target loaded wants", ""},
        {{{"u/t.target.wants", 0, 01777}, {"u/t.target.wants/b.service", ALICE, 0}},
         "t.target",
         TRUST_ROOT,
         "t.target loaded",
         ""},
};

static void test_units(void **state)
{
        write_units();
        for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
                CLEANUP(complaints) struct complaints said;

                n_fakes = 0;
                for (size_t k = 0; k < ARRAY_SIZE(units[i].fakes); k++)
                        if (units[i].fakes[k].path)
                                fakes[n_fakes++] = units[i].fakes[k];
                CLEANUP(free) char *have = load(units[i].name, units[i].trust, &said);

                assert_string_equal(have, units[i].state);
                assert_string_equal(buf_text(&said.text), units[i].said);
        }
}

static void test_read_only(void **state)
{
        CLEANUP(complaints) struct complaints said;

        write_units();
        fake("u", 0, 0777);
        fake("u/a.service", 0, 0666);
        is_read_only = true;

        CLEANUP(free) char *have = load("a.service", TRUST_ROOT, &said);

        assert_string_equal(have, "a.service loaded");
}

// ---- what else is read

static int load_config(enum trust_mode trust)
{
        CLEANUP(cfgfile) struct cfgfile *cfgfile = NULL;
        CLEANUP(settings) struct settings settings;

        settings_init(&settings);
        return cfgfile_load(at("e/usher.conf"), trust, &settings, NULL, &cfgfile);
}

static void test_config(void **state)
{
        static const struct {
                const char *path;
                unsigned owner, mode;
                int root, given;
        } cases[] = {
                {"none", 0, 0, 0, 0},
                {"e/usher.conf", ALICE, 0, -EBADMSG, 0},
                {"e/usher.conf", 0, 0664, -EBADMSG, -EBADMSG},
                {"e", 0, 0775, -EBADMSG, 0},
                {"e", ALICE, 0, -EBADMSG, 0},
                {"e/usher.conf.d", ALICE, 0, -EBADMSG, -EBADMSG},
                {"e/usher.conf.d/a.conf", 0, 0666, -EBADMSG, -EBADMSG},
        };

        put_file("e/usher.conf", "RefuseWritableUnits = no\n");
        put_file("e/usher.conf.d/a.conf", "LogLevel = debug\n");
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                n_fakes = 0;
                fake(cases[i].path, cases[i].owner, cases[i].mode);
                assert_int_equal(load_config(TRUST_ROOT), cases[i].root);
                assert_int_equal(load_config(TRUST_GIVEN), cases[i].given);
                assert_int_equal(load_config(TRUST_ALL), 0);
        }
}

static void test_presets(void **state)
{
        static const struct {
                const char *path;
                unsigned owner, mode;
                int expected;
        } cases[] = {
                {"none", 0, 0, 0},
                {"u-preset", ALICE, 0, -EPERM},
                {"u-preset/a.preset", ALICE, 0, -EPERM},
                {"u-preset/a.preset", 0, 0664, -EPERM},
        };
        char *dirs[] = {(char *)at("u"), NULL};

        put_file("u-preset/a.preset", "disable *\n");
        assert_int_equal(mkdir(at("u"), 0755), 0);
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                CLEANUP(install_presets) struct install_presets *presets = NULL;
                CLEANUP(install_presets) struct install_presets *all = NULL;
                CLEANUP(complaints) struct complaints said;

                n_fakes = 0;
                fake(cases[i].path, cases[i].owner, cases[i].mode);
                assert_int_equal(
                        install_presets_read(dirs, TRUST_ROOT, complaints_init(&said), &presets),
                        cases[i].expected);
                assert_int_equal(said.diag.errors, cases[i].expected < 0);
                assert_int_equal(install_presets_read(dirs, TRUST_ALL, NULL, &all), 0);
        }
}

static void test_enable(void **state)
{
        char *dirs[] = {(char *)at("u"), NULL}, *names[] = {(char *)"a.service", NULL};
        char *paths[] = {(char *)at("elsewhere.service"), NULL};
        const struct install_options options = {.unit_path = dirs, .trust = TRUST_ROOT};
        CLEANUP(install) struct install *install = NULL;
        CLEANUP(install_changes) struct install_changes changes = {0};
        const char *unit_state;

        put_file("u/a.service", "[Service]\nExecStart=/x\n[Install]\nWantedBy=t.target\n");
        put_file("elsewhere.service", "[Service]\nExecStart=/x\n[Install]\nWantedBy=t.target\n");
        assert_int_equal(install_open(&options, &install), 0);
        assert_int_equal(install_enable(install, names, &changes), 1);
        assert_int_equal(changes.n, 1);
        fake("u/a.service", ALICE, 0);
        fake("elsewhere.service", ALICE, 0);
        assert_int_equal(install_get_state(install, "a.service", &unit_state), 0);
        assert_string_equal(unit_state, "bad");
        assert_int_equal(install_enable(install, names, &changes), -EPERM);
        assert_int_equal(install_enable(install, paths, &changes), -EPERM);
        assert_int_equal(access(at("u/elsewhere.service"), F_OK), -1);
        assert_int_equal(install_disable(install, names, &changes), 0);
        assert_int_equal(changes.n, 2); // its link goes all the same
}

static void test_environment_files(void **state)
{
        static const struct {
                const char *user;
                unsigned owner, mode;
                bool is_said;
        } cases[] = {
                {NULL, 0, 0, false},
                {NULL, ALICE, 0, true},
                {NULL, 0, 0664, true},
                {"User=root\n", ALICE, 0, true},
                {"User=1000\n", ALICE, 0, false},
        };

        put_file("env", "A=b\n");
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                CLEANUP(complaints) struct complaints said;
                CLEANUP(lint) struct lint *lint = NULL;
                char *path[] = {(char *)at("u"), NULL};
                const struct lint_options options = {
                        .unit_path = path, .trust = TRUST_ROOT, .diag = complaints_init(&said)};
                CLEANUP(free)
                char *text = str_printf("[Service]\nExecStart=/bin/true\n%sEnvironmentFile=%s\n",
                                        cases[i].user ? cases[i].user : "", at("env"));

                n_fakes = 0;
                put_file("u/e.service", text);
                fake("env", cases[i].owner, cases[i].mode);
                assert_int_equal(lint_new(&options, &lint), 0);
                assert_int_equal(lint_unit(lint, "e.service"), 0);
                assert_int_equal(strstr(buf_text(&said.text), "LD_PRELOAD") != NULL,
                                 cases[i].is_said);
                assert_int_equal(said.diag.errors, 0);
        }
}

static int load_once(void *arg)
{
        char *dirs[] = {(char *)at("u"), (char *)at("l"), NULL};
        CLEANUP(conf_loader) struct conf_loader *loader = NULL;
        CLEANUP(unit_conf) struct unit_conf *conf = NULL, *other = NULL;
        const struct conf_loader_options options = {.unit_path = dirs, .trust = TRUST_ROOT};
        int r = conf_loader_new(&options, &loader);

        if (r == 0)
                r = conf_load(loader, "a.service", NULL, &conf);
        return r < 0 ? r : conf_load(loader, "t.target", NULL, &other);
}

static void test_oom(void **state)
{
        write_units();
        fake("u/a.service.d", ALICE, 0);
        fake("u/t.target.wants", ALICE, 0);
        fake("l", ALICE, 0);
        oom_prove(load_once, NULL);
}

static const struct CMUnitTest tests[] = {
        TEST(test_check),  TEST(test_mode),    TEST(test_units),  TEST(test_read_only),
        TEST(test_config), TEST(test_presets), TEST(test_enable), TEST(test_environment_files),
        TEST(test_oom),
};
HARNESS_MAIN(tests)
