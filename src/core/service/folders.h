// Which runs use a RuntimeDirectory=. The instances of a template, or several units, may name the
// same one: it is removed when the last of them ends.
#pragma once

struct run;

// The run uses the folders of its plan from now on to the end of its life; does nothing if it does
// so already. 0 or -ENOMEM (then it uses none).
int folders_hold(struct run *run);
// It no longer does.
void folders_release(struct run *run);
// The folders of its plan that others still use, or that contain one which they use: a list of
// paths, NULL for none. 0 or -ENOMEM.
int folders_in_use(const struct run *run, char ***ret);
