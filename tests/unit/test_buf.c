#include "base/buf.h"

#include "unit/harness.h"

static void test_growing(void **state)
{
        CLEANUP(buf) struct buf b = BUF_NULL;

        assert_string_equal(buf_text(&b), "");
        buf_put(&b, NULL, 0);
        buf_puts(&b, "ab");
        buf_putc(&b, 'c');
        buf_printf(&b, "-%04d", 42);
        buf_put(&b, "xyz", 1);
        assert_string_equal(buf_text(&b), "abc-0042x");
        assert_int_equal(b.size, 9);
        for (int i = 0; i < 10000; i++)
                buf_printf(&b, "%d,", i);
        assert_int_equal(b.error, 0);
        assert_int_equal(strlen(b.data), b.size);
        buf_clear(&b);
        assert_string_equal(buf_text(&b), "");
        assert_int_equal(b.size, 0);
        buf_put(&b, "a\0b", 3); // bytes, not a string
        assert_int_equal(b.size, 3);
        assert_memory_equal(b.data, "a\0b", 4);
}

static void test_take(void **state)
{
        CLEANUP(buf) struct buf b = BUF_NULL;
        CLEANUP(free) char *empty = NULL;
        CLEANUP(free) char *text = NULL;

        assert_int_equal(buf_take(&b, &empty), 0);
        assert_string_equal(empty, "");
        buf_puts(&b, "text");
        assert_int_equal(buf_take(&b, &text), 0);
        assert_string_equal(text, "text");
        assert_null(b.data);
        assert_int_equal(b.size, 0);
}

static void test_errors_stick(void **state)
{
        CLEANUP(buf) struct buf b = BUF_NULL;
        char *text = NULL;

        buf_put(&b, "x", SIZE_MAX - 8); // cannot be; must not be tried
        assert_int_equal(b.error, -ENOMEM);
        buf_puts(&b, "y");
        assert_string_equal(buf_text(&b), "");
        assert_int_equal(buf_take(&b, &text), -ENOMEM);
        assert_null(text);
        buf_clear(&b);
        buf_puts(&b, "z");
        assert_string_equal(buf_text(&b), "z");
}

static void test_json(void **state)
{
        static const char *const cases[][2] = {
                {"", "\"\""},
                {"a\"b\\c/", "\"a\\\"b\\\\c/\""},
                {"\x01\n\t\x7f", "\"\\u0001\\u000a\\u0009\\u007f\""},
                {"\xc3\xa4", "\"\xc3\xa4\""},
                {"a\xff"
                 "b",
                 "\"a\xef\xbf\xbd"
                 "b\""},
                {"\xe2\x82", "\"\xef\xbf\xbd\xef\xbf\xbd\""},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                CLEANUP(buf) struct buf b = BUF_NULL;

                buf_put_json(&b, cases[i][0]);
                assert_string_equal(buf_text(&b), cases[i][1]);
        }
}

static int fill(void *arg)
{
        CLEANUP(buf) struct buf b = BUF_NULL;
        CLEANUP(free) char *text = NULL;

        for (int i = 0; i < 200; i++)
                buf_printf(&b, "%d ", i);
        buf_put_json(&b, "text");
        return buf_take(&b, &text);
}

static void test_oom(void **state)
{
        oom_prove(fill, NULL);
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_growing),      cmocka_unit_test(test_take),
        cmocka_unit_test(test_errors_stick), cmocka_unit_test(test_json),
        cmocka_unit_test(test_oom),
};
HARNESS_MAIN(tests)
