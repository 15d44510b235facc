// The groups of a conf as blobs: made with the defaults of the table, copied, compared, shared.
// Reference counted; equal groups of several units share one. For conf/unit_conf.c and
// conf/assign.c.
#pragma once

#include "conf/directive.h"

// The group with every row at its default; made once. A reference, or NULL (no memory).
const void *group_default(enum conf_group group);
// A copy that may be changed, with one reference. NULL: no memory.
void *group_copy(enum conf_group group, const void *from);
void group_unref(const void *data); // NULL is fine
bool group_equal(enum conf_group group, const void *a, const void *b);
// Takes over data, which no longer changes, and returns an equal group, perhaps an older one.
const void *group_share(enum conf_group group, void *data);
