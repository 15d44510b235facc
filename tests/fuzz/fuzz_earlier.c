// The whole input is a file of listeners, whose first line is the right one.
#include "core/socket/earlier.h"

#include "fuzz/input.h"

static int on_record(const struct earlier_record *r, void *data)
{
        size_t *n = data;

        assert(r->inode > 0 && *r->type && *r->text);
        assert(!strpbrk(r->type, " \n") && !strchr(r->text, '\n'));
        return ++*n < 1000 ? 0 : -ENOMEM;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct input in = {data, size};
        CLEANUP(free)
        char *text = input_rest(&in, NULL), *first = strndup(text, strcspn(text, "\n"));
        bool has_lines = strchr(text, '\n') && first[0];
        size_t n = 0;
        int r = earlier_parse(text, first, on_record, &n);

        assert(r == (!has_lines ? -ESTALE : n == 1000 ? -ENOMEM : 0));
        return 0;
}
