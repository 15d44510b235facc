// $VAR and ${VAR} in the words of a command line (systemd.service(5), "Command lines"; features
// §2.3). Pure. Called at each start, with the final environment.
#pragma once

#include "base/def.h"

// Can expansion change these words at all?
bool expand_is_needed(char *const *argv);

// How the caller gives memory: NULL when there is none left.
typedef void *(*expand_allocate_fn)(void *data, size_t size);

// Expand all words against env (which may be NULL):
//   ${NAME} anywhere: the value as it is, unset: nothing    $$: one '$'
//   $NAME as a whole word: the value split at white space, honouring quotes (0..n words)
//   a word that starts with '$' and is no name ("$DIR/x"): dropped; counted in *ret_dropped
//   '$' elsewhere: as it is
// *ret is NULL-terminated, from allocate(); its words are from there too, or those of argv and env.
// 0, -ENOMEM, -E2BIG.
int expand_argv(char *const *argv, char *const *env, expand_allocate_fn allocate, void *data,
                char ***ret, size_t *ret_dropped);
