#include "base/parse.h"

#include "base/str.h"
#include "base/strv.h"
#include "unit/harness.h"

#define NONE 0
#define QUOTE PARSE_WORD_UNQUOTE
#define FULL (PARSE_WORD_UNQUOTE | PARSE_WORD_UNESCAPE)
#define RELAXED (FULL | PARSE_WORD_KEEP_UNKNOWN)
#define RAW (PARSE_WORD_UNQUOTE | PARSE_WORD_NO_BACKSLASH)

// Words are joined with '|'; NULL: refused with -EINVAL.
static const struct {
        enum parse_word_flags flags;
        const char *text, *words;
} lines[] = {
        {FULL, "", ""},
        {FULL, "  \t\n", ""},
        {FULL, " a  b\tc\n", "a|b|c"},
        {FULL, "'a b' \"c d\"", "a b|c d"},
        {FULL, "A='b c'", "A=b c"}, // quotes in the middle of a word
        {FULL, "a\"b c\"d'e f'g", "ab cde fg"},
        {FULL, "\"\" ''", "|"},
        {FULL, "\"it's\" 'say \"x\"'", "it's|say \"x\""},
        {FULL, "\"a", NULL},
        {FULL, "a 'b", NULL},
        {NONE, "'a b'", "'a|b'"},
        {FULL, "\\a\\b\\f\\n\\r\\t\\v\\\\\\\"\\'", "\a\b\f\n\r\t\v\\\"'"},
        {FULL, "a\\sb", "a b"},
        {FULL, "\\x41\\102\\u20ac\\U0001F600", "AB\xe2\x82\xac\xf0\x9f\x98\x80"},
        {FULL, "\\u00e4\\u07ff\\xe4", "\xc3\xa4\xdf\xbf\xe4"},
        {FULL, "'\\x41 \\''", "A '"}, // inside quotes just the same
        {FULL, "\\x4", NULL},
        {FULL, "\\x00", NULL}, // no NUL by any spelling
        {FULL, "\\000", NULL},
        {FULL, "\\u0000", NULL},
        {FULL, "\\U00000000", NULL},
        {FULL, "\\400", NULL}, // above 255
        {FULL, "\\18", NULL},
        {FULL, "\\ud800", NULL}, // surrogate
        {FULL, "\\U00110000", NULL},
        {FULL, "\\u12", NULL},
        {FULL, "\\d", NULL},
        {FULL, "a\\ b", NULL},
        {FULL, "a\\", NULL},
        {FULL, "'a\\", NULL},
        {RELAXED, "\\d \\x4 a\\ b", "\\d|\\x4|a\\ b"}, // unknown escapes stay
        {RELAXED, "a\\", "a\\"},
        {RELAXED, "a b\\", "a|b\\"},
        {RELAXED, "\\", "\\"},
        {RELAXED, "'a\\", NULL},
        {RELAXED, "'a", NULL},
        {RELAXED, "\\n", "\n"},
        {QUOTE, "a\\ b \\\"c \\n", "a b|\"c|n"}, // no C escapes: the next byte as it is
        {QUOTE, "a\\", NULL},
        {RAW, "a\\ b \"c\\\" d\\", "a\\|b|c\\|d\\"},
        {RAW, "\\x41", "\\x41"},
        {FULL, "\xff\xfe \x01", "\xff\xfe|\x01"},
};

static void test_words(void **state)
{
        for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
                CLEANUP(strv) char **v = NULL;
                int r = parse_words(lines[i].text, lines[i].flags, &v);

                if (!lines[i].words) {
                        if (r != -EINVAL || v)
                                fail_msg("not refused: %s", lines[i].text);
                        continue;
                }
                assert_int_equal(r, 0);
                CLEANUP(free) char *joined = strv_join(v, "|");
                assert_string_equal(joined, lines[i].words);
        }
}

static void test_one_at_a_time(void **state)
{
        const char *p = "a:'b:c'::d e";
        static const char *const words[] = {"a", "b:c", "d e"};

        for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
                CLEANUP(free) char *word = NULL;

                assert_int_equal(parse_word(&p, ":", FULL, &word), 1);
                assert_string_equal(word, words[i]);
        }
        char *none = NULL;
        assert_int_equal(parse_word(&p, ":", FULL, &none), 0);
        assert_string_equal(p, "");
        assert_null(none);
}

static void test_an_error_leaves_the_position(void **state)
{
        const char *text = "  'a", *p = text;
        char *none = NULL;

        assert_int_equal(parse_word(&p, " ", FULL, &none), -EINVAL);
        assert_ptr_equal(p, text + 2);
        assert_null(none);
}

static void test_assignments(void **state)
{
        static const struct {
                const char *text, *name, *value; // NULL: there is none
        } rows[] = {
                {"ID=debian\nVERSION_ID=\"12\"\n", "ID", "debian"},
                {"ID=debian\nVERSION_ID=\"12\"\n", "VERSION_ID", "12"},
                {"ID=debian\nVERSION_ID=\"12\"\n", "VERSION", NULL},
                {"ID=a\nID=b", "ID", "b"},
                {"ID=a\nID=", "ID", ""},
                {"ID=a\nID='b", "ID", ""},
                {"  ID=a b \r\n", "ID", "a b"},
                {"NAME='a b' \"c\\\"\"\n", "NAME", "a b c\""},
                {"#ID=a\n ID =b\nXID=c", "ID", NULL},
                {"ID\n=a", "ID", NULL},
                {"", "ID", NULL},
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                CLEANUP(free) char *value = NULL;

                print_message("%s\n", rows[i].text);
                assert_int_equal(parse_shell_variable(rows[i].text, rows[i].name, &value),
                                 rows[i].value != NULL);
                assert_true(str_eq_ptr(value, rows[i].value));
        }
}

static int parse_some(void *arg)
{
        CLEANUP(strv) char **v = NULL;
        CLEANUP(free) char *value = NULL;
        int r = parse_shell_variable("a=1\na=2\nb=", "a", &value);

        return r < 0 ? r
                     : parse_words(
                               "a 'b c' \\x41 ddddddddddddddddddddddddddddddddddddddddddddddddddddd"
                               "ddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd",
                               FULL, &v);
}

static void test_oom(void **state)
{
        oom_prove(parse_some, NULL);
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_one_at_a_time),
        cmocka_unit_test(test_an_error_leaves_the_position),
        cmocka_unit_test(test_assignments),
        cmocka_unit_test(test_oom),
};
HARNESS_MAIN(tests)
