// Escapes text from others before it is written to a terminal.
#include "base/list.h"
#include "base/str.h"
#include "ctl/ctl.h"

#include <unistd.h>

// An escaped copy, which shown_done() frees.
struct copy {
        struct list_node node;
        char text[];
};

static struct list_node copies = {&copies, &copies};

static const char *keep(const char *text)
{
        struct copy *c = malloc(sizeof(*c) + strlen(text) + 1);

        if (!c)
                return "?";
        strcpy(c->text, text);
        list_append(&copies, &c->node);
        return c->text;
}

const char *shown(const char *text)
{
        CLEANUP(free) char *safe = str_escape(text);

        if (!safe)
                return "?";
        return streq(safe, text) ? text : keep(safe);
}

const char *shown_lines(const char *text)
{
        CLEANUP(free) char *safe = str_escape_lines(text);

        if (!safe)
                return "?";
        return streq(safe, text) ? text : keep(safe);
}

const char *shown_raw(const char *text)
{
        return isatty(STDOUT_FILENO) ? shown_lines(text) : text;
}

void shown_done(void)
{
        LIST_FOREACH (&copies, node)
                free(CONTAINER_OF(node, struct copy, node));
        list_init(&copies);
}
