// The default folders of unit files.
#pragma once

#include "base/def.h"

struct unit_path_options {
        bool is_user;
        bool systemd_units; // usher is PID 1, or --systemd-units was given: systemd's folders
                            // follow
        bool has_control;   // with the folders for masks first
};

// A folder that precedes those for unit files, so that a mask in it hides a file in the first of
// them. usher puts only masks there, but other files would count, too.
#define UNIT_PATH_CONTROL "units.control"
bool unit_path_is_control(const char *dir); // systemd's "system.control", too
// Puts this folder of a supervisor first, unless it is on the path. 0 or -ENOMEM.
int unit_path_add_control(char ***path, const char *runtime_dir);

// The default unit path: usher's folders (usherd(8)), then systemd's if requested.
// SYSTEMD_UNIT_PATH in the environment replaces all of it; a colon at its end stands for the
// default. Folders that do not exist are included. New array; 0, -ENOMEM, -ENXIO (user: no HOME).
int unit_path_default(const struct unit_path_options *options, char ***ret);
// Append one folder of the command line, made absolute. 0, -ENOMEM, or -errno of getcwd.
int unit_path_add(char ***path, const char *dir);
// Is this one of systemd's system folders, with its own units and those of packages? is_given: the
// command line names it; then the administrator's folder, below /etc, does not count.
bool unit_path_is_systemd(const char *dir, bool is_given);
// The supervisor's usher.conf: usher/usher.conf below configure's --sysconfdir, or
// $XDG_CONFIG_HOME/usher/usher.conf. New string; 0, -ENOMEM, -ENXIO.
int unit_path_config_file(bool is_user, char **ret);

// `usherd run` makes its runtime folder in this folder, where usherctl searches for it: /run, or
// $XDG_RUNTIME_DIR, $TMPDIR, /tmp. Its name begins with UNIT_PATH_RUN_PREFIX.
#define UNIT_PATH_RUN_PREFIX "usher-run-"
const char *unit_path_run_parent(void);
