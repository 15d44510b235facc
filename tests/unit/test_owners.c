// Users and groups of sockets: who asks for the same at the same time shares one look-up.
#include "core/socket/owners.h"

#include "core/start/errand.h"
#include "spawn/ids.h"
#include "unit/service_fixture.h"

#define N 1000
#define N_DIFFERENT 100

static size_t n_lookups;

int __real_ids_lookup_new(const char *user, char *const *groups, struct ids_lookup **ret);
int __wrap_ids_lookup_new(const char *user, char *const *groups, struct ids_lookup **ret);

int __wrap_ids_lookup_new(const char *user, char *const *groups, struct ids_lookup **ret)
{
        n_lookups++;
        return __real_ids_lookup_new(user, groups, ret);
}

// Processes of this one that were not reaped yet.
static size_t count_children(void)
{
        char path[64];
        size_t n = 0;

        snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
        FILE *f = fopen(path, "re");

        if (!f) {
                skip(); // the kernel has no such list
                return 0;
        }
        for (int pid; fscanf(f, "%d", &pid) == 1;)
                n++;
        fclose(f);
        return n;
}

struct asker {
        struct owner_waiter waiter;
        struct owner_waiter *other; // forgets its question when this one is answered
        struct owner_answer answer;
        unsigned n_answers;
};

static void on_known(struct owner_waiter *w, const struct owner_answer *answer)
{
        struct asker *a = CONTAINER_OF(w, struct asker, waiter);

        a->answer = *answer;
        a->n_answers++;
        if (a->other)
                owners_forget(a->other);
}

static void await(struct fixture *f, const struct asker *a)
{
        for (usec_t end = clock_now() + FIXTURE_PATIENCE; a->n_answers == 0;) {
                assert_true(clock_now() < end);
                fixture_turn(f);
        }
}

static void write_file(struct fixture *f, const char *name, const char *text, char path[128])
{
        snprintf(path, 128, "%s/%s", f->dir, name);
        assert_int_equal(fs_write_file_atomic(path, text, 0644), 0);
}

// Local files, and a name service that has to be asked by a process.
static void begin(struct fixture *f, const char *services)
{
        static char passwd[128], group[128], nsswitch[128];

        fixture_init(f, "fork");
        write_file(f, "passwd", "alice:x:4241:4240::/:/bin/false\n", passwd);
        write_file(f, "group", "staff:x:4242:\n", group);
        write_file(f, "nsswitch", services, nsswitch);
        ids_set_files(passwd, group, nsswitch);
        n_lookups = 0;
}

static void end(struct fixture *f)
{
        assert_null(f->manager->owners);
        ids_set_files(NULL, NULL, NULL);
        fixture_done(f);
}

static const struct {
        const char *user, *group;
        struct owner_answer answer;
} rows[] = {
        {"alice", NULL, {0, true, 4241, 4240}},
        {"alice", "staff", {0, true, 4241, 4242}},
        {NULL, "staff", {0, true, (uid_t)-1, 4242}},
        {"nobody-at-all", "staff", {-ESRCH, false, (uid_t)-1, (gid_t)-1}},
        {"alice", "no-such-group", {-ESRCH, true, 4241, 4240}},
        {NULL, "no-such-group", {-ESRCH, true, (uid_t)-1, (gid_t)-1}},
};

static void test_answers(void **state UNUSED)
{
        static struct fixture f;
        struct asker askers[ARRAY_SIZE(rows)] = {0};

        begin(&f, "passwd: files\ngroup: files\n");
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                askers[i].waiter.on_known = on_known;
                assert_int_equal(
                        owners_ask(f.manager, &askers[i].waiter, rows[i].user, rows[i].group), 0);
                assert_int_equal(askers[i].n_answers, 0); // never before the call returns
        }
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                await(&f, &askers[i]);
                assert_int_equal(askers[i].answer.r, rows[i].answer.r);
                assert_int_equal(askers[i].answer.has_user, rows[i].answer.has_user);
                assert_int_equal(askers[i].answer.uid, rows[i].answer.uid);
                assert_int_equal(askers[i].answer.gid, rows[i].answer.gid);
        }
        assert_int_equal(n_lookups, 0);
        end(&f);
}

static void test_one_for_all(void **state UNUSED)
{
        static struct fixture f;
        static struct asker askers[N];

        begin(&f, "passwd: files\ngroup: files systemd\n");
        for (size_t i = 0; i < N; i++) {
                askers[i] = (struct asker){.waiter = {.on_known = on_known}};
                assert_int_equal(owners_ask(f.manager, &askers[i].waiter, NULL, "usher-none"), 0);
                if (i == N / 2)
                        fixture_turn(&f); // the process is under way
        }
        await(&f, &askers[N - 1]);
        for (size_t i = 0; i < N; i++) {
                assert_int_equal(askers[i].n_answers, 1);
                assert_int_equal(askers[i].answer.r, -ESRCH);
        }
        assert_int_equal(n_lookups, 1);
        end(&f);
}

static void test_few_processes_at_a_time(void **state UNUSED)
{
        static struct fixture f;
        static struct asker askers[N_DIFFERENT];
        char name[32];

        begin(&f, "passwd: files\ngroup: files systemd\n");
        size_t before = count_children();

        for (size_t i = 0; i < N_DIFFERENT; i++) {
                askers[i] = (struct asker){.waiter = {.on_known = on_known}};
                snprintf(name, sizeof(name), "usher-none%zu", i);
                assert_int_equal(owners_ask(f.manager, &askers[i].waiter, NULL, name), 0);
        }
        for (size_t i = 0; i < N_DIFFERENT; i++)
                for (usec_t end = clock_now() + FIXTURE_PATIENCE; askers[i].n_answers == 0;) {
                        assert_true(clock_now() < end);
                        fixture_turn(&f);
                        assert_true(count_children() <= before + ERRANDS_PER_PLACE);
                }
        for (size_t i = 0; i < N_DIFFERENT; i++) {
                assert_int_equal(askers[i].n_answers, 1);
                assert_int_equal(askers[i].answer.r, -ESRCH);
        }
        assert_int_equal(n_lookups, N_DIFFERENT);
        end(&f);
}

static void test_forgetting(void **state UNUSED)
{
        static struct fixture f;
        struct asker a = {.waiter = {.on_known = on_known}}, b = a, c = a;

        begin(&f, "passwd: files\ngroup: files\n");
        assert_int_equal(owners_ask(f.manager, &a.waiter, "alice", NULL), 0);
        owners_forget(&a.waiter);
        owners_forget(&a.waiter);
        assert_null(f.manager->owners);
        // Asking again replaces the question; an answer may make another asker forget.
        assert_int_equal(owners_ask(f.manager, &a.waiter, "alice", NULL), 0);
        assert_int_equal(owners_ask(f.manager, &a.waiter, "alice", "staff"), 0);
        assert_int_equal(owners_ask(f.manager, &b.waiter, "alice", "staff"), 0);
        assert_int_equal(owners_ask(f.manager, &c.waiter, "alice", "staff"), 0);
        a.other = &b.waiter;
        c.other = &a.waiter;
        await(&f, &c);
        assert_int_equal(a.n_answers, 1);
        assert_int_equal(b.n_answers, 0);
        end(&f);
}

static void test_oom(void **state UNUSED)
{
        static struct fixture f;
        struct asker a = {.waiter = {.on_known = on_known}};

        begin(&f, "passwd: files\ngroup: files\n");
        OOM_LOOP {
                int r = owners_ask(f.manager, &a.waiter, "alice", "staff");

                assert_true(r == 0 || r == -ENOMEM);
                owners_forget(&a.waiter);
                assert_null(f.manager->owners);
        }
        end(&f);
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_one_for_all),
        cmocka_unit_test(test_few_processes_at_a_time),
        cmocka_unit_test(test_forgetting),
        cmocka_unit_test(test_oom),
};
HARNESS_MAIN(tests)
