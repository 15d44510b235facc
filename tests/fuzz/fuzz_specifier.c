// First byte: how to expand. Then a unit name up to a NUL, and the text.
#include "base/str.h"
#include "conf/specifier.h"
#include "conf/unit_name.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_name(const char *name)
{
        CLEANUP(free) char *escaped = NULL, *back = NULL, *mangled = NULL;

        assert(unit_name_escape(name, false, &escaped) == 0);
        assert(unit_name_unescape(escaped, false, &back) == 0 && streq(back, name));
        if (unit_name_mangle(name, UNIT_SERVICE, &mangled) == 0)
                assert(strpbrk(mangled, "*?[") || unit_name_is_valid(mangled));
}

// Whatever bytes a text has: protected, they pass through.
static void check_protected(const char *text, const char *name)
{
        CLEANUP(free) char *safe = specifier_protect(text), *filled = NULL;

        assert(safe && specifier_has_marks(safe) == specifier_has_marks(text));
        filled = specifier_fill(safe, name);
        assert(filled && streq(filled, text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        CLEANUP(free) char *copy = malloc(size + 2), *expanded = NULL, *filled = NULL;
        struct specifier_context context = {.fragment_path = "/etc/x"};
        const char *text;

        if (!copy || size == 0)
                return 0;
        memcpy(copy, data, size);
        copy[size] = copy[size + 1] = '\0';
        context.unit_name = copy + 1;
        text = copy + 1 + strlen(copy + 1) + 1;
        if (text > copy + size)
                text = "%n";
        context.is_user = data[0] & 4;
        context.defer_instance = data[0] & 8;
        if (specifier_expand(text, &context, data[0] % 3, &expanded, NULL) < 0)
                return 0;
        assert(context.defer_instance || !strchr(text, '%') || expanded);
        filled = specifier_fill(expanded, context.unit_name);
        assert(filled);
        check_name(context.unit_name);
        check_protected(text, context.unit_name);
        return 0;
}
