#include "conf/search.h"

#include "base/strv.h"
#include "unit/conf_fixture.h"

// The folders "e" and "l" in the folder of the test, in this order.
static struct search *open_search(struct diag *diag)
{
        CLEANUP(strv) char **dirs = NULL;
        struct search *s = NULL;

        assert_int_equal(strv_push(&dirs, at("e")), 0);
        assert_int_equal(strv_push(&dirs, at("l")), 0);
        assert_int_equal(search_new(dirs, TRUST_ALL, diag, &s), 0);
        return s;
}

// "verdict id path names" of a name.
static char *describe(struct search *s, const char *name)
{
        static const char *const verdicts[] = {"found", "not-found", "masked", "block"};
        CLEANUP(search_result) struct search_result r = {0};
        CLEANUP(free) char *names = NULL;
        const char *path;

        assert_int_equal(search_find(s, name, &r), 0);
        names = strv_join(r.names, ",");
        path = r.path ? r.path : "-";
        if (str_after_prefix(path, top))
                path += strlen(top) + 1;
        return str_printf("%s %s %s %s", verdicts[r.verdict], r.id, path, names);
}

static void assert_found(struct search *s, const char *name, const char *expected)
{
        CLEANUP(free) char *have = describe(s, name);

        assert_string_equal(have, expected);
}

static void test_precedence(void **state)
{
        CLEANUP(search) struct search *s = NULL;

        put_file("e/a.service", "x");
        put_file("l/a.service", "y");
        put_file("l/b.socket", "y");
        put_file("l/README", "y");
        put_file("l/.hidden.service", "y");
        put_file("l/sub/c.service", "y");
        assert_int_equal(mkdir(at("l/dir.service"), 0755), 0);
        s = open_search(NULL);
        assert_found(s, "a.service", "found a.service e/a.service ");
        assert_found(s, "b.socket", "found b.socket l/b.socket ");
        assert_found(s, "c.service", "not-found c.service - ");
        assert_found(s, "dir.service", "not-found dir.service - ");
        assert_true(search_has(s, "b.socket"));
        assert_false(search_has(s, "README"));
}

static void test_aliases(void **state)
{
        CLEANUP(complaints) struct complaints c;
        CLEANUP(search) struct search *s = NULL;

        put_file("l/real.service", "x");
        put_link("e/one.service", "../l/real.service");
        put_link("e/two.service", at("e/one.service"));
        put_link("e/real.service", at("l/real.service")); // itself: nothing
        put_link("e/other.socket", "../l/real.service");
        put_link("e/tpl@.service", "../l/real.service");
        put_link("e/dangling.service", "../l/nowhere.service");
        put_link("e/nofolder.service", "/nowhere/x.service");
        put_link("e/ring1.service", "ring2.service");
        put_link("e/ring2.service", "ring1.service");
        put_file("outside/linked.service", "x");
        put_link("e/linked.service", at("outside/linked.service"));
        put_link("e/renamed.service", at("outside/linked.service"));
        put_file("e/..2026/map.service", "x");
        put_link("e/..data", "..2026");
        put_link("e/map.service", "..data/map.service");
        s = open_search(complaints_init(&c));
        assert_found(s, "real.service",
                     "found real.service l/real.service one.service,two.service");
        assert_found(s, "two.service", "found real.service l/real.service one.service,two.service");
        assert_found(s, "other.socket", "not-found other.socket - ");
        assert_found(s, "dangling.service", "not-found dangling.service - ");
        assert_found(s, "nofolder.service", "not-found nofolder.service - ");
        assert_found(s, "ring1.service", "not-found ring1.service - ");
        assert_found(s, "linked.service", "found linked.service e/linked.service ");
        assert_found(s, "renamed.service", "found renamed.service e/renamed.service ");
        assert_found(s, "map.service", "found map.service e/map.service ");
        assert_non_null(strstr(buf_text(&c.text),
                               "w e/other.socket: Link to 'real.service' ignored: "
                               "the target is a unit of another type.\n"));
        assert_non_null(strstr(buf_text(&c.text),
                               "w e/tpl@.service: Link to 'real.service' ignored: "
                               "the instances differ.\n"));
        assert_int_equal(c.diag.warnings, 2);
}

static void test_path_through_link(void **state)
{
        CLEANUP(search) struct search *s = NULL;

        put_file("real-l/real.service", "x");
        put_link("l", "real-l");
        put_link("e/one.service", at("l/real.service"));
        put_link("e/two.service", at("real-l/real.service"));
        s = open_search(NULL);
        assert_found(s, "two.service", "found real.service l/real.service one.service,two.service");
}

static void test_masks(void **state)
{
        CLEANUP(search) struct search *s = NULL;

        put_link("e/a.service", "/dev/null");
        put_file("l/a.service", "x");
        put_file("e/b.service", "");
        put_link("e/c.service", "a.service");
        put_link("e/t@.service", "/dev/null");
        s = open_search(NULL);
        assert_found(s, "a.service", "masked a.service e/a.service c.service");
        assert_found(s, "b.service", "masked b.service e/b.service ");
        assert_found(s, "c.service", "masked a.service e/a.service c.service");
        assert_found(s, "t@x.service", "masked t@x.service e/t@.service ");
}

static void test_templates(void **state)
{
        CLEANUP(search) struct search *s = NULL;

        put_file("l/t@.service", "x");
        put_file("l/t@own.service", "x");
        put_link("e/u@.service", "../l/t@.service");
        put_link("e/t@linked.service", "../l/t@.service");
        put_link("e/plain@z.service", "../l/t@z.service");
        s = open_search(NULL);
        assert_found(s, "t@.service", "found t@.service l/t@.service u@.service");
        assert_found(s, "t@x.service", "found t@x.service l/t@.service u@x.service");
        assert_found(s, "u@x.service", "found t@x.service l/t@.service u@x.service");
        assert_found(s, "t@own.service", "found t@own.service l/t@own.service ");
        assert_found(s, "t@linked.service", "found t@linked.service l/t@.service u@linked.service");
        assert_found(s, "v@x.service", "not-found v@x.service - ");
}

// A link whose name is an instance: what systemd 252 gives is written here.
static void test_aliases_of_instances(void **state)
{
        CLEANUP(search) struct search *s = NULL;

        put_file("l/real@.service", "x");
        put_file("l/inst@one.service", "x");
        put_file("l/plain.service", "x");
        put_link("e/alias@.service", "../l/real@.service");
        put_link("e/any@x.service", "../l/real@.service");   // to the template
        put_link("e/same@x.service", "../l/real@x.service"); // to an instance without a file
        put_link("e/chain@x.service", "alias@x.service");    // to one of an alias
        put_link("e/own@one.service", "../l/inst@one.service");
        put_link("e/differs@x.service", "../l/real@y.service");
        put_link("e/none@x.service", "../l/nowhere@x.service");
        put_link("e/plain@x.service", "../l/plain.service");
        s = open_search(NULL);
        for (size_t i = 0; i < 5; i++) {
                static const char *const names[] = {"real@x.service", "alias@x.service",
                                                    "any@x.service", "same@x.service",
                                                    "chain@x.service"};

                assert_found(s, names[i],
                             "found real@x.service l/real@.service "
                             "alias@x.service,any@x.service,chain@x.service,same@x.service");
        }
        assert_found(s, "real@y.service", "found real@y.service l/real@.service alias@y.service");
        assert_found(s, "any@y.service", "not-found any@y.service - ");
        assert_found(s, "inst@one.service",
                     "found inst@one.service l/inst@one.service own@one.service");
        assert_found(s, "differs@x.service", "not-found differs@x.service - ");
        assert_found(s, "none@x.service", "not-found none@x.service - ");
        assert_found(s, "plain@x.service", "not-found plain@x.service - ");
}

// An instance of an alias that has a link or a file of its own is no name of the template's
// instance.
static void test_instance_that_leaves_its_alias(void **state)
{
        CLEANUP(search) struct search *s = NULL;

        put_file("l/bar@.service", "x");
        put_file("l/yup@.service", "x");
        put_link("e/alias@.service", "../l/bar@.service");
        put_link("e/alias@1.service", "../l/bar@1.service");
        put_link("e/alias@2.service", "../l/yup@.service");
        put_file("l/alias@3.service", "x");
        s = open_search(NULL);
        assert_found(s, "bar@0.service", "found bar@0.service l/bar@.service alias@0.service");
        assert_found(s, "bar@1.service", "found bar@1.service l/bar@.service alias@1.service");
        assert_found(s, "bar@2.service", "found bar@2.service l/bar@.service ");
        assert_found(s, "alias@2.service", "found yup@2.service l/yup@.service alias@2.service");
        assert_found(s, "bar@3.service", "found bar@3.service l/bar@.service ");
        assert_found(s, "alias@3.service", "found alias@3.service l/alias@3.service ");
}

static void put_everywhere(const char *const *names, size_t n, const char *suffix)
{
        for (size_t i = 0; i < n; i++)
                for (const char *dir = "el"; *dir; dir++) {
                        char path[256];

                        snprintf(path, sizeof(path), "%c/%s%s/x.conf", *dir, names[i], suffix);
                        put_file(path, "y");
                }
}

// Take the drop-in that wins away, again and again: gives the order of all folders. The order was
// taken from systemd-analyze verify (252) with the same files.
static void test_dropin_order(void **state)
{
        static const char *const names[] = {
                "service",        "foo-@.service",      "foo-bar-x@i.service", "foo-bar-@.service",
                "foo-@i.service", "foo-bar-x@.service", "foo-bar-@i.service",  "ali@.service",
                "ali@i.service",  "foo-bar-.service",   "foo-.service",
        };
        static const char *const order[] = {
                "e/foo-bar-x@i.service",
                "e/foo-bar-x@.service",
                "e/foo-bar-.service",
                "e/foo-.service",
                "e/foo-bar-@i.service",
                "e/foo-bar-@.service",
                "e/foo-@i.service",
                "e/foo-@.service",
                "l/foo-bar-x@i.service",
                "l/foo-bar-x@.service",
                "l/foo-bar-.service",
                "l/foo-.service",
                "l/foo-bar-@i.service",
                "l/foo-bar-@.service",
                "l/foo-@i.service",
                "l/foo-@.service",
                "e/ali@i.service",
                "e/ali@.service",
                "l/ali@i.service",
                "l/ali@.service",
                "e/service",
                "l/service",
        };

        put_everywhere(names, ARRAY_SIZE(names), ".d");
        put_file("l/foo-bar-x@.service", "x");
        put_link("l/ali@.service", "foo-bar-x@.service");
        for (size_t i = 0; i <= ARRAY_SIZE(order); i++) {
                CLEANUP(search) struct search *s = open_search(NULL);
                CLEANUP(search_result) struct search_result result = {0};
                CLEANUP(strv) char **paths = NULL;
                CLEANUP(free) char *expected = NULL;

                assert_int_equal(search_find(s, "foo-bar-x@i.service", &result), 0);
                assert_int_equal(search_dropins(s, result.id, result.names, &paths), 0);
                if (i == ARRAY_SIZE(order)) {
                        assert_int_equal(strv_length(paths), 0);
                        break;
                }
                expected = str_printf("%s/%s.d/x.conf", top, order[i]);
                assert_int_equal(strv_length(paths), 1);
                assert_string_equal(paths[0], expected);
                assert_int_equal(unlink(paths[0]), 0);
        }
}

static void test_dropin_chop(void **state)
{
        static const char *const names[] = {"foo--bar.service", "foo--.service", "foo-.service",
                                            "foo.service", "-.service"};
        CLEANUP(search) struct search *s = NULL;
        CLEANUP(strv) char **paths = NULL;
        static const char *const order[] = {"foo--bar.service", "foo--.service", "foo-.service"};

        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                char path[256];

                snprintf(path, sizeof(path), "e/%s.d/%zu.conf", names[i], i);
                put_file(path, "y");
        }
        s = open_search(NULL);
        assert_int_equal(search_dropins(s, "foo--bar.service", NULL, &paths), 0);
        assert_int_equal(strv_length(paths), ARRAY_SIZE(order));
        for (size_t i = 0; i < ARRAY_SIZE(order); i++)
                assert_non_null(strstr(paths[i], order[i]));
}

static void test_dropin_sorting_and_masks(void **state)
{
        CLEANUP(search) struct search *s = NULL;
        CLEANUP(strv) char **paths = NULL;
        CLEANUP(free) char *joined = NULL;

        put_file("l/a.service.d/30-z.conf", "l");
        put_file("l/a.service.d/10-a.conf", "l");
        put_file("l/a.service.d/20-m.conf", "l");
        put_file("l/a.service.d/40-e.conf", "l");
        put_file("l/a.service.d/note.txt", "l");
        put_file("e/a.service.d/20-m.conf", "e");
        put_file("e/service.d/05-t.conf", "e");
        put_link("e/a.service.d/30-z.conf", "/dev/null");
        put_file("e/a.service.d/40-e.conf", "");
        s = open_search(NULL);
        assert_int_equal(search_dropins(s, "a.service", NULL, &paths), 0);
        for (char **p = paths; *p; p++)
                memmove(*p, *p + strlen(top) + 1, strlen(*p + strlen(top) + 1) + 1);
        joined = strv_join(paths, " ");
        assert_string_equal(joined, "e/service.d/05-t.conf l/a.service.d/10-a.conf "
                                    "e/a.service.d/20-m.conf e/a.service.d/30-z.conf "
                                    "e/a.service.d/40-e.conf");
}

static void test_wants(void **state)
{
        CLEANUP(complaints) struct complaints c;
        CLEANUP(search) struct search *s = NULL;
        CLEANUP(strv) char **wants = NULL, **requires = NULL, **none = NULL;
        CLEANUP(free) char *joined = NULL;

        put_link("l/a.target.wants/x.service", "../x.service");
        put_link("l/a.target.wants/y.service", "/nowhere/y.service");
        put_link("l/a.target.wants/m.service", "../m.service");
        put_link("e/a.target.wants/m.service", "/dev/null");
        put_link("e/a.target.wants/z@1.socket", "../z@.socket");
        put_link("e/a.target.wants/nonsense", "x");
        put_file("e/a.target.wants/file.service", "x");
        put_link("e/ali.target.wants/w.service", "../w.service");
        put_link("e/a.target.requires/r.service", "../r.service");
        s = open_search(NULL);
        assert_int_equal(search_links(s, "a.target", (char *[]){(char *)"ali.target", NULL},
                                      ".wants", complaints_init(&c), &wants),
                         0);
        joined = strv_join(wants, " ");
        assert_string_equal(joined, "w.service x.service y.service z@1.socket");
        assert_string_equal(
                buf_text(&c.text),
                "w e/a.target.wants/file.service: Dependency is not a symlink, ignored.\n"
                "w e/a.target.wants/nonsense: 'nonsense' is not a valid unit name, "
                "dependency ignored.\n");
        assert_int_equal(search_links(s, "a.target", NULL, ".requires", NULL, &requires), 0);
        assert_int_equal(strv_length(requires), 1);
        assert_int_equal(search_links(s, "a.target", NULL, ".upholds", NULL, &none), 0);
        assert_int_equal(strv_length(none), 0);
}

static void test_list(void **state)
{
        CLEANUP(search) struct search *s = NULL;
        CLEANUP(strv) char **list = NULL;
        CLEANUP(free) char *joined = NULL;

        put_file("e/b.service", "x");
        put_file("l/a@.service", "x");
        put_link("l/c.service", "/dev/null");
        put_link("l/d.service", "b.service");
        put_file("l/b.service.d/x.conf", "x");
        s = open_search(NULL);
        assert_int_equal(search_add_block(s, "block.socket", "/etc/usher.conf", "/etc"), 0);
        assert_int_equal(search_list(s, &list), 0);
        joined = strv_join(list, " ");
        assert_string_equal(joined, "a@.service b.service block.socket c.service d.service");
}

static void test_blocks_rank_like_files_of_their_folder(void **state)
{
        CLEANUP(search) struct search *s = NULL;

        put_file("e/in-e.service", "x");
        put_file("l/in-l.service", "x");
        put_link("l/alias.service", "in-l.service");
        s = open_search(NULL);
        assert_int_equal(search_add_block(s, "in-e.service", "conf", at("e")), 0);
        assert_int_equal(search_add_block(s, "in-l.service", "conf", at("e")), 0);
        assert_int_equal(search_add_block(s, "t@.service", "conf", at("l")), 0);
        assert_int_equal(search_add_block(s, "in-e.service", "conf", at("l")), 0);
        assert_found(s, "in-e.service", "found in-e.service e/in-e.service ");
        assert_found(s, "in-l.service", "block in-l.service conf alias.service");
        assert_found(s, "t@x.service", "block t@x.service conf ");
        assert_int_equal(search_add_block(s, "in-e.service", "conf", "/elsewhere"), 0);
        assert_found(s, "in-e.service", "block in-e.service conf ");
}

static void test_missing_folders(void **state)
{
        CLEANUP(search) struct search *s = open_search(NULL);
        CLEANUP(strv) char **list = NULL;

        assert_int_equal(search_list(s, &list), 0);
        assert_int_equal(strv_length(list), 0);
        assert_int_equal(strv_length(search_dirs(s)), 2);
}

static int search_once(void *arg)
{
        CLEANUP(search) struct search *s = NULL;
        CLEANUP(strv) char **paths = NULL, **links = NULL, **list = NULL;
        CLEANUP(search_result) struct search_result result = {0};
        int r = search_new(arg, TRUST_ALL, NULL, &s);

        if (r >= 0)
                r = search_add_block(s, "b.service", "conf", "/etc");
        if (r >= 0)
                r = search_find(s, "u-v@i.service", &result);
        if (r >= 0)
                r = search_dropins(s, result.id, result.names, &paths);
        if (r >= 0)
                r = search_links(s, result.id, result.names, ".wants", NULL, &links);
        if (r >= 0)
                r = search_list(s, &list);
        if (r >= 0)
                assert_int_equal(strv_length(paths) + strv_length(links), 3);
        return r;
}

static void test_oom(void **state)
{
        CLEANUP(strv) char **dirs = NULL;

        put_file("e/t-x@.service", "x");
        put_link("e/u-v@.service", "t-x@.service");
        put_file("e/t-x@.service.d/a.conf", "x");
        put_file("e/u-.service.d/a.conf", "x");
        put_file("e/service.d/b.conf", "x");
        put_link("e/u-v@i.service.wants/x.service", "y");
        assert_int_equal(strv_push(&dirs, at("e")), 0);
        oom_prove(search_once, dirs);
}

static const struct CMUnitTest tests[] = {
        TOP_TEST(test_precedence),
        TOP_TEST(test_aliases),
        TOP_TEST(test_path_through_link),
        TOP_TEST(test_masks),
        TOP_TEST(test_templates),
        TOP_TEST(test_aliases_of_instances),
        TOP_TEST(test_instance_that_leaves_its_alias),
        TOP_TEST(test_dropin_order),
        TOP_TEST(test_dropin_chop),
        TOP_TEST(test_dropin_sorting_and_masks),
        TOP_TEST(test_wants),
        TOP_TEST(test_list),
        TOP_TEST(test_blocks_rank_like_files_of_their_folder),
        TOP_TEST(test_missing_folders),
        TOP_TEST(test_oom),
};
HARNESS_MAIN(tests)
