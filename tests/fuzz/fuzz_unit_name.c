// First byte: which type is meant; then strings up to a NUL each: a name as typed, an instance.
#include "conf/unit_name.h"

#include "base/str.h"
#include "fuzz/input.h"

static void check_escape(const char *text, bool is_path)
{
        CLEANUP(free) char *escaped = NULL, *back = NULL, *twice = NULL;
        int r = unit_name_escape(text, is_path, &escaped);

        assert(r == 0 || (is_path && r == -EINVAL));
        if (r < 0)
                return;
        assert(unit_name_unescape(escaped, is_path, &back) == 0);
        assert(unit_name_escape(back, is_path, &twice) == 0 && streq(escaped, twice));
        assert(is_path || streq(back, text));
}

static void check_parts(const char *name)
{
        CLEANUP(free) char *prefix = NULL, *instance = NULL, *template = NULL, *again = NULL;
        CLEANUP(free) char *other = NULL;

        assert(unit_name_prefix(name, &prefix) == 0 && prefix && *prefix);
        assert(unit_name_instance(name, &instance) == 0);
        assert(strlen(name) <= UNIT_NAME_MAX && unit_name_type(name) >= 0);
        assert(unit_name_is_template(name) == (instance && !*instance));
        assert(unit_name_is_instance(name) == (instance && *instance));
        if (instance) {
                assert(unit_name_template(name, &template) == 0);
                assert(unit_name_is_template(template));
                assert(unit_name_with_instance(template, instance, &again) == 0 &&
                       streq(again, name));
        }
        if (unit_name_change_suffix(name, UNIT_SOCKET, &other) == 0)
                assert(unit_name_type(other) == UNIT_SOCKET);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct input in = {data, size};
        enum unit_type fallback = input_byte(&in) % _UNIT_TYPE_MAX;
        CLEANUP(free) char *name = input_string(&in), *instance = input_string(&in);
        CLEANUP(free) char *mangled = NULL, *twice = NULL, *made = NULL;

        if (unit_name_is_valid(name))
                check_parts(name);
        check_escape(name, false);
        check_escape(name, true);
        if (unit_name_mangle(name, fallback, &mangled) == 0) {
                // A valid name stays as it is; what comes out is a name, or a pattern for some.
                assert(!unit_name_is_valid(name) || streq(name, mangled));
                assert(strpbrk(mangled, "*?[") || unit_name_is_valid(mangled));
                // Once more it stays, but for a pattern that has grown too long for one.
                assert(strlen(mangled) > UNIT_NAME_MAX ||
                       (unit_name_mangle(mangled, fallback, &twice) == 0 && streq(mangled, twice)));
        }
        // Whatever the instance, the name that it gives is refused, or its own.
        if (unit_name_with_instance("a@.service", instance, &made) == 0 &&
            unit_name_is_valid(made) && *instance)
                check_parts(made);
        return 0;
}
