#include "bus/intake.h"

#include "base/str.h"
#include "unit/harness.h"

#define LIMIT 4096

// The sizes of the pieces into which a stream is cut; the last item is 0, or the error with which
// the stream is refused.
struct row {
        const char *name, *data;
        size_t n;
        bool is_running;
        ssize_t pieces[8];
};

#define BYTES(text) text, sizeof(text) - 1
#define HEAD_LE(body, fields) "l\1\0\1" body "\1\0\0\0" fields
#define NONE "\0\0\0\0"

static const struct row rows[] = {
        {"a line", BYTES("\0AUTH EXTERNAL\r\n"), false, {16, 0}},
        {"lines, one by one", BYTES("\0AUTH\r\nDATA\r\nBEGIN\r\nl\1"), false, {7, 6, 7, 2, 0}},
        {"no end but both", BYTES("A\nB\rC\r\r\nD"), false, {8, 1, 0}},
        {"an end of a line alone", BYTES("\r\n\r\n"), false, {2, 2, 0}},
        {"a message", BYTES(HEAD_LE(NONE, NONE)), true, {16, 0}},
        {"two", BYTES(HEAD_LE(NONE, NONE) HEAD_LE("\2\0\0\0", NONE) "xyl"), true, {16, 18, 1, 0}},
        {"fields end at 8", BYTES(HEAD_LE(NONE, "\5\0\0\0") "12345678l"), true, {24, 1, 0}},
        {"big endian", BYTES("B\1\0\1\0\0\0\3\0\0\0\1\0\0\0\0abcB"), true, {19, 1, 0}},
        {"as large as may be", BYTES(HEAD_LE("\xf0\x0f\0\0", NONE) "abc"), true, {19, 0}},
        {"larger", BYTES(HEAD_LE("\xf1\x0f\0\0", NONE) "abc"), true, {-EMSGSIZE}},
        {"larger with its fields", BYTES(HEAD_LE("\xf0\x0f\0\0", "\1\0\0\0")), true, {-EMSGSIZE}},
        {"much larger", BYTES(HEAD_LE("\xff\xff\xff\xff", "\xff\xff\xff\xff")), true, {-EMSGSIZE}},
        {"no byte order", BYTES("x\1\0\1" NONE NONE NONE), true, {-EBADMSG}},
        {"another version", BYTES("l\1\0\2" NONE NONE NONE), true, {-EBADMSG}},
        {"half a header", BYTES("l\1\0\1" NONE), true, {8, 0}},
};

static void test_pieces(void **state)
{
        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                const struct row *row = &rows[i];
                struct intake in = {.limit = LIMIT, .is_running = row->is_running};
                size_t at = 0;

                print_message("%s\n", row->name);
                for (const ssize_t *p = row->pieces; *p; p++) {
                        ssize_t n = intake_take(&in, row->data + at, row->n - at);

                        assert_int_equal(n, *p);
                        at += n > 0 ? (size_t)n : 0;
                }
                if (row->pieces[0] > 0)
                        assert_int_equal(at, row->n);
        }
}

// Byte by byte the same is refused, and ends where it ended.
static void test_bytes(void **state)
{
        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                const struct row *row = &rows[i];
                struct intake in = {.limit = LIMIT, .is_running = row->is_running};
                const ssize_t *p = row->pieces;
                ssize_t n = 0, in_piece = 0;

                print_message("%s\n", row->name);
                for (size_t at = 0; at < row->n && n >= 0; at++) {
                        n = intake_take(&in, row->data + at, 1);
                        if (n < 0)
                                break;
                        assert_int_equal(n, 1);
                        in_piece++;
                        if (!intake_is_open(&in)) {
                                assert_int_equal(in_piece, *p++);
                                in_piece = 0;
                        }
                }
                if (row->pieces[0] < 0)
                        assert_int_equal(n, row->pieces[0]);
        }
}

// An authentication without an end.
static void test_long_authentication(void **state)
{
        static const char lines[] = "ERROR\r\n";
        struct intake in = {.limit = LIMIT};
        size_t total = 0;
        ssize_t n;

        (void)state;
        while ((n = intake_take(&in, lines, sizeof(lines) - 1)) > 0 && total < 65536)
                total += (size_t)n;
        assert_int_equal(n, -EMSGSIZE);
        assert_in_range(total, 2048, 8192);
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_long_authentication),
};
HARNESS_MAIN(tests)
