// Descriptors that usherd has got from its parent (sd_listen_fds(3)).
#pragma once

#include "base/def.h"

// Takes them over and moves them above the low window, which is for services, close-on-exec;
// removes the variables from the environment. *ret is a new array, whose descriptors are the
// caller's. 0, also when there are none (NULL and 0); -EINVAL: the variables are bad; -EBADF: one
// is not open; -ENOMEM.
int listen_fds_take(int **ret, size_t *ret_n);
