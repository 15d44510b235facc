#include "core/socket/admit.h"

#include <assert.h>

// Sources sit in a chained hash table that grows with their number; a source exists only while it
// has a connection, and a bounded number of freed entries is kept for reuse.
#define ADMIT_BUCKETS_MIN 16
#define ADMIT_SPARE_MAX 64

struct admit_source {
        struct admit_source *next;
        uint32_t hash;
        unsigned count;
        uint8_t size;
        uint8_t key[ADMIT_KEY_MAX];
};

struct admit {
        unsigned count;
        bool orphaned; // admit_free() was called while tokens were out
        struct admit_source **buckets;
        size_t n_buckets, n_sources;
        struct admit_source *spare;
        size_t n_spare;
};

static uint32_t hash_key(const uint8_t *key, size_t size)
{
        uint32_t hash =
                2166136261u; // FNV-1a; a peer chooses its own address, but not how the table grows

        for (size_t i = 0; i < size; i++)
                hash = (hash ^ key[i]) * 16777619u;
        return hash ^ (hash >> 15);
}

int admit_new(struct admit **ret)
{
        struct admit *a = calloc(1, sizeof(*a));

        if (!a)
                return -ENOMEM;
        a->buckets = calloc(ADMIT_BUCKETS_MIN, sizeof(*a->buckets));
        if (!a->buckets) {
                free(a);
                return -ENOMEM;
        }
        a->n_buckets = ADMIT_BUCKETS_MIN;
        *ret = a;
        return 0;
}

static void destroy(struct admit *a)
{
        while (a->spare) {
                struct admit_source *s = a->spare;

                a->spare = s->next;
                free(s);
        }
        free(a->buckets);
        free(a);
}

void admit_free(struct admit *a)
{
        if (!a)
                return;
        a->orphaned = true;
        if (a->count == 0)
                destroy(a);
}

// Doubling keeps chains short; without memory the table keeps its size.
static void grow(struct admit *a)
{
        size_t n = a->n_buckets * 2;
        struct admit_source **buckets = calloc(n, sizeof(*buckets));

        if (!buckets)
                return;
        for (size_t i = 0; i < a->n_buckets; i++) {
                struct admit_source *next;

                for (struct admit_source *s = a->buckets[i]; s; s = next) {
                        struct admit_source **slot = &buckets[s->hash & (n - 1)];

                        next = s->next;
                        s->next = *slot;
                        *slot = s;
                }
        }
        free(a->buckets);
        a->buckets = buckets;
        a->n_buckets = n;
}

static struct admit_source *source_find(const struct admit *a, const void *key, size_t size,
                                        uint32_t hash)
{
        struct admit_source *s = a->buckets[hash & (a->n_buckets - 1)];

        while (s && (s->hash != hash || s->size != size || memcmp(s->key, key, size) != 0))
                s = s->next;
        return s;
}

static struct admit_source *source_add(struct admit *a, const void *key, size_t size, uint32_t hash)
{
        struct admit_source *s = a->spare;

        if (s) {
                a->spare = s->next;
                a->n_spare--;
        } else {
                s = malloc(sizeof(*s));
                if (!s)
                        return NULL;
        }
        if (a->n_sources >= a->n_buckets)
                grow(a);
        struct admit_source **slot = &a->buckets[hash & (a->n_buckets - 1)];

        *s = (struct admit_source){.next = *slot, .hash = hash, .size = (uint8_t)size};
        memcpy(s->key, key, size);
        *slot = s;
        a->n_sources++;
        return s;
}

static void source_drop(struct admit *a, struct admit_source *s)
{
        struct admit_source **slot = &a->buckets[s->hash & (a->n_buckets - 1)];

        while (*slot != s)
                slot = &(*slot)->next;
        *slot = s->next;
        a->n_sources--;
        if (a->n_spare >= ADMIT_SPARE_MAX) {
                free(s);
                return;
        }
        s->next = a->spare;
        a->spare = s;
        a->n_spare++;
}

int admit_try(struct admit *a, const struct admit_limits *limits, const void *key, size_t key_size,
              struct admit_token *ret_token)
{
        struct admit_source *s = NULL;

        assert(key_size <= ADMIT_KEY_MAX);
        if (a->count >= limits->max_connections)
                return ADMIT_FULL;
        if (key && limits->max_per_source > 0 && limits->max_per_source != UINT32_MAX) {
                uint32_t hash = hash_key(key, key_size);

                s = source_find(a, key, key_size, hash);
                if (s && s->count >= limits->max_per_source)
                        return ADMIT_SOURCE_FULL;
                if (!s)
                        s = source_add(a, key, key_size, hash);
                if (!s)
                        return -ENOMEM;
                s->count++;
        }
        a->count++;
        *ret_token = (struct admit_token){.admit = a, .source = s};
        return ADMIT_OK;
}

void admit_release(struct admit_token *token)
{
        struct admit *a = token->admit;
        struct admit_source *s = token->source;

        if (!a)
                return;
        *token = (struct admit_token){0};
        if (s && --s->count == 0)
                source_drop(a, s);
        if (--a->count == 0 && a->orphaned)
                destroy(a);
}

unsigned admit_count(const struct admit *a)
{
        return a ? a->count : 0;
}

size_t admit_count_sources(const struct admit *a)
{
        return a->n_sources;
}
