#include "base/map.h"

#include <sys/random.h>

// Both maps: entries in an array in the order of insertion (removed ones leave a hole), and an open
// addressing index of entry numbers. Rebuilt when holes or load grow.
struct entry {
        union {
                char *key; // string map
                uint64_t number;
        };
        void *value;
        uint32_t hash;
        bool is_used;
};

struct table {
        struct entry *entries;
        size_t n_entries, capacity, n_live;
        uint32_t *index; // entry number + 1, 0: empty
        size_t n_index;  // power of two
        uint64_t seed;
};

struct map {
        struct table table;
};

struct u64map {
        struct table table;
};

static uint64_t mix(uint64_t x)
{
        x ^= x >> 30;
        x *= 0xbf58476d1ce4e5b9u;
        x ^= x >> 27;
        x *= 0x94d049bb133111ebu;
        return x ^ (x >> 31);
}

static uint32_t hash_string(const struct table *t, const char *s)
{
        uint64_t h = t->seed;

        for (; *s; s++)
                h = (h ^ (unsigned char)*s) * 0x100000001b3u;
        return (uint32_t)mix(h);
}

static uint32_t hash_number(const struct table *t, uint64_t number)
{
        return (uint32_t)mix(number ^ t->seed);
}

// Each table has its own seed, made from one secret of the process.
static void seed_table(struct table *t)
{
        static uint64_t secret;

        // Early boot may have no entropy; a fixed seed is only less robust against chosen keys.
        if (secret == 0 && getrandom(&secret, sizeof(secret), GRND_NONBLOCK) != sizeof(secret))
                secret = 0xcbf29ce484222325u ^ (uint64_t)(uintptr_t)t;
        secret += 0x9e3779b97f4a7c15u;
        t->seed = mix(secret);
}

static bool is_key(const struct entry *e, uint32_t hash, const char *key, uint64_t number)
{
        if (e->hash != hash || !e->is_used)
                return false;
        return key ? strcmp(e->key, key) == 0 : e->number == number;
}

static struct entry *table_find(const struct table *t, uint32_t hash, const char *key,
                                uint64_t number)
{
        if (t->n_index == 0)
                return NULL;
        for (size_t i = hash & (t->n_index - 1);; i = (i + 1) & (t->n_index - 1)) {
                if (t->index[i] == 0)
                        return NULL;
                struct entry *e = &t->entries[t->index[i] - 1];

                if (is_key(e, hash, key, number))
                        return e;
        }
}

static void index_put(struct table *t, size_t entry)
{
        size_t i = t->entries[entry].hash & (t->n_index - 1);

        while (t->index[i] != 0)
                i = (i + 1) & (t->n_index - 1);
        t->index[i] = (uint32_t)entry + 1;
}

// Closes the holes and makes room for one more entry.
static int table_rebuild(struct table *t)
{
        size_t capacity = 8, n = 0;

        while (capacity <= t->n_live + t->n_live / 2)
                capacity *= 2;
        struct entry *entries = malloc(capacity * sizeof(*entries));
        uint32_t *index = calloc(capacity * 2, sizeof(*index));

        if (!entries || !index) {
                free(entries);
                free(index);
                return -ENOMEM;
        }
        for (size_t i = 0; i < t->n_entries; i++)
                if (t->entries[i].is_used)
                        entries[n++] = t->entries[i];
        free(t->entries);
        free(t->index);
        t->entries = entries;
        t->n_entries = n;
        t->capacity = capacity;
        t->index = index;
        t->n_index = capacity * 2;
        for (size_t i = 0; i < n; i++)
                index_put(t, i);
        return 0;
}

// After the last entry was removed: a large table gives its memory back, a small one keeps it.
static void table_empty(struct table *t)
{
        t->n_entries = 0;
        if (t->capacity <= 64) {
                memset(t->index, 0, t->n_index * sizeof(*t->index));
                return;
        }
        free(TAKE(t->entries));
        free(TAKE(t->index));
        t->capacity = t->n_index = 0;
}

static int table_add(struct table *t, struct entry e)
{
        if (t->n_entries >= UINT32_MAX - 1)
                return -ENOMEM; // the index has 32 bits
        if (t->n_entries == t->capacity) {
                int r = table_rebuild(t);

                if (r < 0)
                        return r;
        }
        t->entries[t->n_entries] = e;
        index_put(t, t->n_entries++);
        t->n_live++;
        return 1;
}

static void *table_remove(struct table *t, struct entry *e)
{
        void *value;

        if (!e)
                return NULL;
        value = e->value;
        e->is_used = false; // its index slot stays, so that longer probes still pass
        if (--t->n_live == 0)
                table_empty(t);
        return value;
}

static bool table_next(const struct table *t, size_t *position, const struct entry **ret)
{
        while (*position < t->n_entries) {
                const struct entry *e = &t->entries[(*position)++];

                if (e->is_used) {
                        *ret = e;
                        return true;
                }
        }
        return false;
}

static void table_done(struct table *t)
{
        free(t->entries);
        free(t->index);
}

struct map *map_new(void)
{
        struct map *m = calloc(1, sizeof(*m));

        if (m)
                seed_table(&m->table);
        return m;
}

void map_free(struct map *m)
{
        if (!m)
                return;
        for (size_t i = 0; i < m->table.n_entries; i++)
                if (m->table.entries[i].is_used)
                        free(m->table.entries[i].key);
        table_done(&m->table);
        free(m);
}

int map_set(struct map *m, const char *key, void *value)
{
        uint32_t hash = hash_string(&m->table, key);
        struct entry *e = table_find(&m->table, hash, key, 0);

        if (e) {
                e->value = value;
                return 0;
        }
        char *copy = strdup(key);

        if (!copy)
                return -ENOMEM;
        int r = table_add(
                &m->table,
                (struct entry){.key = copy, .value = value, .hash = hash, .is_used = true});

        if (r < 0)
                free(copy);
        return r;
}

void *map_get(const struct map *m, const char *key)
{
        struct entry *e = table_find(&m->table, hash_string(&m->table, key), key, 0);

        return e ? e->value : NULL;
}

const char *map_get_key(const struct map *m, const char *key)
{
        struct entry *e = table_find(&m->table, hash_string(&m->table, key), key, 0);

        return e ? e->key : NULL;
}

void *map_remove(struct map *m, const char *key)
{
        struct entry *e = table_find(&m->table, hash_string(&m->table, key), key, 0);

        if (e)
                free(TAKE(e->key));
        return table_remove(&m->table, e);
}

size_t map_size(const struct map *m)
{
        return m->table.n_live;
}

bool map_next(const struct map *m, size_t *position, const char **ret_key, void **ret_value)
{
        const struct entry *e;

        if (!table_next(&m->table, position, &e))
                return false;
        if (ret_key)
                *ret_key = e->key;
        if (ret_value)
                *ret_value = e->value;
        return true;
}

struct u64map *u64map_new(void)
{
        struct u64map *m = calloc(1, sizeof(*m));

        if (m)
                seed_table(&m->table);
        return m;
}

void u64map_free(struct u64map *m)
{
        if (!m)
                return;
        table_done(&m->table);
        free(m);
}

int u64map_set(struct u64map *m, uint64_t key, void *value)
{
        uint32_t hash = hash_number(&m->table, key);
        struct entry *e = table_find(&m->table, hash, NULL, key);

        if (e) {
                e->value = value;
                return 0;
        }
        return table_add(
                &m->table,
                (struct entry){.number = key, .value = value, .hash = hash, .is_used = true});
}

void *u64map_get(const struct u64map *m, uint64_t key)
{
        struct entry *e = table_find(&m->table, hash_number(&m->table, key), NULL, key);

        return e ? e->value : NULL;
}

void *u64map_remove(struct u64map *m, uint64_t key)
{
        return table_remove(&m->table,
                            table_find(&m->table, hash_number(&m->table, key), NULL, key));
}

size_t u64map_size(const struct u64map *m)
{
        return m->table.n_live;
}

bool u64map_next(const struct u64map *m, size_t *position, uint64_t *ret_key, void **ret_value)
{
        const struct entry *e;

        if (!table_next(&m->table, position, &e))
                return false;
        if (ret_key)
                *ret_key = e->number;
        if (ret_value)
                *ret_value = e->value;
        return true;
}
