// The whole input is what the child that parses usher.conf says.
#include "conf/cfgfile.h"

#include "base/str.h"
#include "conf/unit_name.h"
#include "fuzz/input.h"

static void check_block(const struct cfgfile *c, const struct cfgfile_block *block)
{
        assert(unit_name_is_valid(block->name) && unit_name_type(block->name) == block->type);
        assert(cfgfile_find(c, block->name) == block);
        for (size_t i = 0; i < block->n_lines; i++) {
                const struct cfgfile_line *line = &block->lines[i];

                assert(line->name && line->value && line->file && str_is_utf8(line->value));
                assert(!strpbrk(line->value, "\n\r"));
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct input in = {data, size};
        CLEANUP(free) char *records = input_rest(&in, NULL);
        CLEANUP(cfgfile) struct cfgfile *c = NULL;
        CLEANUP(settings) struct settings settings;
        const struct cfgfile_block *block;
        struct diag diag = {0};
        size_t position = 0;

        settings_init(&settings);
        int r = cfgfile_from_records("/etc/usher.conf", records, size, &settings, &diag, &c);

        assert(r == 0 || r == -EIO || (r == -EBADMSG && diag.errors + diag.warnings > 0));
        while (c && (block = cfgfile_next(c, &position)))
                check_block(c, block);
        return 0;
}
