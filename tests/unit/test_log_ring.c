#include "core/loop/log_ring.h"

#include "base/buf.h"
#include "base/log.h"
#include "base/str.h"
#include "unit/harness.h"

#include <stdio.h>

static void assert_lines(struct log_ring *ring, const char *pattern, uint64_t after, size_t n,
                         const char *expected)
{
        CLEANUP(buf) struct buf b = BUF_NULL;

        for (const struct log_ring_line *l = log_ring_find(ring, pattern, after, n); l;
             l = log_ring_next(ring, pattern, l))
                buf_printf(&b, "%llu %s%s%s;", (unsigned long long)l->number, l->unit,
                           *l->unit ? ": " : "", l->text);
        assert_string_equal(buf_text(&b), expected);
}

static void log_some(void)
{
        log_set_level(LOG_INFO);
        log_write(LOG_INFO, "start");
        log_unit("a.socket", LOG_INFO, 0, "one");
        log_unit("b.socket", LOG_ERR, ENOENT, "two");
        log_unit("a.socket", LOG_DEBUG, 0, "below the level");
        log_service_line(&(struct log_source){.unit = "a@1.service", .pid = 4711}, LOG_INFO,
                         "printed", 7);
        log_unit("a.socket", LOG_INFO, 0, "three");
}

static const struct {
        const char *pattern;
        uint64_t after;
        size_t n;
        const char *expected;
} rows[] = {
        {"b.socket\na@*.service", 0, 100,
         "3 b.socket: two: No such file or directory;4 a@1.service: printed;"},
        {"none\n\nb.socket\n", 0, 100, "3 b.socket: two: No such file or directory;"},
        {"\\a.socket", 0, 100, ""},
        {"", 0, 100,
         "1 start;2 a.socket: one;3 b.socket: two: No such file or directory;"
         "4 a@1.service: printed;5 a.socket: three;"},
        {"a.socket", 0, 100, "2 a.socket: one;5 a.socket: three;"},
        {"a.socket", 0, 1, "5 a.socket: three;"},
        {"a.socket", 2, 100, "5 a.socket: three;"},
        {"a.socket", 5, 100, ""},
        {"a*", 0, 2, "4 a@1.service: printed;5 a.socket: three;"},
        {"none.socket", 0, 100, ""},
        {"", 0, 0, ""},
};

static void test_find(void **state)
{
        CLEANUP(log_ring) struct log_ring *ring = NULL;

        assert_int_equal(log_ring_new(4096, &ring), 0);
        log_ring_attach(ring);
        log_some();
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                assert_lines(ring, rows[i].pattern, rows[i].after, rows[i].n, rows[i].expected);
        assert_int_equal(log_ring_find(ring, "a@*", 0, 1)->pid, 4711);
        assert_int_equal(log_ring_find(ring, "b.socket", 0, 1)->level, LOG_ERR);
}

static void test_bounds(void **state)
{
        CLEANUP(log_ring) struct log_ring *ring = NULL;
        char long_text[2048];

        memset(long_text, 'x', sizeof(long_text));
        long_text[sizeof(long_text) - 1] = '\0';
        assert_int_equal(log_ring_new(1024, &ring), 0);
        log_ring_attach(ring);
        for (int i = 1; i <= 1000; i++)
                log_unit("a.socket", LOG_INFO, 0, "%d", i);
        size_t n = 0;

        for (const struct log_ring_line *l = log_ring_find(ring, "", 0, 10000); l;
             l = log_ring_next(ring, "", l), n++)
                assert_true(l->size <= 1024);
        assert_in_range(n, 2, 1024 / sizeof(struct log_ring_line));
        assert_lines(ring, "", 0, 1, "1000 a.socket: 1000;");
        log_unit("a.socket", LOG_INFO, 0, "%s", long_text); // longer than the whole
        assert_lines(ring, "", 0, 1, "1000 a.socket: 1000;");
        log_unit("a.socket", LOG_INFO, 0, "next");
        assert_lines(ring, "", 0, 1, "1002 a.socket: next;");
        log_ring_set_limit(ring, 0);
        assert_null(log_ring_find(ring, "", 0, 1));
        log_unit("a.socket", LOG_INFO, 0, "nothing is kept");
        assert_null(log_ring_find(ring, "", 0, 1));
}

// One that prints on and on takes away nothing that others have said, nor what is said about it.
static void test_shares(void **state)
{
        CLEANUP(log_ring) struct log_ring *ring = NULL;
        char name[64];

        assert_int_equal(log_ring_new(8192, &ring), 0);
        log_ring_attach(ring);
        log_write(LOG_INFO, "start");
        log_unit("loud@.service", LOG_INFO, 0, "about it");
        log_unit("quiet.socket", LOG_INFO, 0, "about another");
        log_service_line(&(struct log_source){.unit = "quiet.service", .pid = 1}, LOG_INFO,
                         "printed", 7);
        for (int i = 0; i < 1000; i++) {
                snprintf(name, sizeof(name), "loud@%d-127.0.0.1:1.service", i);
                log_service_line(&(struct log_source){.unit = name, .pid = 2}, LOG_INFO, "noise",
                                 5);
        }
        assert_lines(ring, "quiet*", 0, 10,
                     "3 quiet.socket: about another;4 quiet.service: printed;");
        assert_lines(ring, "loud@.service", 0, 10, "2 loud@.service: about it;");
        assert_int_equal(log_ring_find(ring, "", 0, SIZE_MAX)->number, 1);
        // Two that are loud have the same.
        for (int i = 0; i < 1000; i++)
                log_service_line(&(struct log_source){.unit = "other.service", .pid = 3}, LOG_INFO,
                                 "NOISE", 5);
        size_t n_loud = 0, n_other = 0;

        for (const struct log_ring_line *l = log_ring_find(ring, "", 0, SIZE_MAX); l;
             l = log_ring_next(ring, "", l)) {
                n_loud += l->pid == 2;
                n_other += l->pid == 3;
        }
        assert_true(n_loud > 5 && n_other > 5 && n_loud < 3 * n_other && n_other < 3 * n_loud);
        assert_int_equal(log_ring_find(ring, "", 0, SIZE_MAX)->number, 1);
}

// A line that memory is too short for is missing, no more.
static void test_oom(void **state)
{
        OOM_LOOP {
                CLEANUP(log_ring) struct log_ring *ring = NULL;

                if (oom_struck(log_ring_new(1024, &ring)))
                        continue;
                log_ring_attach(ring);
                log_write(LOG_INFO, "one");
                log_set_hook(NULL, NULL);
                bool is_whole = !oom_was_hit();

                oom_pause();
                if (is_whole)
                        assert_lines(ring, "", 0, 1, "1 one;");
                oom_resume();
        }
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find), cmocka_unit_test(test_bounds), cmocka_unit_test(test_shares),
        cmocka_unit_test(test_oom)};
HARNESS_MAIN(tests)
