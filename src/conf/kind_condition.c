// Condition*= and Assert*=: lists, whose items get their type from the row.
#include "base/str.h"
#include "conf/kind_impl.h"

#define BLANKS " \t\n\r"

static void free_conditions(void *field)
{
        struct condition_list *list = field;

        for (size_t i = 0; i < list->n; i++)
                free(list->items[i].param);
        free(list->items);
        *list = (struct condition_list){0};
}

// Takes the parameter. 0 or -ENOMEM.
static int add_condition(struct condition_list *list, struct condition new)
{
        struct condition *more = realloc(list->items, (list->n + 1) * sizeof(*more));

        if (!more) {
                free(new.param);
                return -ENOMEM;
        }
        list->items = more;
        more[list->n++] = new;
        return 0;
}

static bool takes_path(enum condition_type type)
{
        return type <= CONDITION_NEEDS_UPDATE;
}

static int parse_conditions(const struct parse_context *c, const char *value, void *field)
{
        struct condition new = {.type = (enum condition_type)c->directive->arg};
        CLEANUP(free) char *param = NULL;
        int r;

        if (!*value) {
                free_conditions(field); // all types at once, as in systemd
                return 0;
        }
        new.trigger = *value == '|';
        if (new.trigger) {
                value++;
                value += strspn(value, BLANKS);
        }
        new.negate = *value == '!';
        if (new.negate) {
                value++;
                value += strspn(value, BLANKS);
        }
        r = kind_expand(c, value, SPECIFIERS_ALL, KIND_MARKS_REPORT, &param);
        if (param && takes_path(new.type))
                r = kind_clean_path(c, &param);
        if (!param)
                return r;
        new.param = TAKE(param);
        return add_condition(field, new);
}

static intptr_t get_item_type(const void *field, size_t i)
{
        return (intptr_t)((const struct condition_list *)field)->items[i].type;
}

static int format_conditions(const struct directive *d, const void *field, char ***ret_lines)
{
        const struct condition_list *list = field;
        int r = 0;

        for (size_t i = 0; i < list->n && r == 0; i++) {
                CLEANUP(buf) struct buf b = BUF_NULL;

                if (list->items[i].trigger)
                        buf_putc(&b, '|');
                if (list->items[i].negate)
                        buf_putc(&b, '!');
                kind_put_specifiers(&b, d, list->items[i].param);
                r = kind_push_buf(ret_lines, &b);
        }
        return r;
}

static bool equal_conditions(const void *a, const void *b)
{
        const struct condition_list *x = a, *y = b;

        if (x->n != y->n)
                return false;
        for (size_t i = 0; i < x->n; i++)
                if (x->items[i].type != y->items[i].type ||
                    x->items[i].trigger != y->items[i].trigger ||
                    x->items[i].negate != y->items[i].negate ||
                    !streq(x->items[i].param, y->items[i].param))
                        return false;
        return true;
}

static int copy_conditions(const void *from, void *to)
{
        const struct condition_list *list = from;
        struct condition_list copy = {0};

        for (size_t i = 0; i < list->n; i++) {
                struct condition new = list->items[i];

                new.param = strdup(new.param);
                if (!new.param || add_condition(&copy, new) < 0) {
                        free_conditions(&copy);
                        return -ENOMEM;
                }
        }
        *(struct condition_list *)to = copy;
        return 0;
}

const struct kind kind_conditions = {
        .name = "conditions",
        .size = sizeof(kind_conditions_t),
        .signature = NULL,
        .parse = parse_conditions,
        .format = format_conditions,
        .free = free_conditions,
        .item_arg = get_item_type,
        .equal = equal_conditions,
        .copy = copy_conditions,
};
