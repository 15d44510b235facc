#include "base/list.h"

#include "unit/harness.h"

struct item {
        int value;
        struct list_node node;
};

static void test_append_walk_remove(void **state)
{
        struct list_node head;
        struct item items[5] = {0};
        int sum = 0, order = 0;

        list_init(&head);
        assert_true(list_is_empty(&head));
        LIST_FOREACH (&head, n)
                fail_msg("an empty list has no items");
        for (int i = 0; i < 5; i++) {
                items[i].value = i;
                assert_false(list_is_linked(&items[i].node));
                list_append(&head, &items[i].node);
                assert_true(list_is_linked(&items[i].node));
        }
        assert_false(list_is_empty(&head));
        LIST_FOREACH (&head, n) {
                struct item *item = CONTAINER_OF(n, struct item, node);

                assert_int_equal(item->value, order++);
                sum += item->value;
                if (item->value % 2 == 0)
                        list_remove(n);
        }
        assert_int_equal(sum, 10);
        list_remove(&items[0].node); // in no list: nothing happens
        assert_ptr_equal(head.next, &items[1].node);
        assert_ptr_equal(head.prev, &items[3].node);
        list_remove(&items[1].node);
        list_remove(&items[3].node);
        assert_true(list_is_empty(&head));
}

static void test_a_zeroed_head_is_empty(void **state)
{
        struct list_node head = {0};

        assert_true(list_is_empty(&head));
        LIST_FOREACH (&head, n)
                fail_msg("an empty list has no items");
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_append_walk_remove),
        cmocka_unit_test(test_a_zeroed_head_is_empty),
};
HARNESS_MAIN(tests)
