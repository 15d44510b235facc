// What a name stands for: aliases followed, templates made instances, all names of the unit.
#include "base/fs.h"
#include "base/str.h"
#include "base/strv.h"
#include "conf/search_index.h"
#include "conf/unit_name.h"

#define ALIAS_HOPS_MAX 8

void search_result_done(struct search_result *result)
{
        free(result->id);
        free(result->path);
        free(result->block);
        strv_free(result->names);
        *result = (struct search_result){0};
}

// Follow aliases. NULL: a name that does not exist, or a chain that is too long (a ring).
static struct search_entry *follow(const struct search *s, const char *name, const char **ret_name)
{
        for (unsigned hops = 0; hops < ALIAS_HOPS_MAX; hops++) {
                struct search_entry *e = map_get(s->entries, name);

                if (!e)
                        return NULL;
                if (e->kind != ENTRY_ALIAS) {
                        if (ret_name)
                                *ret_name = name;
                        return e;
                }
                name = e->target;
        }
        return NULL;
}

static int add_alias(struct search *s, const char *name, struct search_entry *e, const char *alias)
{
        if (search_entry_is_plain(s, e)) {
                struct search_entry *own = search_entry_new(e->kind, e->dir);
                int r = own ? map_set(s->entries, name, own) : -ENOMEM;

                if (r < 0) {
                        search_entry_free(own);
                        return r;
                }
                e = own;
        }
        return strv_push(&e->aliases, alias);
}

// An alias whose target is an instance without a file of its own stands for that of the template.
static int find_instance_targets(struct search *s)
{
        size_t position = 0;
        void *value;

        while (map_next(s->entries, &position, NULL, &value)) {
                struct search_entry *e = value;
                CLEANUP(free) char *template = NULL;

                if (e->kind != ENTRY_ALIAS || !unit_name_is_instance(e->target) ||
                    map_get(s->entries, e->target))
                        continue;
                int r = unit_name_template(e->target, &template);

                if (r < 0)
                        return r;
                if (!map_get(s->entries, template))
                        continue;
                free(e->target);
                e->target = TAKE(template);
        }
        return 0;
}

// foo@x.service -> bar@.service: a name of the one instance bar@x.service, not of all.
static int add_instance_alias(struct search *s, const char *template, const char *alias)
{
        CLEANUP(free) char *instance = NULL, *name = NULL;
        int r = unit_name_instance(alias, &instance);

        if (r >= 0)
                r = unit_name_with_instance(template, instance, &name);
        if (r < 0)
                return r;
        struct search_names *names = map_get(s->instances, name);

        if (!names) {
                names = calloc(1, sizeof(*names));
                r = names ? map_set(s->instances, name, names) : -ENOMEM;
                if (r < 0) {
                        free(names);
                        return r;
                }
        }
        return strv_push(&names->list, alias);
}

int search_collect_aliases(struct search *s)
{
        size_t position = 0;
        const char *name;
        void *value;
        int r = find_instance_targets(s);

        if (r < 0)
                return r;
        while (map_next(s->entries, &position, &name, &value)) {
                const struct search_entry *e = value;
                struct search_entry *final;
                const char *final_name;

                if (e->kind != ENTRY_ALIAS)
                        continue;
                final = follow(s, name, &final_name);
                if (!final)
                        continue;
                r = unit_name_is_instance(name) && unit_name_is_template(final_name)
                            ? add_instance_alias(s, final_name, name)
                            : add_alias(s, final_name, final, name);
                if (r < 0)
                        return r;
        }
        return 0;
}

// The names of the unit: those that stand for the entry, made instances where the entry is a
// template; and those that stand for the instance itself.
static int collect_names(const struct search *s, const char *instance, const struct search_entry *e,
                         struct search_result *result)
{
        const struct search_entry *own = map_get(s->entries, result->id);
        int r = 0;

        STRV_FOREACH (alias, e->aliases) {
                CLEANUP(free) char *name = NULL;
                bool is_made = instance && unit_name_is_template(*alias);

                if (is_made)
                        r = unit_name_with_instance(*alias, instance, &name);
                else if (!(name = strdup(*alias)))
                        r = -ENOMEM;
                // What a link of this name leads to decides, or the file: see s->instances.
                if (r >= 0 && is_made && map_get(s->entries, name))
                        continue;
                if (r >= 0)
                        r = strv_push_take(&result->names, TAKE(name));
                if (r < 0)
                        return r;
        }
        if (own && own != e)
                r = strv_extend(&result->names, own->aliases);
        const struct search_names *instances = map_get(s->instances, result->id);

        if (r >= 0 && instances)
                r = strv_extend(&result->names, instances->list);
        return r;
}

static int fill_result(const struct search *s, const char *name, const char *instance,
                       const char *entry_name, const struct search_entry *e,
                       struct search_result *result)
{
        bool is_made = instance && *instance && unit_name_is_template(entry_name);
        int r = 0;

        result->verdict = e->kind == ENTRY_BLOCK  ? SEARCH_BLOCK
                          : e->kind == ENTRY_MASK ? SEARCH_MASKED
                                                  : SEARCH_FOUND;
        if (is_made)
                r = unit_name_with_instance(entry_name, instance, &result->id);
        else
                result->id = strdup(entry_name);
        result->path = search_entry_path(s, e, entry_name);
        if (e->kind == ENTRY_BLOCK)
                result->block = strdup(entry_name);
        if (r < 0 || !result->id || !result->path || (e->kind == ENTRY_BLOCK && !result->block))
                return -ENOMEM;
        r = collect_names(s, is_made ? instance : NULL, e, result);
        if (r >= 0 && !streq(name, result->id))
                r = strv_push(&result->names, name);
        if (r < 0)
                return r;
        strv_remove(result->names, result->id);
        strv_sort_unique(result->names);
        if (e->kind == ENTRY_FILE && search_path_is_mask(result->path) > 0)
                result->verdict = SEARCH_MASKED;
        return 0;
}

int search_find(struct search *s, const char *name, struct search_result *ret)
{
        CLEANUP(search_result) struct search_result result = {.verdict = SEARCH_NOT_FOUND};
        CLEANUP(free) char *instance = NULL, *template_name = NULL;
        const char *entry_name = NULL;
        const struct search_entry *e = follow(s, name, &entry_name);
        int r = unit_name_instance(name, &instance);

        if (r >= 0 && !e && unit_name_is_instance(name)) {
                r = unit_name_template(name, &template_name);
                e = r < 0 ? NULL : follow(s, template_name, &entry_name);
        }
        if (r < 0)
                return r;
        if (e)
                r = fill_result(s, name, instance, entry_name, e, &result);
        else
                r = str_set(&result.id, name);
        if (r < 0)
                return r;
        *ret = result;
        result = (struct search_result){0};
        return 0;
}
