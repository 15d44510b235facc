#include "base/log_target.h"

#include "base/str.h"

static const char *const target_names[_LOG_TARGET_MAX] = {
        [LOG_TARGET_AUTO] = "auto",       [LOG_TARGET_STDERR] = "stderr",
        [LOG_TARGET_JOURNAL] = "journal", [LOG_TARGET_SYSLOG] = "syslog",
        [LOG_TARGET_NULL] = "null",
};

const char *log_target_name(enum log_target target)
{
        return target_names[target];
}

int log_target_from_name(const char *name)
{
        if (streq(name, "console")) // systemd's word for it
                return LOG_TARGET_STDERR;
        for (int i = 0; i < _LOG_TARGET_MAX; i++)
                if (streq(target_names[i], name))
                        return i;
        return -EINVAL;
}
