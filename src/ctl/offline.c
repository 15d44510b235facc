// Where unit files are found without asking a supervisor.
#include "base/fs.h"
#include "base/str.h"
#include "base/strv.h"
#include "conf/cfgfile.h"
#include "conf/difference.h"
#include "conf/unit_path.h"
#include "ctl/ctl.h"

#include <stdio.h>
#include <unistd.h>

void offline_on_complaint(struct diag *diag UNUSED, const struct diag_entry *entry)
{
        char text[512];

        fprintf(stderr, "usherctl: %s\n", shown(diag_format(entry, text, sizeof(text))));
}

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

void offline_settings(struct ctl *c, struct settings *ret)
{
        CLEANUP(cfgfile) struct cfgfile *cfgfile = NULL;
        CLEANUP(free) char *config = NULL;
        bool is_user = offline_is_user(c);
        enum trust_mode trust = trust_mode_choose(-1, is_user, c->compat, c->config != NULL);
        int r = c->config ? str_set(&config, c->config) : unit_path_config_file(is_user, &config);

        settings_init(ret);
        if (r == 0 && c->root && !c->config)
                r = move_below(c->root, &config);
        if (r == 0 && config && cfgfile_load(config, trust, ret, NULL, &cfgfile) < 0)
                settings_done(ret);
}

enum trust_mode offline_trust(struct ctl *c)
{
        CLEANUP(settings) struct settings settings;

        offline_settings(c, &settings);
        // The folders that a running supervisor reads count as named on its command line.
        return trust_mode_choose(settings.refuse_writable, offline_is_user(c),
                                 c->compat || settings.compat_systemd,
                                 c->units || (c->bus && !c->root && !c->config));
}

int offline_unit_path(struct ctl *c, char ***ret)
{
        struct unit_path_options options = {.is_user = offline_is_user(c)};
        CLEANUP(settings) struct settings settings;
        int r;

        offline_settings(c, &settings);
        options.systemd_units = c->systemd_units || settings.systemd_units;
        options.has_control =
                difference_applies(DIFFERENCE_MASK_ABOVE, c->compat || settings.compat_systemd);
        r = c->units             ? strv_copy(c->units, ret)
            : settings.unit_path ? strv_copy(settings.unit_path, ret)
                                 : unit_path_default(&options, ret);
        return r < 0 ? client_complain(NULL, r, "Failed to find the unit path") : 0;
}
