// Which starts wait until another process is allowed, and in which order they continue.
#include "core/start/spawner.h"

#include "unit/service_fixture.h"

static struct fixture f;
static char order[16];
static int n_failures; // of the next turns

struct waiter {
        struct work work;
        char name;
        enum spawner_queue queue;
};

static void on_turn(struct work *w)
{
        struct waiter *waiter = CONTAINER_OF(w, struct waiter, work);

        order[strlen(order)] = waiter->name;
        if (n_failures > 0) {
                n_failures--;
                spawner_wait(f.manager->spawner, waiter->queue, w, on_turn, -ENOMEM);
        }
}

static void begin(void)
{
        fixture_init(&f, "fork");
        memset(order, 0, sizeof(order));
        n_failures = 0;
}

static void await_order(const char *expected)
{
        for (usec_t end = clock_now() + FIXTURE_PATIENCE; strlen(order) < strlen(expected);) {
                if (clock_now() > end)
                        fail_msg("%s, not %s", order, expected);
                fixture_turn(&f);
        }
        assert_string_equal(order, expected);
}

// What was taken in comes first, and keeps its turn when it is tried in vain.
static void test_turns(void **state)
{
        begin();
        struct spawner *s = f.manager->spawner;
        struct waiter intake = {.name = 'i', .queue = SPAWNER_INTAKE};
        struct waiter one = {.name = '1'}, two = {.name = '2'}, gone = {.name = 'x'};

        assert_int_equal(spawner_exhaustion(s), 0);
        spawner_wait(s, SPAWNER_INTAKE, &intake.work, on_turn, -EMFILE);
        assert_int_equal(spawner_exhaustion(s), 0);
        spawner_wait(s, SPAWNER_STARTS, &one.work, on_turn, -EAGAIN);
        spawner_wait(s, SPAWNER_STARTS, &one.work, on_turn, -EAGAIN); // once only
        spawner_wait(s, SPAWNER_STARTS, &gone.work, on_turn, -EAGAIN);
        spawner_wait(s, SPAWNER_STARTS, &two.work, on_turn, -EAGAIN);
        work_cancel(&gone.work);
        assert_int_equal(spawner_exhaustion(s), EAGAIN);
        n_failures = 2;
        await_order("1");
        assert_int_equal(spawner_exhaustion(s), ENOMEM);
        await_order("1112i");
        assert_int_equal(spawner_exhaustion(s), 0);
        fixture_done(&f);
}

// The pause of those who wait is cut short by the end of a process.
static void test_end_of_a_process(void **state)
{
        begin();
        struct waiter one = {.name = '1'};

        n_failures = 1000;
        spawner_wait(f.manager->spawner, SPAWNER_STARTS, &one.work, on_turn, -EAGAIN);
        await_order("11");
        n_failures = 0;
        spawner_try_again(f.manager->spawner);
        fixture_turn(&f);
        assert_string_equal(order, "111");
        spawner_try_again(f.manager->spawner); // nobody waits
        fixture_wait(&f, 20 * USEC_PER_MSEC);
        assert_string_equal(order, "111");
        fixture_done(&f);
}

static void test_complaints(void **state)
{
        begin();
        assert_true(spawner_may_complain(f.manager->spawner));
        assert_false(spawner_may_complain(f.manager->spawner));
        fixture_done(&f);
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_turns),
        cmocka_unit_test(test_end_of_a_process),
        cmocka_unit_test(test_complaints),
};
HARNESS_MAIN(tests)
