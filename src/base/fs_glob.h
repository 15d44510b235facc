// glob(3) under the rules of base/local.h: if a pattern leads to a file system that may not answer,
// or to a folder with very many names, it stops there (local_was_refused()).
#pragma once

#include "base/def.h"

#include <glob.h>

// flags, the result and globfree() as in glob(3).
int fs_glob(const char *pattern, int flags, glob_t *ret);
