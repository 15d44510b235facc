// First byte: 0 two version texts up to a NUL each, else which condition the rest is a value of.
#include "core/condition/condition_priv.h"

#include "base/str.h"
#include "conf/assign.h"
#include "core/condition/condition.h"
#include "fuzz/input.h"

#include <ctype.h>

static int sign(int n)
{
        return (n > 0) - (n < 0);
}

static void check_versions(struct input *in)
{
        CLEANUP(free) char *a = input_string(in), *b = input_string(in), *c = input_string(in);
        int ab = compare_versions(a, b), bc = compare_versions(b, c);
        const char *p = a;

        assert(ab == sign(ab) && compare_versions(b, a) == -ab && compare_versions(a, a) == 0);
        // An order: what is between two others is.
        if (ab <= 0 && bc <= 0)
                assert(compare_versions(a, c) == MIN(ab, bc));
        for (int op = 0; op < 8; op++)
                (void)compare_holds((enum compare)op, ab);
        assert(compare_parse(&p, true) < 0 ? p == a : p > a);
}

static void test_value(const char *name, const char *value)
{
        static const struct condition_context context = {.is_user = false};
        CLEANUP(conf_builder) struct conf_builder *builder = NULL;
        CLEANUP(unit_conf) struct unit_conf *conf = NULL;
        struct specifier_context specifiers = {.unit_name = "a.service"};

        assert(conf_builder_new("a.service", UNIT_SERVICE, &specifiers, NULL, &builder) == 0);
        assert(conf_builder_assign(builder, "Unit", name, value, "f", 1) == 0);
        assert(conf_builder_finish(builder, &conf) == 0);
        for (size_t i = 0; i < conf->unit->conditions.n; i++) {
                int r = condition_test(&conf->unit->conditions.items[i], &context);

                assert(r <= 1 && r > -4096);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        // Those that look at what a value says; paths are only looked up.
        static const char *const names[] = {
                "ConditionArchitecture",
                "ConditionVirtualization",
                "ConditionKernelCommandLine",
                "ConditionKernelVersion",
                "ConditionVersion",
                "ConditionOSRelease",
                "ConditionCPUs",
                "ConditionMemory",
                "ConditionCPUFeature",
                "ConditionMemoryPressure",
                "ConditionEnvironment",
                "ConditionUser",
                "ConditionCapability",
                "ConditionControlGroupController",
                "ConditionFirmware",
                "ConditionKernelModuleLoaded",
                "ConditionHost",
                "ConditionACPower",
                "ConditionSecurity",
                "ConditionCredential",
                "ConditionFirstBoot",
        };
        struct input in = {data, size};
        unsigned choice = input_byte(&in) % (ARRAY_SIZE(names) + 1);

        if (choice == 0) {
                check_versions(&in);
                return 0;
        }
        CLEANUP(free) char *value = input_string(&in);

        if (!str_is_utf8(value) || strpbrk(value, "\n\r"))
                return 0;
        int lowest = lowest_fd();

        test_value(names[choice - 1], str_strip(value));
        assert(lowest_fd() == lowest);
        return 0;
}
