// Has a file of the unit changed since it was read (NeedDaemonReload)?
#include "base/str.h"
#include "base/strv.h"
#include "core/unit/manager.h"

#include <sys/stat.h>

// Is the file newer than the unit's conf? `missing` is returned if it does not exist.
static bool is_newer(const char *path, usec_t when, bool missing)
{
        struct stat st;

        if (stat(path, &st) < 0)
                return missing;
        usec_t changed =
                (usec_t)st.st_mtim.tv_sec * USEC_PER_SEC + (usec_t)st.st_mtim.tv_nsec / 1000;

        // A mask is a device node, whose own time means nothing.
        return !S_ISCHR(st.st_mode) && changed > when;
}

bool unit_needs_daemon_reload(const struct unit *u)
{
        const struct unit_conf *conf = u->conf;

        if (conf->transient)
                return false;
        if (conf->fragment_path && is_newer(conf->fragment_path, u->conf_rt, true))
                return true;
        STRV_FOREACH (path, conf->dropin_paths)
                if (is_newer(*path, u->conf_rt, true))
                        return true;
        STRV_FOREACH (folder, u->manager->options.unit_path) {
                CLEANUP(free) char *dropins = str_printf("%s/%s.d", *folder, u->id);

                if (dropins && is_newer(dropins, u->conf_rt, false))
                        return true;
        }
        return false;
}
