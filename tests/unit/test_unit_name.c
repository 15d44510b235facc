#include "conf/unit_name.h"

#include "base/str.h"
#include "unit/harness.h"

static const struct {
        const char *name;
        bool valid, is_template, is_instance;
        const char *prefix, *instance, *template_name;
} name_cases[] = {
        {"foo.service", true, false, false, "foo", NULL, NULL},
        {"foo@.service", true, true, false, "foo", "", "foo@.service"},
        {"foo@bar.service", true, false, true, "foo", "bar", "foo@.service"},
        {"foo@b@c.socket", true, false, true, "foo", "b@c", "foo@.socket"},
        {"a.b.target", true, false, false, "a.b", NULL, NULL},
        {"foo-bar@0-127.0.0.1:22-1.2.3.4:5.service", true, false, true, "foo-bar",
         "0-127.0.0.1:22-1.2.3.4:5", "foo-bar@.service"},
        {"a\\x2db.mount", true, false, false, "a\\x2db", NULL, NULL},
        {"-.slice", true, false, false, "-", NULL, NULL},
        {"foo", false, false, false, "foo", NULL, NULL},
        {"foo.bar", false, false, false, "foo", NULL, NULL},
        {".service", false, false, false, "", NULL, NULL},
        {"@.service", false, false, false, "", "", "@.service"},
        {"@x.service", false, false, false, "", "x", "@.service"},
        {"a b.service", false, false, false, "a b", NULL, NULL},
        {"a/b.service", false, false, false, "a/b", NULL, NULL},
        {"\xc3\xa4.service", false, false, false, "\xc3\xa4", NULL, NULL},
        {"", false, false, false, "", NULL, NULL},
};

static void test_parts(void **state)
{
        for (size_t i = 0; i < ARRAY_SIZE(name_cases); i++) {
                CLEANUP(free) char *prefix = NULL, *instance = NULL, *template_name = NULL;
                const char *name = name_cases[i].name;

                print_message("%s\n", name);
                assert_int_equal(unit_name_is_valid(name), name_cases[i].valid);
                assert_int_equal(unit_name_is_template(name), name_cases[i].is_template);
                assert_int_equal(unit_name_is_instance(name), name_cases[i].is_instance);
                assert_int_equal(unit_name_prefix(name, &prefix), 0);
                assert_int_equal(unit_name_instance(name, &instance), 0);
                assert_int_equal(unit_name_template(name, &template_name), 0);
                assert_string_equal(prefix, name_cases[i].prefix);
                assert_true(str_eq_ptr(instance, name_cases[i].instance));
                assert_true(str_eq_ptr(template_name, name_cases[i].template_name));
        }
}

static void test_length(void **state)
{
        char name[UNIT_NAME_MAX + 2];

        memset(name, 'a', sizeof(name));
        strcpy(name + UNIT_NAME_MAX - 8, ".service");
        assert_int_equal(strlen(name), 255);
        assert_true(unit_name_is_valid(name));
        memset(name, 'a', sizeof(name));
        strcpy(name + UNIT_NAME_MAX - 7, ".service");
        assert_false(unit_name_is_valid(name));
}

static void test_make(void **state)
{
        CLEANUP(free) char *a = NULL, *b = NULL, *c = NULL, *none = NULL;

        assert_int_equal(unit_name_with_instance("foo@.service", "x.y", &a), 0);
        assert_string_equal(a, "foo@x.y.service");
        assert_int_equal(unit_name_with_instance("foo@old.service", "new", &b), 0);
        assert_string_equal(b, "foo@new.service");
        assert_int_equal(unit_name_with_instance("foo.service", "x", &none), 0);
        assert_null(none);
        assert_int_equal(unit_name_change_suffix("foo@x.socket", UNIT_SERVICE, &c), 0);
        assert_string_equal(c, "foo@x.service");
        for (int t = 0; t < _UNIT_TYPE_MAX; t++)
                assert_int_equal(unit_type_from_name(unit_type_name((enum unit_type)t)), t);
        assert_int_equal(unit_type_from_name("bogus"), _UNIT_TYPE_INVALID);
        assert_int_equal(unit_name_type("x.timer"), UNIT_TIMER);
        assert_int_equal(unit_name_type("x"), _UNIT_TYPE_INVALID);
}

static const struct {
        const char *text;
        bool is_path;
        const char *escaped;   // NULL: refused
        const char *unescaped; // of escaped; NULL: the text
} escape_cases[] = {
        {"foo/bar -x.y", false, "foo-bar\\x20\\x2dx.y", NULL},
        {".a", false, "\\x2ea", NULL},
        {"a.b_c:d", false, "a.b_c:d", NULL},
        {"", false, "", NULL},
        {"\xc3\xa4@", false, "\\xc3\\xa4\\x40", NULL},
        {"a\\b", false, "a\\x5cb", NULL},
        {"/", true, "-", NULL},
        {"/dev/sda-1", true, "dev-sda\\x2d1", NULL},
        {"//a/./b/", true, "a-b", "/a/b"},
        {"/a/../b", true, NULL, NULL},
        {"a/../b", true, NULL, NULL},
        {"../a", true, NULL, NULL},
        {".", true, NULL, NULL},
        {"./a", true, "a", "/a"},
};

static void test_escape(void **state)
{
        for (size_t i = 0; i < ARRAY_SIZE(escape_cases); i++) {
                CLEANUP(free) char *escaped = NULL, *back = NULL;
                int r = unit_name_escape(escape_cases[i].text, escape_cases[i].is_path, &escaped);

                print_message("%s\n", escape_cases[i].text);
                if (!escape_cases[i].escaped) {
                        assert_int_equal(r, -EINVAL);
                        continue;
                }
                assert_int_equal(r, 0);
                assert_string_equal(escaped, escape_cases[i].escaped);
                assert_int_equal(unit_name_unescape(escaped, escape_cases[i].is_path, &back), 0);
                assert_string_equal(back, escape_cases[i].unescaped ? escape_cases[i].unescaped
                                                                    : escape_cases[i].text);
        }
}

static void test_unescape_refuses(void **state)
{
        static const char *const bad[] = {"\\", "\\x", "\\x2", "\\x2g", "\\x00", "\\n", "a\\"};
        char *none = NULL;

        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                assert_int_equal(unit_name_unescape(bad[i], false, &none), -EINVAL);
        assert_int_equal(unit_name_unescape("a--b", true, &none), -EINVAL); // "/a//b"
        assert_int_equal(unit_name_unescape("..-b", true, &none), -EINVAL);
        assert_int_equal(unit_name_unescape("", true, &none), 0);
        assert_string_equal(none, "/");
        free(none);
}

static const struct {
        const char *text, *name; // NULL: refused
} mangle_cases[] = {
        {"foo", "foo.service"},
        {"foo.socket", "foo.socket"},
        {"foo@x", "foo@x.service"},
        {"foo@.service", "foo@.service"},
        {"a b", "a\\x20b.service"},
        {"a/b", "a-b.service"},
        {"/", "-.mount"},
        {"/srv/x/", "srv-x.mount"},
        {"/dev/sda", "dev-sda.device"},
        {"*.socket", "*.socket"},
        {"ssh*", "ssh*.service"},
        {"foo.bar", "foo.bar.service"},
        {"@", NULL},
        {"", NULL},
        {"/a/../b", NULL},
};

static void test_mangle(void **state)
{
        for (size_t i = 0; i < ARRAY_SIZE(mangle_cases); i++) {
                CLEANUP(free) char *name = NULL;
                int r = unit_name_mangle(mangle_cases[i].text, UNIT_SERVICE, &name);

                print_message("%s\n", mangle_cases[i].text);
                assert_int_equal(r, mangle_cases[i].name ? 0 : -EINVAL);
                assert_true(str_eq_ptr(name, mangle_cases[i].name));
        }
}

static int make_all(void *arg)
{
        CLEANUP(free) char *a = NULL, *b = NULL, *c = NULL, *d = NULL, *e = NULL, *f = NULL;
        int r = unit_name_prefix("foo@bar.service", &a);

        if (r >= 0)
                r = unit_name_instance("foo@bar.service", &b);
        if (r >= 0)
                r = unit_name_template("foo@bar.service", &c);
        if (r >= 0)
                r = unit_name_change_suffix("foo.service", UNIT_SOCKET, &d);
        if (r >= 0)
                r = unit_name_mangle("/a b", UNIT_SERVICE, &e);
        if (r >= 0)
                r = unit_name_unescape("a-b", true, &f);
        return r;
}

static void test_oom(void **state)
{
        oom_prove(make_all, NULL);
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_length),
        cmocka_unit_test(test_make),
        cmocka_unit_test(test_escape),
        cmocka_unit_test(test_unescape_refuses),
        cmocka_unit_test(test_mangle),
        cmocka_unit_test(test_oom),
};
HARNESS_MAIN(tests)
