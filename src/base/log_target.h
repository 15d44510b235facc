// The places that log lines can go to, and their names, which are those of systemd's LogTarget=.
#pragma once

#include "base/def.h"

enum log_target {
        LOG_TARGET_AUTO,
        LOG_TARGET_STDERR,
        LOG_TARGET_JOURNAL,
        LOG_TARGET_SYSLOG,
        LOG_TARGET_NULL,
        _LOG_TARGET_MAX,
};

const char *log_target_name(enum log_target target); // "stderr"
int log_target_from_name(const char *name);          // "console" is stderr; -EINVAL
