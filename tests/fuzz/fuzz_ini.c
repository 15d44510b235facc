// The whole input is a unit file. What is handed on keeps to the header's word.
#include "base/str.h"
#include "conf/ini.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int on_assign(void *data, const char *section, const char *name, const char *value,
                     const char *file, unsigned line)
{
        unsigned *last = data;

        assert(*section && *name && file && line > 0 && line >= *last);
        assert(str_is_utf8(name) && str_is_utf8(value));
        assert(!strchr(name, '=') && !strchr(value, '\n'));
        *last = line;
        return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        unsigned last = 0;
        struct diag diag = {0};
        struct ini_sink sink = {.assign = on_assign, .data = &last, .diag = &diag};
        int r = ini_parse((const char *)data, size, "f", &sink);

        assert(r <= 0 && (r == 0 || diag.errors == 1));
        return 0;
}
