#include "unit/harness.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FDS_MAX = 4096, OOM_ROUNDS_MAX = 20000 };

// What stands behind one row of the test table while it runs.
struct slot {
        struct CMUnitTest test;
        void *state;
        bool is_passed;
        unsigned char fds[FDS_MAX / 8];
};

static bool keep_fds;

// --- descriptors ---------------------------------------------------------------------------------

static void fds_snapshot(unsigned char *ret_fds)
{
        memset(ret_fds, 0, FDS_MAX / 8);
        DIR *dir = opendir("/proc/self/fd");
        if (!dir) {
                fprintf(stderr, "harness: /proc/self/fd: %s\n", strerror(errno));
                exit(1);
        }
        for (struct dirent *e; (e = readdir(dir));) {
                char *end;
                unsigned long fd = strtoul(e->d_name, &end, 10);
                if (end != e->d_name && !*end && fd < FDS_MAX && fd != (unsigned long)dirfd(dir))
                        ret_fds[fd / 8] |= (unsigned char)(1U << (fd % 8));
        }
        closedir(dir);
}

static unsigned fds_report_new(const char *name, const unsigned char *before)
{
        unsigned char now[FDS_MAX / 8];
        unsigned n = 0;

        fds_snapshot(now);
        for (unsigned fd = 0; fd < FDS_MAX; fd++) {
                unsigned was = before[fd / 8] >> (fd % 8) & 1, is = now[fd / 8] >> (fd % 8) & 1;
                if (was == is)
                        continue;
                char path[64], target[256] = "";
                snprintf(path, sizeof(path), "/proc/self/fd/%u", fd);
                ssize_t len = readlink(path, target, sizeof(target) - 1);
                target[len > 0 ? len : 0] = 0;
                fprintf(stderr, "%s: descriptor %u %s %s\n", name, fd,
                        is ? "was left open:" : "of the harness was closed", target);
                n++;
        }
        return n;
}

void harness_keep_fds(void)
{
        keep_fds = true;
}

bool harness_has_valgrind(void)
{
        const char *preload = getenv("LD_PRELOAD");
        return preload && strstr(preload, "vgpreload");
}

// --- allocation failures -------------------------------------------------------------------------

static struct {
        bool is_armed;
        bool is_lasting;
        bool is_hit;
        unsigned long left;
} oom_state;

// Called by each wrapped allocation: shall this one fail?
static bool oom_fail_now(void)
{
        if (!oom_state.is_armed)
                return false;
        if (oom_state.left > 1) {
                oom_state.left--;
                return false;
        }
        if (oom_state.is_hit && !oom_state.is_lasting)
                return false;
        oom_state.is_hit = true;
        errno = ENOMEM;
        return true;
}

bool oom_next(struct oom *oom)
{
        bool was_hit = oom_state.is_hit;

        memset(&oom_state, 0, sizeof(oom_state));
        if (was_hit)
                oom->n_struck++;
        if (oom->is_started && !was_hit) {
                if (oom->n_struck == 0)
                        fail_msg("OOM loop: no allocation was reached");
                if (oom->is_lasting)
                        return false;
                oom->is_lasting = true;
                oom->nth = 0;
        }
        if (oom->nth >= OOM_ROUNDS_MAX)
                fail_msg("OOM loop: still failing after %d rounds", OOM_ROUNDS_MAX);
        oom->is_started = true;
        oom_state.left = ++oom->nth;
        oom_state.is_lasting = oom->is_lasting;
        oom_state.is_armed = true;
        return true;
}

bool oom_struck(int result)
{
        if (result != -ENOMEM)
                return false;
        if (!oom_state.is_hit)
                fail_msg("-ENOMEM, though no allocation has failed");
        return true;
}

bool oom_was_hit(void)
{
        return oom_state.is_hit;
}

void oom_pause(void)
{
        oom_state.is_armed = false;
}

void oom_resume(void)
{
        oom_state.is_armed = oom_state.left > 0;
}

void oom_prove(int (*body)(void *arg), void *arg)
{
        OOM_LOOP {
                int r = body(arg);
                assert_int_equal(r, oom_was_hit() ? -ENOMEM : 0);
        }
}

// --- one test, with what surrounds it ------------------------------------------------------------

static int slot_setup(void **state)
{
        struct slot *slot = *state;

        slot->state = slot->test.initial_state;
        slot->is_passed = false;
        keep_fds = false;
        fds_snapshot(slot->fds);
        return slot->test.setup_func ? slot->test.setup_func(&slot->state) : 0;
}

static void slot_test(void **state)
{
        struct slot *slot = *state;

        slot->test.test_func(&slot->state);
        slot->is_passed = true;
}

// A failed assertion jumps over the test's own clean-up, so only a test that passed is compared.
static int slot_teardown(void **state)
{
        struct slot *slot = *state;

        memset(&oom_state, 0, sizeof(oom_state));
        int r = slot->test.teardown_func ? slot->test.teardown_func(&slot->state) : 0;
        if (slot->is_passed && !keep_fds && fds_report_new(slot->test.name, slot->fds) > 0)
                return -1;
        return r;
}

int harness_run(int argc, char **argv, const struct CMUnitTest *tests, size_t n_tests)
{
        const char *base = strrchr(argv[0], '/');
        struct slot *slots = calloc(n_tests, sizeof(*slots));
        struct CMUnitTest *wrapped = calloc(n_tests, sizeof(*wrapped));

        if (!slots || !wrapped) {
                fprintf(stderr, "harness: out of memory\n");
                exit(1);
        }
        for (size_t i = 0; i < n_tests; i++) {
                slots[i].test = tests[i];
                wrapped[i] = (struct CMUnitTest){
                        .name = tests[i].name,
                        .test_func = slot_test,
                        .setup_func = slot_setup,
                        .teardown_func = slot_teardown,
                        .initial_state = &slots[i],
                };
        }
        if (argc > 1)
                cmocka_set_test_filter(argv[1]);
        int n_failed =
                _cmocka_run_group_tests(base ? base + 1 : argv[0], wrapped, n_tests, NULL, NULL);
        free(wrapped);
        free(slots);
        return n_failed == 0 ? 0 : 1;
}

// --- the wrapped functions (the Makefile's WRAPPED lists the same names) -------------------------

// Each is entered instead of the function of that name and reaches the true one as __real_NAME.
#define WRAP(type, name, params, args, failure)                         \
        type __real_##name params;                                      \
        type __wrap_##name params;                                      \
        type __wrap_##name params                                       \
        {                                                               \
                return oom_fail_now() ? (failure) : __real_##name args; \
        }

WRAP(void *, malloc, (size_t size), (size), NULL)
WRAP(void *, calloc, (size_t n, size_t size), (n, size), NULL)
WRAP(void *, realloc, (void *p, size_t size), (p, size), NULL)
WRAP(void *, reallocarray, (void *p, size_t n, size_t size), (p, n, size), NULL)
WRAP(char *, strdup, (const char *s), (s), NULL)
WRAP(char *, strndup, (const char *s, size_t n), (s, n), NULL)
WRAP(int, vasprintf, (char **ret, const char *fmt, va_list ap), (ret, fmt, ap), -1)
WRAP(char *, realpath, (const char *path, char *to), (path, to), NULL)
WRAP(FILE *, open_memstream, (char **p, size_t *size), (p, size), NULL)
WRAP(FILE *, fopen, (const char *path, const char *mode), (path, mode), NULL)
WRAP(FILE *, fdopen, (int fd, const char *mode), (fd, mode), NULL)
WRAP(DIR *, fdopendir, (int fd), (fd), NULL)
WRAP(DIR *, opendir, (const char *path), (path), NULL)
WRAP(ssize_t, getline, (char **line, size_t *size, FILE *f), (line, size, f), -1)
WRAP(ssize_t, getdelim, (char **line, size_t *size, int c, FILE *f), (line, size, c, f), -1)

int __wrap___vasprintf_chk(char **ret, int flag, const char *fmt, va_list ap);
int __wrap___vasprintf_chk(char **ret, int flag, const char *fmt, va_list ap)
{
        (void)flag; // only says that the caller was built with _FORTIFY_SOURCE
        return __wrap_vasprintf(ret, fmt, ap);
}

int __wrap_asprintf(char **ret, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int __wrap_asprintf(char **ret, const char *fmt, ...)
{
        va_list ap;
        va_start(ap, fmt);
        int r = __wrap_vasprintf(ret, fmt, ap);
        va_end(ap);
        return r;
}

int __wrap___asprintf_chk(char **ret, int flag, const char *fmt, ...)
        __attribute__((format(printf, 3, 4)));
int __wrap___asprintf_chk(char **ret, int flag, const char *fmt, ...)
{
        (void)flag;
        va_list ap;
        va_start(ap, fmt);
        int r = __wrap_vasprintf(ret, fmt, ap);
        va_end(ap);
        return r;
}
