#include "conf/group.h"

#include "base/list.h"
#include "base/str.h"

// The number of most recently used groups that are compared with a new one. Units that share
// settings are mostly loaded in sequence.
#define RECENT_MAX 16

struct blob {
        unsigned refs;
        enum conf_group group;
        struct list_node node; // in recent[group]
        max_align_t data[];
};

static struct blob *blob_of(const void *data)
{
        return (struct blob *)((char *)(uintptr_t)data - offsetof(struct blob, data));
}

static struct list_node recent[_GROUP_MAX];
static unsigned n_recent[_GROUP_MAX];

static void *field_of(void *data, const struct directive *d)
{
        return (char *)data + d->offset;
}

static bool is_field(const struct directive *d)
{
        return d->how == DIRECTIVE_ACTED && !d->is_more;
}

static struct blob *blob_new(enum conf_group group)
{
        struct blob *b = calloc(1, sizeof(*b) + conf_group_size(group));

        if (b) {
                b->refs = 1;
                b->group = group;
        }
        return b;
}

static void blob_free(struct blob *b)
{
        size_t n;
        const struct directive *rows = directive_table(b->group, &n);

        if (list_is_linked(&b->node)) {
                list_remove(&b->node);
                n_recent[b->group]--;
        }
        for (size_t i = 0; i < n; i++)
                if (is_field(&rows[i]) && rows[i].kind->free)
                        rows[i].kind->free(field_of(b->data, &rows[i]));
        free(b);
}

static const void *group_ref(const void *data)
{
        blob_of(data)->refs++;
        return data;
}

void group_unref(const void *data)
{
        if (data && --blob_of(data)->refs == 0)
                blob_free(blob_of(data));
}

static int parse_default(const struct directive *d, void *field)
{
        const struct parse_context context = {.directive = d};

        return d->kind->parse(&context, d->default_ ? d->default_ : "", field) < 0 ? -ENOMEM : 0;
}

const void *group_default(enum conf_group group)
{
        static struct blob *defaults[_GROUP_MAX];
        size_t n;
        const struct directive *rows = directive_table(group, &n);

        if (defaults[group])
                return group_ref(defaults[group]->data);
        struct blob *b = blob_new(group);

        for (size_t i = 0; b && i < n; i++)
                if (is_field(&rows[i]) &&
                    parse_default(&rows[i], field_of(b->data, &rows[i])) < 0) {
                        blob_free(b);
                        return NULL;
                }
        if (!b)
                return NULL;
        defaults[group] = b; // this reference is kept
        return group_ref(b->data);
}

void *group_copy(enum conf_group group, const void *from)
{
        size_t n;
        const struct directive *rows = directive_table(group, &n);
        struct blob *b = blob_new(group);

        for (size_t i = 0; b && i < n; i++) {
                const void *field = (const char *)from + rows[i].offset;

                if (!is_field(&rows[i]))
                        continue;
                if (kind_copy(rows[i].kind, field, field_of(b->data, &rows[i])) < 0) {
                        blob_free(b);
                        return NULL;
                }
        }
        return b ? b->data : NULL;
}

bool group_equal(enum conf_group group, const void *a, const void *b)
{
        size_t n;
        const struct directive *rows = directive_table(group, &n);

        if (a == b || !a || !b)
                return a == b;
        for (size_t i = 0; i < n; i++) {
                const struct directive *d = &rows[i];
                const void *x = (const char *)a + d->offset, *y = (const char *)b + d->offset;

                if (is_field(d) && !kind_equal(d->kind, x, y))
                        return false;
        }
        return true;
}

static void remember(struct blob *b)
{
        struct list_node *head = &recent[b->group];

        list_prepend(head, &b->node);
        if (++n_recent[b->group] > RECENT_MAX) {
                list_remove(head->prev);
                n_recent[b->group]--;
        }
}

const void *group_share(enum conf_group group, void *data)
{
        if (!recent[group].next)
                list_init(&recent[group]);
        LIST_FOREACH (&recent[group], node) {
                struct blob *b = CONTAINER_OF(node, struct blob, node);

                if (!group_equal(group, b->data, data))
                        continue;
                group_unref(data);
                list_remove(&b->node);
                list_prepend(&recent[group], &b->node);
                return group_ref(b->data);
        }
        remember(blob_of(data));
        return data;
}
