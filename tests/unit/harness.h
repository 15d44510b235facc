// The frame of every unit test program: runs a table of cmocka tests, fails a test that leaves a
// file descriptor open, and makes allocations fail one after the other.
//
// Each tests/unit/test_NAME.c ends with
//
//         static const struct CMUnitTest tests[] = {cmocka_unit_test(test_a), ...};
//         HARNESS_MAIN(tests)
//
// A program takes one optional argument, a pattern: only tests whose name matches are run (`make
// check-oom` runs those that have "oom" in their name).
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define HARNESS_MAIN(tests)                                                                \
        int main(int argc, char **argv)                                                    \
        {                                                                                  \
                return harness_run(argc, argv, tests, sizeof(tests) / sizeof((tests)[0])); \
        }

int harness_run(int argc, char **argv, const struct CMUnitTest *tests, size_t n_tests);

// For a test after which a library rightly keeps a descriptor for the life of the process.
void harness_keep_fds(void);

// Running under valgrind: no clone with shared memory, and everything is slow.
bool harness_has_valgrind(void);

// The nth allocation fails, for n = 1, 2, ... until a round needs no more of them; then once more
// with every allocation from the nth on failing. Allocations made by usher's code and by the test
// program are meant (malloc and relatives, asprintf, fopen, opendir, getline, realpath,
// open_memstream), not those inside libraries. Fails the test if no allocation was ever reached:
// such a loop would prove nothing.
//
//         OOM_LOOP {
//                 CLEANUP(thing) struct thing *t = NULL;
//                 int r = thing_new(&t);
//                 if (oom_struck(r))
//                         continue;
//                 assert_int_equal(r, 0);
//         }
#define OOM_LOOP for (struct oom oom_loop_ = {0}; oom_next(&oom_loop_);)

struct oom {
        unsigned long nth;
        bool is_started;
        bool is_lasting; // second pass: all from the nth on
        unsigned long n_struck;
};

bool oom_next(struct oom *oom);

// True for -ENOMEM, which must then come from a failure of this round.
bool oom_struck(int result);

// Has an allocation failed in this round?
bool oom_was_hit(void);

// Around allocations of the test itself that are not to fail.
void oom_pause(void);
void oom_resume(void);

// body() must give -ENOMEM in each round in which an allocation failed, and 0 in the last one.
void oom_prove(int (*body)(void *arg), void *arg);
