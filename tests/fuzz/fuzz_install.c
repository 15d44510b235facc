// A unit name up to a NUL, then its file: what [Install] says of it.
#include "conf/install_priv.h"

#include "base/str.h"
#include "base/strv.h"
#include "conf/unit_name.h"
#include "fuzz/input.h"

static void check_list(char *const *list)
{
        STRV_FOREACH (item, list)
                assert(str_is_utf8(*item));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct input in = {data, size};
        CLEANUP(free) char *name = input_string(&in);
        size_t text_size;
        CLEANUP(free) char *text = input_rest(&in, &text_size);
        CLEANUP(install_section) struct install_section s = {0};
        CLEANUP(free) char *instance = NULL;

        if (!unit_name_is_valid(name) || install_parse_section(name, text, text_size, &s) < 0)
                return 0;
        check_list(s.wanted_by);
        check_list(s.required_by);
        check_list(s.upheld_by);
        check_list(s.alias);
        check_list(s.also);
        // It becomes a part of a file's name.
        if (s.default_instance) {
                assert(unit_name_with_instance("x@.service", s.default_instance, &instance) == 0);
                assert(unit_name_is_valid(instance) && unit_name_is_instance(instance));
        }
        return 0;
}
