// $VAR and ${VAR} in the words of a command line (systemd.service(5), "Command lines"). Pure.
// Called at each start, with the final environment.
#pragma once

#include "base/def.h"

// Does any of these words contain something to expand?
bool expand_is_needed(char *const *argv);

// The caller's allocator: NULL when no memory is left.
typedef void *(*expand_allocate_fn)(void *data, size_t size);

// Expands all words against env (which may be NULL):
// ${NAME} anywhere: the value as it is, or nothing if it is unset; $$: one '$'
// $NAME as a whole word: the value split at white space, honouring quotes (0..n words)
// a word that starts with '$' and is no name ("$DIR/x"): dropped, and counted in *ret_dropped
// '$' elsewhere: unchanged
// *ret is NULL-terminated and allocated with allocate(); so are its words, unless they are those of
// argv and env. 0, -ENOMEM, -E2BIG.
int expand_argv(char *const *argv, char *const *env, expand_allocate_fn allocate, void *data,
                char ***ret, size_t *ret_dropped);
