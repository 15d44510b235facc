#include "conf/ini.h"

#include "base/fd.h"
#include "unit/conf_fixture.h"

#include <fcntl.h>

struct listing {
        struct buf text;
        int fail_at; // this many assignments are taken, then -ECANCELED
};

static bool on_section(void *data, const char *section)
{
        return !str_after_prefix(section, "X-") && !streq(section, "Bogus");
}

static int on_assign(void *data, const char *section, const char *name, const char *value,
                     const char *file, unsigned line)
{
        struct listing *l = data;

        if (--l->fail_at == 0)
                return -ECANCELED;
        buf_printf(&l->text, "%u %s.%s=[%s]\n", line, section, name, value);
        return l->text.error;
}

static int list(const char *text, size_t size, struct listing *l, struct complaints *c)
{
        struct ini_sink sink = {on_section, on_assign, l, "a.service", complaints_init(c)};

        return ini_parse(text, size, "f", &sink);
}

static const struct {
        const char *text, *listing, *complaints;
        int result;
} cases[] = {
        {"", "", "", 0},
        {"[A]\na=b\n", "2 A.a=[b]\n", "", 0},
        {"[A]\na=b", "2 A.a=[b]\n", "", 0},
        {"\n  [A]  \r\n\ta = b c \t\r\n b=\r\n", "3 A.a=[b c]\n4 A.b=[]\n", "", 0},
        {"[A]\n# x\n ; y\na=1 # no comment\n", "4 A.a=[1 # no comment]\n", "", 0},
        {"\xef\xbb\xbf[A]\na=b\n", "2 A.a=[b]\n", "", 0},
        {"[A]\na=b \\\n c\\\nd\nx=y\n", "4 A.a=[b   c d]\n5 A.x=[y]\n", "", 0},
        {"[A]\na=b\\\n# between\n;too\\\n c\n", "5 A.a=[b  c]\n", "", 0},
        {"[A]\na=b\\", "3 A.a=[b]\n", "", 0},
        {"[A]\na=b\\\n\nx=y\n", "3 A.a=[b]\n4 A.x=[y]\n", "", 0},
        {"[A]\na=b\\\\\nx=y\n", "2 A.a=[b\\\\]\n3 A.x=[y]\n", "", 0},
        {"[A]\na=b\\ \nx=y\n", "2 A.a=[b\\]\n3 A.x=[y]\n", "", 0},
        {"[A]\na==b=c\n", "2 A.a=[=b=c]\n", "", 0},
        {"[A]\nnonsense\n=x\na=1\n", "4 A.a=[1]\n",
         "w f:2: Missing '=', ignoring line.\nw f:3: Missing key name before '=', ignoring line.\n",
         0},
        {"a=b\n[A]\na=b\n", "3 A.a=[b]\n", "w f:1: Assignment outside of section. Ignoring.\n", 0},
        {"[Bogus]\na=b\nnonsense\n[A]\na=b\n", "5 A.a=[b]\n",
         "w f:1: Unknown section 'Bogus'. Ignoring.\n", 0},
        {"[]\na=b\n[A]\na=b\n", "4 A.a=[b]\n", "w f:1: Unknown section ''. Ignoring.\n", 0},
        {"[X-Y]\na=b\n[A]\na=b\n", "4 A.a=[b]\n", "", 0},
        {"[A]\na=1\n[B]\nb=2\n[A]\na=3\n", "2 A.a=[1]\n4 B.b=[2]\n6 A.a=[3]\n", "", 0},
        {"[A]\na=1\n[A\nb=2\n", "2 A.a=[1]\n", "e f:3: Invalid section header '[A'\n", -EBADMSG},
        {"[A\x02]\n", "", "e f:1: Bad characters in section header '[A\x02]'\n", -EBADMSG},
        {"[", "", "e f:1: Invalid section header '['\n", -EBADMSG},
        {"[A]\na=\xff\nb=1\n", "",
         "e f:2: String is not UTF-8 clean, ignoring assignment: a=\\xff\n", -EINVAL},
        {"[A]\n#\xff\nb=1\n", "3 A.b=[1]\n", "", 0},
};

static void test_table(void **state)
{
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                CLEANUP(complaints) struct complaints c;
                struct listing l = {0};

                print_message("%s\n", cases[i].text);
                assert_int_equal(list(cases[i].text, strlen(cases[i].text), &l, &c),
                                 cases[i].result);
                assert_string_equal(buf_text(&l.text), cases[i].listing);
                assert_string_equal(buf_text(&c.text), cases[i].complaints);
                buf_done(&l.text);
        }
}

// Who takes every section gets no nameless one either.
static void test_every_section(void **state)
{
        static const char text[] = "[]\na=b\n[Bogus]\na=b\n";
        CLEANUP(complaints) struct complaints c;
        struct listing l = {0};
        struct ini_sink sink = {NULL, on_assign, &l, "a.service", complaints_init(&c)};

        assert_int_equal(ini_parse(text, strlen(text), "f", &sink), 0);
        assert_string_equal(buf_text(&l.text), "4 Bogus.a=[b]\n");
        assert_string_equal(buf_text(&c.text), "w f:1: Unknown section ''. Ignoring.\n");
        buf_done(&l.text);
}

static void test_nul_byte(void **state)
{
        static const char text[] = "[A]\na=b\0c\nx=y\n#\0\n\0";
        CLEANUP(complaints) struct complaints c;
        struct listing l = {0};

        assert_int_equal(list(text, sizeof(text) - 1, &l, &c), 0);
        assert_string_equal(buf_text(&l.text), "3 A.x=[y]\n");
        assert_string_equal(buf_text(&c.text), "w f:2: NUL byte in line, ignoring line.\n"
                                               "w f:5: NUL byte in line, ignoring line.\n");
        buf_done(&l.text);
}

static void test_long_lines(void **state)
{
        static const struct {
                size_t lines, length; // of the value's parts
                const char *complaint;
        } sizes[] = {
                {1, INI_LINE_MAX - 2, ""},
                {1, INI_LINE_MAX - 1, "e f:2: Line too long\n"},
                {1, INI_LINE_MAX * 2, "e f:2: Line too long\n"},
                {4, INI_LINE_MAX / 4 - 4, ""},
                {5, INI_LINE_MAX / 4 - 4, "e f:6: Continuation line too long\n"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
                CLEANUP(complaints) struct complaints c;
                CLEANUP(buf) struct buf text = BUF_NULL;
                CLEANUP(free) char *part = malloc(sizes[i].length);
                struct listing l = {0};
                bool is_refused = sizes[i].complaint[0] != '\0';

                memset(part, 'x', sizes[i].length);
                buf_puts(&text, "[A]\na=");
                for (size_t n = 0; n < sizes[i].lines; n++) {
                        buf_put(&text, part, sizes[i].length);
                        buf_puts(&text, n + 1 < sizes[i].lines ? "\\\n" : "\n");
                }
                assert_int_equal(list(text.data, text.size, &l, &c), is_refused ? -ENOBUFS : 0);
                assert_string_equal(buf_text(&c.text), sizes[i].complaint);
                assert_int_equal(l.text.size > 0, !is_refused);
                buf_done(&l.text);
        }
}

static void test_caller_ends_it(void **state)
{
        static const char text[] = "[A]\na=1\nb=2\nc=3\n";
        CLEANUP(complaints) struct complaints c;
        struct listing l = {.fail_at = 2};

        assert_int_equal(list(text, strlen(text), &l, &c), -ECANCELED);
        assert_string_equal(buf_text(&l.text), "2 A.a=[1]\n");
        buf_done(&l.text);
}

static void test_file(void **state)
{
        CLEANUP(complaints) struct complaints c;
        struct listing l = {0};
        struct ini_sink sink = {NULL, on_assign, &l, NULL, complaints_init(&c)};

        put_file("x", "[Bogus]\na=1\nb\n");
        CLEANUP(fd) int fd = open(at("x"), O_RDONLY | O_CLOEXEC);
        CLEANUP(fd) int folder = open(top, O_RDONLY | O_CLOEXEC);
        assert_int_equal(ini_parse_fd(fd, at("x"), &sink), 0);
        assert_string_equal(buf_text(&l.text), "2 Bogus.a=[1]\n");
        assert_string_equal(buf_text(&c.text), "w x:3: Missing '=', ignoring line.\n");
        assert_int_equal(ini_parse_fd(folder, top, &sink), -EISDIR);
        buf_done(&l.text);
}

static int parse_once(void *arg)
{
        static const char text[] = "[A]\na=1\\\n2\n[B]\nx=\n";
        CLEANUP(complaints) struct complaints c;
        struct listing l = {0};
        int r = list(text, strlen(text), &l, &c);

        buf_done(&l.text);
        return r;
}

static void test_oom(void **state)
{
        oom_prove(parse_once, NULL);
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_every_section),
        cmocka_unit_test(test_nul_byte),
        cmocka_unit_test(test_long_lines),
        cmocka_unit_test(test_caller_ends_it),
        TOP_TEST(test_file),
        cmocka_unit_test(test_oom),
};
HARNESS_MAIN(tests)
