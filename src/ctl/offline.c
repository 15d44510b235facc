// Where unit files are when no supervisor is asked.
#include "base/fs.h"
#include "base/str.h"
#include "base/strv.h"
#include "conf/cfgfile.h"
#include "conf/unit_path.h"
#include "ctl/ctl.h"

#include <stdio.h>
#include <unistd.h>

bool offline_is_user(const struct ctl *c)
{
        return c->scope == SCOPE_USER || (c->scope == SCOPE_DEFAULT && geteuid() != 0);
}

bool offline_is_meant(struct ctl *c)
{
        return c->root || c->units || !client_is_reachable(c);
}

static int move_below(const char *root, char **path)
{
        char *moved = str_printf("%s%s", root, *path);

        if (!moved)
                return -ENOMEM;
        free(*path);
        *path = moved;
        return 0;
}

int offline_unit_path_in_use(struct ctl *c, char ***ret)
{
        bool is_given = c->units || c->root || c->config || c->systemd_units;

        if (is_given || !client_is_reachable(c))
                return offline_unit_path(c, ret);
        *ret = client_get_strv(c, BUS_ROOT, BUS_MANAGER, "UnitPath");
        return *ret ? 0 : offline_unit_path(c, ret);
}

int offline_unit_path(struct ctl *c, char ***ret)
{
        struct unit_path_options options = {.is_user = offline_is_user(c)};
        CLEANUP(settings) struct settings settings;
        CLEANUP(cfgfile) struct cfgfile *cfgfile = NULL;
        CLEANUP(free) char *config = NULL;
        int r;

        settings_init(&settings);
        if (c->units)
                r = strv_copy(c->units, ret);
        else {
                // The path that usher.conf sets is the supervisor's, too.
                r = c->config ? str_set(&config, c->config)
                              : unit_path_config_file(options.is_user, &config);
                if (r == 0 && c->root && !c->config)
                        r = move_below(c->root, &config);
                if (r == 0 && config)
                        (void)cfgfile_load(config, &settings, NULL, &cfgfile);
                options.systemd_units = c->systemd_units || settings.systemd_units;
                r = settings.unit_path ? strv_copy(settings.unit_path, ret)
                                       : unit_path_default(&options, ret);
        }
        return r < 0 ? client_complain(NULL, r, "Failed to find the unit path") : 0;
}
