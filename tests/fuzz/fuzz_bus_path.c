// The whole input is an object path, or a name that gets one.
#include "base/str.h"
#include "bus/bus_priv.h"
#include "conf/unit_name.h"
#include "fuzz/input.h"

// A unit has one path, whatever other path led to it.
static void check_unit(const char *name)
{
        CLEANUP(free) char *path = bus_unit_path(name), *back = NULL;

        assert(path && sd_bus_object_path_is_valid(path) > 0);
        assert(bus_path_unit(path, &back) == 1 && streq(back, name));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct input in = {data, size};
        CLEANUP(free) char *text = input_string(&in);
        CLEANUP(free) char *name = NULL, *job_path = NULL;
        uint32_t job = 0;
        // sd-bus passes on no others.
        int r = sd_bus_object_path_is_valid(text) > 0 ? bus_path_unit(text, &name) : 0;

        assert(r == 0 || r == 1);
        if (r == 1) {
                assert(unit_name_is_valid(name) && !unit_name_is_template(name));
                check_unit(name);
        }
        if (bus_path_job(text, &job)) {
                job_path = bus_job_path(job);
                assert(job > 0 && job_path && streq(job_path, text));
        }
        if (unit_name_is_valid(text) && !unit_name_is_template(text))
                check_unit(text);
        return 0;
}
