#include "spawn/envfile.h"

#include "base/fs.h"
#include "base/str.h"
#include "base/strv.h"
#include "unit/harness.h"

#include <stdio.h>

// One file each; what it assigns, separated by "|".
static const struct {
        const char *text, *env;
} rows[] = {
        {"A=1\nB=2\n", "A=1|B=2"},
        {"A=1", "A=1"},
        {"", ""},
        {"# a comment\n;another\nA=1\n", "A=1"},
        {"  A = spaced  \n", "A=spaced"},
        {"A='single $x \\n'\n", "A=single $x \\n"},
        {"A=\"double \\\"q\\\" \\\\\"\n", "A=double \"q\" \\"},
        {"A=one two\n", "A=one two"},
        {"A=\"one\" two\n", "A=onetwo"},
        {"A=a\\\nb\n", "A=ab"},
        {"A='two\nlines'\n", "A=two\nlines"},
        {"A=1\nA=2\n", "A=2"},
        {"A=\n", "A="},
        {"A=x # no comment\n", "A=x # no comment"},
        {"no assignment\nA=1\n", "A=1"},
        {"1A=bad\nA=1\n", "A=1"},
        {"export A=1\nB=2\n", "B=2"},
        {"A=1\r\nB=2\r\n", "A=1|B=2"},
        {"A=\xff\nB=2\n", "B=2"},
};

static void test_rows(void **state)
{
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                CLEANUP(strv) char **env = NULL;
                int r = envfile_parse(rows[i].text, strlen(rows[i].text), &env);
                CLEANUP(free) char *joined = strv_join(env, "|");

                if (r != 0 || !streq(joined ? joined : "", rows[i].env))
                        fail_msg("%s: %d %s", rows[i].text, r, joined);
        }
}

static void test_nul(void **state)
{
        CLEANUP(strv) char **env = NULL;

        assert_int_equal(envfile_parse("A=1\0B=2\n", 9, &env), -EBADMSG);
}

static void test_files(void **state)
{
        char dir[] = "/tmp/usher-envfile-XXXXXX";
        CLEANUP(strv) char **texts = NULL;
        struct fail why = {0};

        assert_non_null(mkdtemp(dir));
        CLEANUP(free) char *a = str_printf("%s/a.env", dir), *b = str_printf("%s/b.env", dir);
        CLEANUP(free) char *all = str_printf("%s/*.env", dir), *none = str_printf("%s/none", dir);

        assert_int_equal(fs_write_file_atomic(a, "A=1\nX=a\n", 0644), 0);
        assert_int_equal(fs_write_file_atomic(b, "B=2\nX=b\n", 0644), 0);
        assert_int_equal(envfile_read(all, false, &texts, &why), 0); // in the order of their names
        CLEANUP(free) char *joined = strv_join(texts, "|");
        assert_string_equal(joined, "A=1\nX=a\n|B=2\nX=b\n");
        assert_int_equal(envfile_read(none, true, &texts, &why), 0);
        assert_int_equal(envfile_read(none, false, &texts, &why), -ENOENT);
        assert_non_null(strstr(why.detail, none));
        assert_true(envfile_read(dir, false, &texts, &why) < 0); // a folder
        assert_int_equal(strv_length(texts), 2);
        assert_int_equal(fs_remove_tree(dir), 0);
}

static int parse_once(void *arg UNUSED)
{
        CLEANUP(strv) char **env = NULL;

        return envfile_parse("A='x'\nB=\"y\"\nA=z\n", 16, &env);
}

static void test_oom(void **state)
{
        oom_prove(parse_once, NULL);
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_nul),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_oom),
};
HARNESS_MAIN(tests)
