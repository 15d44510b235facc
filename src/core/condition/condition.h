// Condition*= and Assert*= (systemd.unit(5)). Looks at the system; decides nothing about
// units and does not log. Paths and name services may not answer: base/local.h is heeded. Called by
// core/unit/unit_condition.c.
#pragma once

#include "conf/types.h"

// What is known about the supervisor itself.
struct condition_context {
        char *const *environment; // ConditionEnvironment=
        bool is_user;
};

enum condition_answer {
        CONDITIONS_HOLD,
        CONDITIONS_FAILED,     // *ret_failed is the first that does not hold
        CONDITIONS_NO_TRIGGER, // none of those with | holds; *ret_failed is the last of them
};

// What one of them was when it was looked at last.
#define CONDITION_UNTESTED 0
#define CONDITION_MET 1
#define CONDITION_UNMET (-1)

// Look at them in their order, up to the first that decides that they do not hold. states: one for
// each.
void condition_list_test(const struct condition_list *list, const struct condition_context *context,
                         int8_t *states);
// All without | must hold, and one of those with | where there are any. *ret_failed is written
// where they do not hold.
enum condition_answer condition_list_judge(const struct condition_list *list, const int8_t *states,
                                           const struct condition **ret_failed);
// One of them, ! included: 1 holds, 0 does not, -errno it cannot be told (counts as 0). Public for
// tests.
int condition_test(const struct condition *c, const struct condition_context *context);
// "ConditionPathExists=!/x" (prefix "Assert" for asserts) into buf; returns buf.
const char *condition_format(const struct condition *c, const char *prefix, char *buf, size_t size);
