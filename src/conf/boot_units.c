#include "conf/boot_units.h"

#include "base/str.h"

#include <fnmatch.h>

enum boot_when { ALWAYS, BESIDE };

static const struct {
        const char *pattern;
        enum boot_when when;
        const char *reason;
} rows[] = {
#define BOOT_UNIT(pattern, when, reason) {pattern, when, reason},
#include "conf/boot_units.def"
#undef BOOT_UNIT
};

const char *boot_unit_find_reason(const char *name, enum boot_role role)
{
        for (size_t i = 0; i < ARRAY_SIZE(rows) && role != BOOT_NOT_OURS; i++)
                if ((rows[i].when == ALWAYS || role == BOOT_BESIDE) &&
                    fnmatch(rows[i].pattern, name, 0) == 0)
                        return rows[i].reason;
        return NULL;
}

char *boot_unit_make_text(enum unit_type type, const char *reason)
{
        const char *section = type == UNIT_SERVICE
                                      ? "[Service]\nType=oneshot\nRemainAfterExit=yes\n"
                              : type == UNIT_SOCKET ? "[Socket]\nAccept=yes\n" // no service
                                                    : "";

        return str_printf("[Unit]\nDescription=Not run by usher: %s\nDefaultDependencies=no\n"
                          "RefuseManualStart=yes\n%s",
                          reason, section);
}
