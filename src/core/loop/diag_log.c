#include "core/loop/diag_log.h"

#include "base/log.h"
#include "base/map.h"
#include "base/str.h"
#include "conf/unit_name.h"

// When this many are remembered, all are forgotten, and complaints are logged again.
#define REMEMBERED_MAX 4096

struct diag_memory {
        struct u64map *told; // a set of hashes
};

static void emit(struct diag *diag UNUSED, const struct diag_entry *entry)
{
        static const int levels[] = {
                [DIAG_NOTICE] = LOG_NOTICE,
                [DIAG_WARNING] = LOG_WARNING,
                [DIAG_ERROR] = LOG_ERR,
        };
        char text[1024];

        // The log line begins with the unit already.
        log_unit(entry->unit, levels[entry->class], 0, "%s",
                 entry->file || !entry->unit ? diag_format(entry, text, sizeof(text))
                                             : entry->text);
}

struct diag diag_log(void)
{
        return (struct diag){.emit = emit};
}

// ---- once

int diag_memory_new(struct diag_memory **ret)
{
        struct diag_memory *m = calloc(1, sizeof(*m));

        if (!m)
                return -ENOMEM;
        m->told = u64map_new();
        if (!m->told) {
                free(m);
                return -ENOMEM;
        }
        *ret = m;
        return 0;
}

void diag_memory_free(struct diag_memory *m)
{
        if (!m)
                return;
        u64map_free(m->told);
        free(m);
}

void diag_memory_forget(struct diag_memory *m)
{
        uint64_t key;
        void *value;

        for (size_t position = 0; u64map_next(m->told, &position, &key, &value);)
                u64map_remove(m->told, key);
}

// FNV-1a; the NUL at the end of each text counts.
static uint64_t add_hash(uint64_t hash, const void *data, size_t size)
{
        const uint8_t *p = data;

        for (size_t i = 0; i < size; i++)
                hash = (hash ^ p[i]) * UINT64_C(0x100000001b3);
        return hash;
}

static uint64_t add_text(uint64_t hash, const char *text)
{
        return add_hash(hash, text ? text : "", text ? strlen(text) + 1 : 1);
}

// A fault in a file is the same complaint for all units that read the file.
static uint64_t hash_of(const struct diag_entry *entry)
{
        CLEANUP(free) char *template = NULL;
        uint64_t hash = add_hash(UINT64_C(0xcbf29ce484222325), &entry->class, sizeof(entry->class));

        hash = add_text(hash, entry->file);
        hash = add_hash(hash, &entry->line, sizeof(entry->line));
        hash = add_text(hash, entry->text);
        if (entry->file || !entry->unit)
                return hash;
        if (unit_name_is_instance(entry->unit))
                (void)unit_name_template(entry->unit, &template); // without memory: by its own name
        return add_text(hash, template ? template : entry->unit);
}

static void emit_once(struct diag *diag, const struct diag_entry *entry)
{
        struct diag_memory *m = diag->data;
        uint64_t hash = hash_of(entry);

        if (u64map_get(m->told, hash))
                return;
        if (u64map_size(m->told) >= REMEMBERED_MAX)
                diag_memory_forget(m);
        (void)u64map_set(m->told, hash, m); // without memory it is logged again next time
        emit(diag, entry);
}

struct diag diag_log_once(struct diag_memory *m)
{
        return (struct diag){.emit = emit_once, .data = m};
}
