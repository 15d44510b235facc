// The whole input is a file of EnvironmentFile=.
#include "spawn/envfile.h"

#include "base/buf.h"
#include "base/str.h"
#include "base/strv.h"
#include "fuzz/input.h"

// As a file has it: in double quotes everything is kept, but for what a backslash must stand for.
static void put_line(struct buf *b, const char *assignment)
{
        size_t n = strcspn(assignment, "=");

        buf_put(b, assignment, n);
        buf_puts(b, "=\"");
        for (const char *p = assignment + n + 1; *p; p++) {
                if (strchr("\"\\`$", *p))
                        buf_putc(b, '\\');
                buf_putc(b, *p);
        }
        buf_puts(b, "\"\n");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct input in = {data, size};
        CLEANUP(free) char *text = input_rest(&in, NULL);
        CLEANUP(strv) char **env = NULL;
        CLEANUP(strv) char **again = NULL;
        CLEANUP(buf) struct buf file = BUF_NULL;
        int r = envfile_parse(text, size, &env);

        assert(r == (memchr(text, '\0', size) ? -EBADMSG : 0));
        STRV_FOREACH (item, env) {
                size_t n = strcspn(*item, "=");

                assert((*item)[n] == '=' && strv_env_name_is_valid(*item, n));
                assert(str_is_utf8(*item));
                for (char **other = env; other < item; other++)
                        assert(strncmp(*other, *item, n + 1) != 0);
                put_line(&file, *item);
        }
        assert(file.error == 0 && envfile_parse(buf_text(&file), file.size, &again) == 0);
        assert(strv_equal(env, again));
        return 0;
}
