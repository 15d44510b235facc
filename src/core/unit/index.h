// The index of unit files, and what becomes of it between reloads: a file that is newer than the
// index exists (systemd looks at the times of the folders, too). Units that are loaded stay as they
// are until a reload.
#pragma once

#include "core/unit/manager.h"

// Whose unit files and the like are refused (conf/trust.h).
enum trust_mode index_trust(const struct manager *m);
// A new index of the unit path, as the options have it, and of the blocks; diag is told of folders
// and links. 0 or -errno.
int index_new(struct manager *m, const struct cfgfile *cfgfile, struct diag *diag,
              struct conf_loader **ret);
// Before a unit of this name is loaded: reads the folders again if they have changed. A failure is
// logged, and the index stays as it is.
void index_refresh(struct manager *m, const char *name);
// Looks again for the file of a unit that was not found, and gives it its conf and edges. 0 (also
// where it is still not there) or -errno.
int index_look_again(struct unit *u);
// Adds to m->new_names what `fresh` has, the index has not, and somebody would have to start. 0 or
// -ENOMEM.
int index_note_new(struct manager *m, struct conf_loader *fresh);
