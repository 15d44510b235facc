// Hash maps: string keys (copied) or 64-bit keys, to pointers that the map does not own.
#pragma once

#include "base/def.h"

struct map; // string -> pointer

struct map *map_new(void); // NULL: no memory
void map_free(struct map *m);
DEFINE_CLEANUP(map, struct map *, map_free)

// Insert or replace. The key is copied. 1 inserted, 0 replaced, -ENOMEM.
int map_set(struct map *m, const char *key, void *value);
void *map_get(const struct map *m, const char *key); // NULL: not found
// The map's own copy of the key, valid while the key is in the map. NULL: not found.
const char *map_get_key(const struct map *m, const char *key);
void *map_remove(struct map *m, const char *key); // the removed value or NULL
size_t map_size(const struct map *m);
// Walk in insertion order: *position starts at 0; false at the end. The current entry may be
// removed while walking; nothing may be added.
bool map_next(const struct map *m, size_t *position, const char **ret_key, void **ret_value);

struct u64map; // uint64_t -> pointer (pids, ids)

struct u64map *u64map_new(void);
void u64map_free(struct u64map *m);
DEFINE_CLEANUP(u64map, struct u64map *, u64map_free)
int u64map_set(struct u64map *m, uint64_t key, void *value);
void *u64map_get(const struct u64map *m, uint64_t key);
void *u64map_remove(struct u64map *m, uint64_t key);
size_t u64map_size(const struct u64map *m);
bool u64map_next(const struct u64map *m, size_t *position, uint64_t *ret_key, void **ret_value);
