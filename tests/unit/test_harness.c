// The harness must detect the faults that it is for; otherwise the other tests prove too little.
#include "unit/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int two_allocations(void *arg)
{
        char *text = NULL;
        void *block = malloc(8);

        if (!block)
                return -ENOMEM;
        if (asprintf(&text, "%s", (const char *)arg) < 0) {
                free(block);
                return -ENOMEM;
        }
        free(block);
        free(text);
        return 0;
}

static void test_oom_reaches_each(void **state)
{
        unsigned rounds = 0, hits = 0;

        OOM_LOOP {
                rounds++;
                int r = two_allocations((void *)"x");
                hits += oom_struck(r);
        }
        assert_int_equal(rounds, 6); // first, second, none; and the same with lasting failure
        assert_int_equal(hits, 4);
}

static void test_oom_prove(void **state)
{
        oom_prove(two_allocations, (void *)"x");
}

static void test_oom_pause(void **state)
{
        OOM_LOOP {
                oom_pause();
                char *mine = strdup("not to fail");
                oom_resume();
                assert_non_null(mine);
                free(mine);
                int r = two_allocations((void *)"x");
                if (oom_struck(r))
                        continue;
                assert_int_equal(r, 0);
        }
}

static int pretend_success(void *arg)
{
        free(malloc(1)); // a failure nobody looks at
        return 0;
}

static void inner_leaks_fd(void **state)
{
        assert_true(open("/dev/null", O_RDONLY | O_CLOEXEC) >= 0);
}

static void inner_oom_ignored(void **state)
{
        oom_prove(pretend_success, NULL);
}

static void inner_oom_unreached(void **state)
{
        OOM_LOOP {
        }
}

static void inner_good(void **state)
{
        OOM_LOOP {
                (void)oom_struck(two_allocations((void *)"x"));
        }
}

// Runs one test in a child with a harness of its own; gives that program's exit code.
static int run_inner(const struct CMUnitTest *test)
{
        fflush(NULL);
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                char name[] = "inner", *argv[] = {name, NULL};
                int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
                dup2(null, STDOUT_FILENO);
                dup2(null, STDERR_FILENO);
                cmocka_set_test_filter(NULL);
                _exit(harness_run(1, argv, test, 1));
        }
        int status;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        return WEXITSTATUS(status);
}

static void test_failures_are_noticed(void **state)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(inner_leaks_fd),
                cmocka_unit_test(inner_oom_ignored),
                cmocka_unit_test(inner_oom_unreached),
        };
        const struct CMUnitTest good = cmocka_unit_test(inner_good);

        for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
                assert_int_equal(run_inner(&tests[i]), 1);
        assert_int_equal(run_inner(&good), 0);
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_oom_reaches_each),
        cmocka_unit_test(test_oom_prove),
        cmocka_unit_test(test_oom_pause),
        cmocka_unit_test(test_failures_are_noticed),
};
HARNESS_MAIN(tests)
