// A unit name up to a NUL, then a preset file.
#include "conf/install.h"

#include "base/str.h"
#include "fuzz/input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const char *const words[] = {"enabled", "disabled", "ignored"};
        struct input in = {data, size};
        CLEANUP(free) char *name = input_string(&in), *text = input_string(&in);
        CLEANUP(install_presets) struct install_presets *presets = NULL;
        struct diag diag = {0};
        bool is_known = false;

        assert(install_presets_parse(text, "f", &diag, &presets) == 0);
        const char *word = install_presets_ask(presets, name);

        for (size_t i = 0; i < ARRAY_SIZE(words); i++)
                is_known = is_known || streq(word, words[i]);
        assert(is_known);
        return 0;
}
