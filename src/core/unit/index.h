// The index of unit files, and how it is kept up to date between reloads: a file that is newer than
// the index is found (systemd checks the times of the folders, too). Loaded units stay as they are
// until a reload.
#pragma once

#include "core/unit/manager.h"

// Whose unit files and the like are refused (conf/trust.h).
enum trust_mode index_trust(const struct manager *m);
// Makes a new index of the unit path and the blocks, as the options say; complaints about folders
// and links go to diag. 0 or -errno.
int index_new(struct manager *m, const struct cfgfile *cfgfile, struct diag *diag,
              struct conf_loader **ret);
// Called before a unit of this name is loaded: reads the folders again if they have changed. A
// failure is logged, and the index stays as it is.
void index_refresh(struct manager *m, const char *name);
// Searches again for the file of a unit that was not found, and gives the unit its conf and edges.
// 0 (also if there is still no file) or -errno.
int index_look_again(struct unit *u);
// Adds to m->new_names the units that `fresh` has, that the index lacks, and that something would
// start. 0 or -ENOMEM.
int index_note_new(struct manager *m, struct conf_loader *fresh);
