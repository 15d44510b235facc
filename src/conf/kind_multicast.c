// X-JoinGroup=: multicast groups, "ADDRESS" or "ADDRESS%INTERFACE". The interface may appear later.
#include "base/str.h"
#include "conf/kind_impl.h"

#include <arpa/inet.h>

static void free_group(struct multicast_group *g)
{
        free(g->interface);
        free(g->text);
        *g = (struct multicast_group){0};
}

static void free_groups(void *field)
{
        struct multicast_groups *list = field;

        for (size_t i = 0; i < list->n; i++)
                free_group(&list->items[i]);
        free(list->items);
        *list = (struct multicast_groups){0};
}

// Moves the group into the list. 0 or -ENOMEM.
static int add_group(struct multicast_groups *list, struct multicast_group *group)
{
        struct multicast_group *more = realloc(list->items, (list->n + 1) * sizeof(*more));

        if (!more)
                return -ENOMEM;
        list->items = more;
        more[list->n++] = *group;
        *group = (struct multicast_group){0};
        return 0;
}

static bool parse_address(const char *text, struct multicast_group *g)
{
        if (inet_pton(AF_INET, text, &g->addr.in) == 1) {
                g->family = AF_INET;
                return IN_MULTICAST(ntohl(g->addr.in.s_addr));
        }
        g->family = AF_INET6;
        return inet_pton(AF_INET6, text, &g->addr.in6) == 1 && IN6_IS_ADDR_MULTICAST(&g->addr.in6);
}

static int parse_groups(const struct parse_context *c, const char *value, void *field)
{
        struct multicast_group g = {0};
        CLEANUP(free) char *text = NULL, *address = NULL;

        if (!*value) {
                free_groups(field);
                return 0;
        }
        int r = kind_expand(c, value, SPECIFIERS_ALL, KIND_MARKS_REPORT, &text);

        if (!text)
                return r;
        const char *percent = strchr(text, '%');

        address = percent ? strndup(text, (size_t)(percent - text)) : strdup(text);
        if (!address)
                return -ENOMEM;
        if (!parse_address(address, &g))
                return kind_complain_value(c, "multicast group", text);
        if (percent && (percent[1] == '\0' || strlen(percent + 1) >= IF_NAMESIZE))
                return kind_complain_value(c, "interface of the group", text);
        r = str_set(&g.text, text);
        if (r == 0)
                r = str_set(&g.interface, percent ? percent + 1 : NULL);
        if (r == 0)
                r = add_group(field, &g);
        free_group(&g);
        return r;
}

static int format_groups(const struct directive *d, const void *field, char ***ret_lines)
{
        const struct multicast_groups *list = field;
        int r = 0;

        for (size_t i = 0; r == 0 && i < list->n; i++) {
                CLEANUP(buf) struct buf b = BUF_NULL;

                kind_put_specifiers(&b, d, list->items[i].text);
                r = kind_push_buf(ret_lines, &b);
        }
        return r;
}

static bool equal_groups(const void *a, const void *b)
{
        const struct multicast_groups *x = a, *y = b;

        if (x->n != y->n)
                return false;
        for (size_t i = 0; i < x->n; i++)
                if (!streq(x->items[i].text, y->items[i].text))
                        return false;
        return true;
}

static int copy_groups(const void *from, void *to)
{
        const struct multicast_groups *list = from;
        struct multicast_groups copy = {0};

        for (size_t i = 0; i < list->n; i++) {
                struct multicast_group g = list->items[i];

                g.text = g.interface = NULL;
                if (str_set(&g.text, list->items[i].text) < 0 ||
                    str_set(&g.interface, list->items[i].interface) < 0 ||
                    add_group(&copy, &g) < 0) {
                        free_group(&g);
                        free_groups(&copy);
                        return -ENOMEM;
                }
        }
        *(struct multicast_groups *)to = copy;
        return 0;
}

const struct kind kind_multicast_groups = {
        .name = "multicast groups",
        .size = sizeof(kind_multicast_groups_t),
        .parse = parse_groups,
        .format = format_groups,
        .free = free_groups,
        .equal = equal_groups,
        .copy = copy_groups,
};
