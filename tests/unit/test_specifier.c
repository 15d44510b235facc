#include "conf/specifier.h"

#include "base/str.h"
#include "conf/types.h"
#include "unit/conf_fixture.h"

#include <sys/utsname.h>

#define M "\x01"

static const struct {
        const char *text, *expanded; // NULL: refused
        enum specifier_set set;
        const char *unit;
} cases[] = {
        {"%n|%N|%p|%P|%i|%I|%j|%J",
         "a-b\\x2dc@x-y.service|a-b\\x2dc@x-y|a-b\\x2dc|a/b-c|x-y|x/y|b\\x2dc|b-c", SPECIFIERS_ALL,
         "a-b\\x2dc@x-y.service"},
        {"%n %p %i %I %j", "foo.socket foo   foo", SPECIFIERS_ALL, "foo.socket"},
        {"%f", "/x/y", SPECIFIERS_ALL, "foo@x-y.service"},
        {"%f", "/foo/bar", SPECIFIERS_ALL, "foo-bar.service"},
        {"%f %I", "/0/[::1]:22 0/[::1]:22", SPECIFIERS_ALL, "foo@0-[::1]:22.service"},
        {"%t %S %C %L %E", "/run /var/lib /var/cache /var/log /etc", SPECIFIERS_ALL, "a.service"},
        {"%d", "/run/credentials/a.service", SPECIFIERS_ALL, "a.service"},
        {"100%% %%n %", "100% %n %", SPECIFIERS_ALL, "a.service"},
        {"%- %_ %=", "%- %_ %=", SPECIFIERS_ALL, "a.service"},
        {"", "", SPECIFIERS_ALL, "a.service"},
        {"%z", NULL, SPECIFIERS_ALL, "a.service"},
        {"%1", NULL, SPECIFIERS_ALL, "a.service"},
        {"%p@%i.service", "foo@x.service", SPECIFIERS_UNIT_NAME, "foo@x.socket"},
        {"%t", NULL, SPECIFIERS_UNIT_NAME, "a.service"},
        {"%P", NULL, SPECIFIERS_UNIT_NAME, "a.service"},
        {"%h", NULL, SPECIFIERS_INSTALL, "a.service"},
        {"%j-%N", "b-a-b", SPECIFIERS_INSTALL, "a-b.service"},
};

static void test_table(void **state)
{
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct specifier_context context = {.unit_name = cases[i].unit};
                CLEANUP(free) char *expanded = NULL;
                char bad = '\0';
                int r = specifier_expand(cases[i].text, &context, cases[i].set, &expanded, &bad);

                print_message("%s\n", cases[i].text);
                if (!cases[i].expanded) {
                        assert_int_equal(r, -EINVAL);
                        assert_int_equal(bad, cases[i].text[1]);
                        assert_null(expanded);
                        continue;
                }
                assert_int_equal(r, 0);
                assert_string_equal(expanded, cases[i].expanded);
        }
}

// What each letter gives is not ours to say here; that it gives something, or a reason, is.
static void test_every_letter(void **state)
{
        struct specifier_context context = {.unit_name = "a@b.service",
                                            .fragment_path = "/etc/hosts"};
        static const char may_fail[] = "mbcrR"; // no id here; no cgroup
        static const char may_be_empty[] = "ABMoqwW";

        for (const char *letter = "aAbBcCdEfgGhHiIjJlLmMnNopPqrRsStTuUvVwWyY"; *letter; letter++) {
                CLEANUP(free) char *expanded = NULL;
                char text[] = {'%', *letter, '\0'};
                int r = specifier_expand(text, &context, SPECIFIERS_ALL, &expanded, NULL);

                print_message("%s -> %s\n", text, expanded);
                if (r < 0) {
                        assert_true(r != -EINVAL && strchr(may_fail, *letter));
                        continue;
                }
                assert_true(expanded[0] || strchr(may_be_empty, *letter));
        }
}

static void test_host(void **state)
{
        struct specifier_context context = {.unit_name = "a.service"};
        CLEANUP(free) char *expanded = NULL, *expected = NULL;
        struct utsname u;

        assert_int_equal(uname(&u), 0);
        expected = str_printf("%s %s %u", u.nodename, u.release, geteuid());
        assert_int_equal(specifier_expand("%H %v %U", &context, SPECIFIERS_ALL, &expanded, NULL),
                         0);
        assert_string_equal(expanded, expected);
}

static void test_fragment(void **state)
{
        struct specifier_context context = {.unit_name = "a.service"};
        CLEANUP(free) char *expanded = NULL, *expected = NULL, *gone = NULL;

        assert_int_equal(specifier_expand("%y", &context, SPECIFIERS_ALL, &gone, NULL), -ENOENT);
        put_file("real/a.service", "");
        put_link("a.service", "real/a.service");
        context.fragment_path = at("a.service");
        expected = str_printf("%s/real/a.service %s/real", top, top);
        assert_int_equal(specifier_expand("%y %Y", &context, SPECIFIERS_ALL, &expanded, NULL), 0);
        assert_string_equal(expanded, expected);
        context.fragment_path = "/nowhere/x.service";
        assert_int_equal(specifier_expand("%Y", &context, SPECIFIERS_ALL, &gone, NULL), 0);
        assert_string_equal(gone, "/nowhere");
}

static void test_user_roots(void **state)
{
        static const char *const unset[] = {"XDG_STATE_HOME", "XDG_CACHE_HOME", "TMPDIR", "TEMP",
                                            "TMP"};
        struct specifier_context context = {.unit_name = "a.service", .is_user = true};
        CLEANUP(free) char *expanded = NULL, *given = NULL, *none = NULL;

        for (size_t i = 0; i < ARRAY_SIZE(unset); i++)
                unsetenv(unset[i]);
        setenv("HOME", "/h", 1);
        setenv("XDG_CONFIG_HOME", "/x", 1);
        setenv("XDG_RUNTIME_DIR", "/r", 1);
        assert_int_equal(specifier_expand("%h %t %S %C %L %E %T %V", &context, SPECIFIERS_ALL,
                                          &expanded, NULL),
                         0);
        assert_string_equal(expanded, "/h /r /h/.local/state /h/.cache /h/.local/state/log /x /tmp "
                                      "/var/tmp");
        context.runtime_root = "/my";
        setenv("TMPDIR", top, 1);
        assert_int_equal(specifier_expand("%t %T", &context, SPECIFIERS_ALL, &given, NULL), 0);
        assert_true(str_after_prefix(given, "/my /tmp/usher-test"));
        context.runtime_root = NULL;
        unsetenv("XDG_RUNTIME_DIR");
        unsetenv("TMPDIR");
        assert_int_equal(specifier_expand("%t", &context, SPECIFIERS_ALL, &none, NULL), -ENXIO);
}

static const struct {
        const char *text, *deferred, *filled; // for foo@0-1.service
} deferred_cases[] = {
        {"a %n %p", "a " M "n foo", "a foo@0-1.service foo"},
        {"%i-%I-%N-%f-%j", M "i-" M "I-" M "N-" M "f-foo", "0-1-0/1-foo@0-1-/0/1-foo"},
        {"%d", "/run/credentials/" M "n", "/run/credentials/foo@0-1.service"},
        {"x" M "i", "x" M M "i", "x" M "i"},
        {"%%i", "%i", "%i"},
};

static void test_protected(void **state)
{
        static const char *const texts[] = {"", "a", "\001", "a\001n", "\001\001i"};

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                CLEANUP(free) char *safe = specifier_protect(texts[i]);
                CLEANUP(free) char *filled = specifier_fill(safe, "a@b.service");

                assert_string_equal(filled, texts[i]);
        }
}

static void test_deferred(void **state)
{
        struct specifier_context context = {.unit_name = "foo@.service", .defer_instance = true};

        for (size_t i = 0; i < ARRAY_SIZE(deferred_cases); i++) {
                CLEANUP(free) char *deferred = NULL, *filled = NULL;

                print_message("%s\n", deferred_cases[i].text);
                assert_int_equal(specifier_expand(deferred_cases[i].text, &context, SPECIFIERS_ALL,
                                                  &deferred, NULL),
                                 0);
                assert_string_equal(deferred, deferred_cases[i].deferred);
                assert_int_equal(specifier_has_marks(deferred), strchr(deferred, 1) != NULL);
                filled = specifier_fill(deferred, "foo@0-1.service");
                assert_string_equal(filled, deferred_cases[i].filled);
        }
}

static int expand_all(void *arg)
{
        struct specifier_context context = {
                .unit_name = "a@b.service", .fragment_path = "/etc/hosts", .defer_instance = true};
        CLEANUP(free) char *deferred = NULL, *filled = NULL;
        int r = specifier_expand("%n %i %I %f %o %y %q %P %J %u", &context, SPECIFIERS_ALL,
                                 &deferred, NULL);

        if (r < 0)
                return r;
        filled = specifier_fill(deferred, "a@c.service");
        return filled ? 0 : -ENOMEM;
}

static void test_oom(void **state)
{
        oom_prove(expand_all, NULL);
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),    cmocka_unit_test(test_every_letter),
        cmocka_unit_test(test_host),     TOP_TEST(test_fragment),
        TOP_TEST(test_user_roots),       cmocka_unit_test(test_protected),
        cmocka_unit_test(test_deferred), cmocka_unit_test(test_oom),
};
HARNESS_MAIN(tests)
