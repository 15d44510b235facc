// The index of unit files between reloads: a file that is newer than the index exists (systemd
// looks at the times of the folders, too). Units that are loaded stay as they are until a reload.
#pragma once

#include "core/unit/manager.h"

// Before a unit of this name is loaded: reads the folders again if they have changed. A failure is
// logged, and the index stays as it is.
void index_refresh(struct manager *m, const char *name);
// Looks again for the file of a unit that was not found, and gives it its conf and edges. 0 (also
// where it is still not there) or -errno.
int index_look_again(struct unit *u);
// Adds to m->new_names what `fresh` has, the index has not, and somebody would have to start. 0 or
// -ENOMEM.
int index_note_new(struct manager *m, struct conf_loader *fresh);
