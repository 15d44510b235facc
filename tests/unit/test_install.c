// enable and related operations on unit files below a root folder that the test creates.
#include "conf/install.h"

#include "base/strv.h"
#include "unit/conf_fixture.h"

static struct install *open_install(struct complaints *said, bool is_forced)
{
        static const char *const path[] = {"/etc/usher", "/usr/lib/usher", NULL};
        const struct install_options options = {.unit_path = (char *const *)path,
                                                .root = top,
                                                .is_forced = is_forced,
                                                .diag = complaints_init(said)};
        struct install *install;

        assert_int_equal(install_open(&options, &install), 0);
        return install;
}

typedef int (*operation_fn)(struct install *, char *const *, struct install_changes *);

// One call on one unit; what it gave.
static int run(operation_fn operation, const char *name, struct complaints *said)
{
        CLEANUP(install) struct install *install = open_install(said, false);
        CLEANUP(install_changes) struct install_changes changes = {0};
        const char *names[] = {name, NULL};

        return operation(install, (char *const *)names, &changes);
}

static void assert_link(const char *name, const char *target)
{
        CLEANUP(free) char *found = NULL;
        int r = fs_readlink(at(name), &found);

        if (!target ? r != -ENOENT : (r < 0 || !streq(found, target)))
                fail_msg("%s -> %s", name, r < 0 ? "nothing" : found);
}

static void assert_state(const char *name, const char *expected)
{
        CLEANUP(complaints) struct complaints said;
        CLEANUP(install) struct install *install = open_install(&said, false);
        const char *state = "";
        int r = install_get_state(install, name, &state);

        if (!expected ? r != -ENOENT : (r < 0 || !streq(state, expected)))
                fail_msg("%s is %s, not %s", name, r < 0 ? "not there" : state,
                         expected ? expected : "not there");
}

static void put_units(void)
{
        put_file("usr/lib/usher/a.socket", "[Socket]\nListenStream=1\n[Install]\n"
                                           "WantedBy=sockets.target\nRequiredBy=x.target\n"
                                           "Alias=alias.socket\nAlso=b.service\n");
        put_file("usr/lib/usher/b.service", "[Service]\nExecStart=/bin/true\n[Install]\n"
                                            "WantedBy=multi-user.target\n");
        put_file("usr/lib/usher/plain.service", "[Service]\nExecStart=/bin/true\n");
        put_file("usr/lib/usher/t@.service", "[Service]\nExecStart=/bin/true\n[Install]\n"
                                             "WantedBy=multi-user.target\nDefaultInstance=one\n");
        put_file("usr/lib/usher/also.service", "[Service]\nExecStart=/bin/true\n[Install]\n"
                                               "Also=b.service\n");
        put_file("etc/usher/own.service", "[Service]\nExecStart=/bin/true\n");
}

static void test_enable_and_disable(void **state)
{
        CLEANUP(complaints) struct complaints said;

        put_units();
        assert_state("a.socket", "disabled");
        assert_int_equal(run(install_enable, "a.socket", &said), 2); // with b.service
        assert_link("etc/usher/sockets.target.wants/a.socket", "/usr/lib/usher/a.socket");
        assert_link("etc/usher/x.target.requires/a.socket", "/usr/lib/usher/a.socket");
        assert_link("etc/usher/alias.socket", "/usr/lib/usher/a.socket");
        assert_link("etc/usher/multi-user.target.wants/b.service", "/usr/lib/usher/b.service");
        assert_state("a.socket", "enabled");
        assert_state("alias.socket", "alias");
        assert_state("b.service", "enabled");
        cleanup_complaints(&said);
        assert_true(run(install_enable, "a.socket", &said) >= 0); // once more: nothing to do
        cleanup_complaints(&said);
        assert_true(run(install_disable, "a.socket", &said) >= 0);
        assert_link("etc/usher/sockets.target.wants/a.socket", NULL);
        assert_link("etc/usher/x.target.requires/a.socket", NULL);
        assert_link("etc/usher/alias.socket", NULL);
        assert_link("etc/usher/multi-user.target.wants/b.service", NULL);
        assert_state("a.socket", "disabled");
}

static void test_states(void **state)
{
        CLEANUP(complaints) struct complaints said;

        put_units();
        assert_state("plain.service", "static");
        assert_state("also.service", "indirect");
        assert_state("own.service", "static");
        assert_state("none.service", NULL);
        assert_int_equal(run(install_enable, "plain.service", &said), 0); // it says nothing
        cleanup_complaints(&said);
        put_link("etc/usher/linked.service", "/opt/linked.service");
        put_file("opt/linked.service", "[Service]\nExecStart=/bin/true\n");
        assert_state("linked.service", "linked");
}

// What [Install] says stays in the folder that links are made in.
static void test_bad_names(void **state)
{
        static const struct {
                const char *name, *text;
                int result;
        } rows[] = {
                {"i@.service", "WantedBy=m.target\nDefaultInstance=../../../../out", -EIDRM},
                {"j@.service", "WantedBy=m.target\nDefaultInstance=one\nDefaultInstance=", -EIDRM},
                {"k@.service", "WantedBy=m.target\nDefaultInstance=%q/x", -EIDRM},
                {"l@.service", "WantedBy=m.target\nDefaultInstance=%p-one", 1},
                {"m.service", "WantedBy=../../out.target", -EINVAL},
                {"n.service", "Alias=../../out.service", -EINVAL},
                {"o.service", "Also=/opt/out.service", -EINVAL},
        };

        put_file("opt/out.service", "[Service]\nExecStart=/bin/true\n");
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                CLEANUP(complaints) struct complaints said;
                CLEANUP(free) char *file = str_printf("usr/lib/usher/%s", rows[i].name);
                CLEANUP(free) char *text = str_printf("[Install]\n%s\n", rows[i].text);

                put_file(file, text);
                print_message("%s\n", rows[i].text);
                assert_int_equal(run(install_enable, rows[i].name, &said), rows[i].result);
        }
        assert_link("etc/usher/m.target.wants/l@l-one.service", "/usr/lib/usher/l@.service");
        assert_link("out.service", NULL);
        assert_link("etc/usher/out.service", NULL);
        assert_int_equal(access(at("etc/usher/m.target.wants/i@.."), F_OK), -1);
}

static void test_masks(void **state)
{
        CLEANUP(complaints) struct complaints said;

        put_units();
        assert_true(run(install_mask, "b.service", &said) >= 0);
        cleanup_complaints(&said);
        assert_link("etc/usher/b.service", "/dev/null");
        assert_state("b.service", "masked");
        assert_int_equal(run(install_enable, "b.service", &said), -EADDRNOTAVAIL);
        assert_non_null(strstr(buf_text(&said.text), "masked"));
        cleanup_complaints(&said);
        // A file of the administrator's own is not thrown away for a mask.
        assert_int_equal(run(install_mask, "own.service", &said), -EEXIST);
        cleanup_complaints(&said);
        assert_true(run(install_unmask, "b.service", &said) >= 0);
        assert_link("etc/usher/b.service", NULL);
        assert_state("b.service", "disabled");
}

// A file in the first folder is masked by a link that ranks above.
static void test_mask_above(void **state)
{
        static const char *const persistent[] = {"/etc/usher/units.control", "/etc/usher",
                                                 "/run/usher/units", NULL};
        static const char *const runtime[] = {"/run/usher/units.control", "/etc/usher",
                                              "/run/usher/units", NULL};
        static const struct {
                const char *const *path;
                bool is_runtime;
                const char *link, *state;
        } rows[] = {
                {persistent, false, "etc/usher/units.control/own.service", "masked"},
                {runtime, false, "run/usher/units.control/own.service", "masked-runtime"},
                {runtime, true, "run/usher/units.control/own.service", "masked-runtime"},
        };

        put_units();
        for (size_t k = 0; k < ARRAY_SIZE(rows); k++) {
                const struct install_options options = {.unit_path = (char *const *)rows[k].path,
                                                        .root = top,
                                                        .is_runtime = rows[k].is_runtime};
                CLEANUP(install_changes) struct install_changes changes = {0};
                static const char *const names[] = {"own.service", NULL};
                CLEANUP(install) struct install *install = NULL, *again = NULL;
                const char *found = "";

                assert_int_equal(install_open(&options, &install), 0);
                assert_int_equal(install_mask(install, (char *const *)names, &changes), 0);
                assert_link(rows[k].link, "/dev/null");
                assert_int_equal(install_open(&options, &again), 0);
                assert_int_equal(install_get_state(again, "own.service", &found), 0);
                assert_string_equal(found, rows[k].state);
                assert_int_equal(install_unmask(again, (char *const *)names, &changes), 0);
                assert_link(rows[k].link, NULL);
        }
}

static void test_templates(void **state)
{
        CLEANUP(complaints) struct complaints said;

        put_units();
        assert_true(run(install_enable, "t@.service", &said) > 0);
        cleanup_complaints(&said);
        assert_link("etc/usher/multi-user.target.wants/t@one.service", "/usr/lib/usher/t@.service");
        assert_state("t@.service", "enabled");
        assert_state("t@one.service", "enabled");
        assert_state("t@two.service", "disabled");
        assert_true(run(install_enable, "t@two.service", &said) > 0);
        cleanup_complaints(&said);
        assert_true(run(install_disable, "t@.service", &said) >= 0);
        assert_link("etc/usher/multi-user.target.wants/t@one.service", NULL);
        assert_link("etc/usher/multi-user.target.wants/t@two.service", NULL);
        cleanup_complaints(&said);
        put_file("usr/lib/usher/u@.service", "[Service]\nExecStart=/bin/true\n[Install]\n"
                                             "WantedBy=multi-user.target\n");
        assert_int_equal(run(install_enable, "u@.service", &said), -EIDRM);
        assert_non_null(strstr(buf_text(&said.text), "DefaultInstance="));
}

static void test_refusals(void **state)
{
        static const struct {
                const char *name;
                int error;
        } rows[] = {{"none.service", -ENOENT},
                    {"bad name", -EINVAL},
                    {"/nonexistent/x.service", -ENOENT}};

        put_units();
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                CLEANUP(complaints) struct complaints said;
                int r = run(install_enable, rows[i].name, &said);

                if (r != rows[i].error || !*buf_text(&said.text))
                        fail_msg("%s: %d %s", rows[i].name, r, buf_text(&said.text));
        }
        // Something else stands where the link is to be; --force replaces it.
        CLEANUP(complaints) struct complaints said;
        const char *names[] = {"a.socket", NULL};
        CLEANUP(install_changes) struct install_changes changes = {0};

        put_link("etc/usher/alias.socket", "/usr/lib/usher/plain.service");
        assert_int_equal(run(install_enable, "a.socket", &said), -EEXIST);
        cleanup_complaints(&said);
        CLEANUP(install) struct install *install = open_install(&said, true);
        assert_true(install_enable(install, (char *const *)names, &changes) > 0);
        assert_link("etc/usher/alias.socket", "/usr/lib/usher/a.socket");
        assert_true(changes.n > 0);
}

static void test_presets(void **state)
{
        static const struct {
                const char *name, *expected;
        } rows[] = {
                {"a.socket", "disabled"},      {"b.service", "enabled"},
                {"plain.service", "disabled"}, {"t@.service", "enabled"},
                {"t@x.service", "enabled"},    {"t@z.service", "disabled"},
                {"i.service", "ignored"},
        };
        static const char *const path[] = {"/etc/usher", "/usr/lib/usher", NULL};
        CLEANUP(complaints) struct complaints said;
        CLEANUP(strv) char **dirs = NULL;
        CLEANUP(install_presets) struct install_presets *presets = NULL;
        CLEANUP(install_changes) struct install_changes changes = {0};

        put_units();
        put_file("usr/lib/usher/t@.service", "[Service]\nExecStart=/bin/true\n[Install]\n"
                                             "WantedBy=multi-user.target\n");
        // Of two files with one name the first folder's counts; 10 comes before 90 in any folder.
        put_file("etc/usher-preset/90.preset", "disable *\n");
        put_file("usr/lib/usher-preset/90.preset", "enable *\n");
        put_file("usr/lib/usher-preset/10.preset",
                 "# x\n\nenable b.*\nenable t@.service x y\nignore i.service\n"
                 "sometimes a.socket\nenable a.socket more\ndisable\n");
        put_file("usr/lib/usher-preset/05.notes", "enable *\n");
        for (size_t i = 0; i < ARRAY_SIZE(path) - 1; i++)
                assert_int_equal(strv_push(&dirs, at(path[i] + 1)), 0);
        assert_int_equal(install_presets_read(dirs, TRUST_ALL, complaints_init(&said), &presets),
                         0);
        assert_int_equal(said.diag.warnings, 3);
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                if (!streq(install_presets_ask(presets, rows[i].name), rows[i].expected))
                        fail_msg("%s is not %s", rows[i].name, rows[i].expected);
        CLEANUP(complaints) struct complaints again;
        CLEANUP(install) struct install *install = open_install(&again, false);

        assert_int_equal(install_preset_all(install, NULL, &changes), 1);
        assert_link("etc/usher/multi-user.target.wants/b.service", "/usr/lib/usher/b.service");
        assert_link("etc/usher/multi-user.target.wants/t@x.service", "/usr/lib/usher/t@.service");
        assert_link("etc/usher/multi-user.target.wants/t@y.service", "/usr/lib/usher/t@.service");
        assert_link("etc/usher/alias.socket", NULL);
}

static int enable_once(void *arg UNUSED)
{
        static const char *const path[] = {"/etc/usher", "/usr/lib/usher", NULL};
        const struct install_options options = {.unit_path = (char *const *)path, .root = top};
        CLEANUP(install) struct install *install = NULL;
        CLEANUP(install_changes) struct install_changes changes = {0};
        const char *names[] = {"a.socket", NULL};
        int r = install_open(&options, &install);

        if (r == 0)
                r = install_enable(install, (char *const *)names, &changes);
        return r < 0 ? r : 0;
}

static void test_oom(void **state)
{
        put_units();
        oom_prove(enable_once, NULL);
}

// What was read counts until a folder changes.
static void test_fresh(void **state)
{
        CLEANUP(complaints) struct complaints said;
        const char *word;

        (void)state;
        put_units();
        put_link("etc/usher/sockets.target.wants/a.socket", "/usr/lib/usher/a.socket");
        put_file("etc/usher/b.service.d/a.conf", "[Service]\nNice=1\n");
        const char *const changes[] = {
                "etc/usher/sockets.target.wants/t@x.service", "etc/usher/own-alias.service",
                "usr/lib/usher/new.target.requires/b.service", "etc/usher/b.service.d/b.conf"};

        for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
                usleep(50000); // coarse clocks of file systems
                CLEANUP(install) struct install *install = open_install(&said, false);

                assert_false(install_is_fresh(install)); // nobody has asked yet
                assert_int_equal(install_get_state(install, "a.socket", &word), 0);
                assert_string_equal(word, "enabled");
                assert_true(install_is_fresh(install));
                put_link(changes[i], "/usr/lib/usher/t@.service");
                assert_false(install_is_fresh(install));
        }
        // Changed just before it was read: it may be changed once more in the same tick.
        CLEANUP(install) struct install *install = open_install(&said, false);

        assert_int_equal(install_get_state(install, "a.socket", &word), 0);
        assert_false(install_is_fresh(install));
}

static const struct CMUnitTest tests[] = {
        TOP_TEST(test_enable_and_disable),
        TOP_TEST(test_states),
        TOP_TEST(test_bad_names),
        TOP_TEST(test_masks),
        TOP_TEST(test_mask_above),
        TOP_TEST(test_templates),
        TOP_TEST(test_refusals),
        TOP_TEST(test_presets),
        TOP_TEST(test_fresh),
        TOP_TEST(test_oom),
};
HARNESS_MAIN(tests)
