// Files of EnvironmentFile= (systemd.exec(5)): lines NAME=VALUE, with quotes,
// backslashes and comments roughly as a shell has them. Called by spawn/plan.
#pragma once

#include "base/fail.h"

#define ENVFILE_SIZE_MAX (4u << 20)
#define ENVFILE_FILES_MAX 256 // that one pattern may match

// Parses text (size bytes) and sets what it assigns in *env. Lines that are not assignments, have a
// bad name or a value that is not UTF-8 are skipped. 0, -ENOMEM; -EBADMSG: a NUL byte.
int envfile_parse(const char *text, size_t size, char ***env);
// Reads the files that a path or pattern names, in its order, and appends their texts. A pattern
// without a match, or a file that cannot be read: -ENOENT and the like, unless missing_ok. *why
// holds the path. Follows base/local.h.
int envfile_read(const char *pattern, bool missing_ok, char ***texts, struct fail *why);
