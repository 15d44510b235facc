#include "base/str.h"

#include "unit/harness.h"

static void test_comparing(void **state)
{
        char a[] = "x", b[] = "x";

        assert_true(streq(a, b));
        assert_false(streq("x", "X"));
        assert_true(str_eq_ptr(NULL, NULL));
        assert_true(str_eq_ptr(a, b));
        assert_false(str_eq_ptr(a, NULL));
        assert_false(str_eq_ptr(NULL, b));
        assert_true(str_is_empty(NULL));
        assert_true(str_is_empty(""));
        assert_false(str_is_empty(" "));
}

static void test_prefix_and_suffix(void **state)
{
        static const char s[] = "foo.service";

        assert_ptr_equal(str_after_prefix(s, "foo."), s + 4);
        assert_ptr_equal(str_after_prefix(s, ""), s);
        assert_ptr_equal(str_after_prefix(s, s), s + 11);
        assert_null(str_after_prefix(s, "foo.service.d"));
        assert_null(str_after_prefix(s, "Foo"));
        assert_ptr_equal(str_at_suffix(s, ".service"), s + 3);
        assert_ptr_equal(str_at_suffix(s, ""), s + 11);
        assert_ptr_equal(str_at_suffix(s, s), s);
        assert_null(str_at_suffix(s, "xfoo.service"));
        assert_null(str_at_suffix(s, ".socket"));
}

static void test_ndup_stops_at_the_end(void **state)
{
        CLEANUP(free) char *a = str_ndup("abc", 2), *b = str_ndup("abc", 100);

        assert_string_equal(a, "ab");
        assert_string_equal(b, "abc");
}

static void test_set_replaces(void **state)
{
        char *s = NULL;

        assert_int_equal(str_set(&s, "one"), 0);
        assert_string_equal(s, "one");
        assert_int_equal(str_set(&s, s), 0); // itself
        assert_string_equal(s, "one");
        assert_int_equal(str_set(&s, NULL), 0);
        assert_null(s);
}

static void test_strip(void **state)
{
        static const char *const cases[][2] = {
                {"", ""}, {" \t\n\r\v\f", ""}, {"a", "a"}, {"  a b\t ", "a b"}, {"a\xa0", "a\xa0"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                CLEANUP(free) char *s = strdup(cases[i][0]);

                assert_string_equal(str_strip(s), cases[i][1]);
        }
}

static void test_copy_cut(void **state)
{
        static const struct {
                const char *from;
                size_t size;
                const char *to;
        } rows[] = {
                {"abc", 4, "abc"},
                {"abc", 3, "ab"},
                {"abc", 1, ""},
                {"", 1, ""},
                {"a\xe2\x82\xac", 5, "a\xe2\x82\xac"},
                {"a\xe2\x82\xac", 4, "a"},
                {"a\xe2\x82\xac", 2, "a"},
                {"\xe2\x82\xac", 3, ""},
                {"\xe2\x82\xac"
                 "b",
                 4, "\xe2\x82\xac"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                char to[8];

                str_copy_cut(to, rows[i].size, rows[i].from);
                assert_string_equal(to, rows[i].to);
        }
}

static void test_utf8_and_escape(void **state)
{
        static const struct {
                const char *raw, *safe;
                bool is_utf8;
        } cases[] = {
                {"", "", true},
                {"plain \\ text", "plain \\ text", true},
                {"a\tb", "a\tb", true},
                {"a\nb\x1b[0m\x7f", "a\\x0ab\\x1b[0m\\x7f", true},
                {"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80",
                 true},
                {"\xc2\x9b[0m", "\\xc2\\x9b[0m", true}, // CSI as one character
                {"\xc2\xa0", "\xc2\xa0", true},
                // Right to left: overrides, isolates, marks; and the ends of lines.
                {"a\xe2\x80\xae"
                 "b",
                 "a\\xe2\\x80\\xae"
                 "b",
                 true},
                {"\xe2\x80\xa8\xe2\x80\xa9", "\\xe2\\x80\\xa8\\xe2\\x80\\xa9", true},
                {"\xe2\x80\xaa\xe2\x80\xaf", "\\xe2\\x80\\xaa\xe2\x80\xaf", true},
                {"\xe2\x81\xa5\xe2\x81\xa6\xe2\x81\xa9\xe2\x81\xaa",
                 "\xe2\x81\xa5\\xe2\\x81\\xa6\\xe2\\x81\\xa9\xe2\x81\xaa", true},
                {"\xe2\x80\x8d\xe2\x80\x8e\xe2\x80\x8f\xe2\x80\x90",
                 "\xe2\x80\x8d\\xe2\\x80\\x8e\\xe2\\x80\\x8f\xe2\x80\x90", true},
                {"\xd8\x9c\xd8\x9b", "\\xd8\\x9c\xd8\x9b", true},
                {"\xff", "\\xff", false},
                {"\x80", "\\x80", false},
                {"\xc3", "\\xc3", false},                            // cut off
                {"\xe2\x82", "\\xe2\\x82", false},                   // cut off
                {"\xc0\xaf", "\\xc0\\xaf", false},                   // overlong '/'
                {"\xe0\x80\xaf", "\\xe0\\x80\\xaf", false},          // overlong
                {"\xf0\x80\x80\xaf", "\\xf0\\x80\\x80\\xaf", false}, // overlong
                {"\xed\xa0\x80", "\\xed\\xa0\\x80", false},          // surrogate
                {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80", false}, // beyond Unicode
                {"\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf", true},
                {"\xf5\x80\x80\x80", "\\xf5\\x80\\x80\\x80", false},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                CLEANUP(free) char *safe = str_escape(cases[i].raw);

                assert_string_equal(safe, cases[i].safe);
                assert_int_equal(str_is_utf8(cases[i].raw), cases[i].is_utf8);
        }
        CLEANUP(free) char *lines = str_escape_lines("a\n\x1b[m\n\r\n");

        assert_string_equal(lines, "a\n\\x1b[m\n\\x0d\n");
        assert_int_equal(str_utf8_length(""), 1);
        assert_int_equal(str_utf8_length("\xe2\x82\xac"), 3);
        assert_int_equal(str_utf8_length("\xe2\x82"), 0);
}

static void test_nearest(void **state)
{
        static const char *const names[] = {"ListenStream", "ListenDatagram", "Accept", "Service",
                                            "ExecStart",    "ExecStop",       "On"};
        static const char *const cases[][2] = {
                {"ListenSteam", "ListenStream"},
                {"ListenStraem", "ListenStream"},
                {"listenstream", "ListenStream"},
                {"ListenStreams", "ListenStream"},
                {"LsitenDatagrm", "ListenDatagram"},
                {"Acccept", "Accept"},
                {"ExecStrt", "ExecStart"},
                {"Servcie", "Service"},
                {"Colour", NULL},
                {"X", NULL},
                {"", NULL},
                {"ListenStreamListenStream", NULL},
        };
        char longer[1000];

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                const char *found = str_nearest(cases[i][0], names, ARRAY_SIZE(names));

                if (cases[i][1])
                        assert_string_equal(found, cases[i][1]);
                else
                        assert_null(found);
        }
        memset(longer, 'a', sizeof(longer) - 1);
        longer[sizeof(longer) - 1] = '\0';
        assert_null(str_nearest(longer, names, ARRAY_SIZE(names)));
        assert_null(str_nearest("Accept", names, 0));
}

static void test_oom(void **state)
{
        OOM_LOOP {
                CLEANUP(free) char *a = str_printf("%d-%s", 1, "x");

                if (!a && oom_was_hit())
                        continue;
                CLEANUP(free) char *b = str_escape(a);
                if (!b && oom_was_hit())
                        continue;
                CLEANUP(free) char *c = str_ndup(b, 2);
                if (!c && oom_was_hit())
                        continue;
                assert_string_equal(c, "1-");
                int r = str_set(&c, "longer than before");
                if (oom_struck(r)) {
                        assert_string_equal(c, "1-"); // unchanged
                        continue;
                }
                assert_int_equal(r, 0);
        }
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_comparing),
        cmocka_unit_test(test_prefix_and_suffix),
        cmocka_unit_test(test_ndup_stops_at_the_end),
        cmocka_unit_test(test_set_replaces),
        cmocka_unit_test(test_strip),
        cmocka_unit_test(test_copy_cut),
        cmocka_unit_test(test_utf8_and_escape),
        cmocka_unit_test(test_nearest),
        cmocka_unit_test(test_oom),
};
HARNESS_MAIN(tests)
