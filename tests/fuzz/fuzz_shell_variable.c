// The name of a variable up to a NUL, then a text like os-release.
#include "base/parse.h"

#include "base/buf.h"
#include "base/str.h"
#include "fuzz/input.h"

// A line more decides, whatever stands in front of it.
static void check_last(const char *text, const char *name)
{
        CLEANUP(buf) struct buf b = BUF_NULL;
        CLEANUP(free) char *value = NULL;

        buf_puts(&b, text);
        buf_printf(&b, "\n%s=\"a 'b\\\"\"\n", name);
        assert(parse_shell_variable(buf_text(&b), name, &value) == 1);
        assert(streq(value, "a 'b\""));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct input in = {data, size};
        CLEANUP(free) char *name = input_string(&in);
        CLEANUP(free) char *text = input_string(&in);
        CLEANUP(free) char *value = NULL;
        int r = parse_shell_variable(text, name, &value);

        assert((r == 1 && value) || (r == 0 && !value));
        if (r == 1)
                assert(strstr(text, name) && strlen(value) < strlen(text));
        // A name that no line can begin with has no last line, either.
        if (*name && !strpbrk(name, " \t\r\n="))
                check_last(text, name);
        return 0;
}
