// The default folders of unit files.
#pragma once

#include "base/def.h"

struct unit_path_options {
        bool is_user;
        bool systemd_units; // usher is PID 1, or --systemd-units was given: systemd's folders
                            // follow
        bool has_control;   // with the folders for masks in front
};

// A folder that ranks above those in which units are written: a mask in it counts for a file that
// is in the first of those. Nothing else is put there, but it would count.
#define UNIT_PATH_CONTROL "units.control"
bool unit_path_is_control(const char *dir); // systemd's "system.control", too
// Puts the one of a supervisor in front, unless it is on the path. 0 or -ENOMEM.
int unit_path_add_control(char ***path, const char *runtime_dir);

// The default unit path: usher's folders (usherd(8)), and systemd's behind them where asked.
// SYSTEMD_UNIT_PATH in the environment replaces it all; a colon at its end stands for the default.
// Folders that do not exist are in it, too. New array; 0, -ENOMEM, -ENXIO (user: no HOME).
int unit_path_default(const struct unit_path_options *options, char ***ret);
// Append one folder of the command line, made absolute. 0, -ENOMEM, or -errno of getcwd.
int unit_path_add(char ***path, const char *dir);
// Is this one of the system's folders of systemd, where its own units and those of packages are?
// is_given: the command line names it; then the administrator's, below /etc, is like any other.
bool unit_path_is_systemd(const char *dir, bool is_given);
// The supervisor's usher.conf: usher/usher.conf below configure's --sysconfdir, or
// $XDG_CONFIG_HOME/usher/usher.conf. New string; 0, -ENOMEM, -ENXIO.
int unit_path_config_file(bool is_user, char **ret);

// `usherd run` makes its runtime folder in this one, where usherctl looks for it: /run, or
// $XDG_RUNTIME_DIR, $TMPDIR, /tmp. Its name begins with UNIT_PATH_RUN_PREFIX.
#define UNIT_PATH_RUN_PREFIX "usher-run-"
const char *unit_path_run_parent(void);
