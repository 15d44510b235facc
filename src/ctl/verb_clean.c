// usherctl clean: folders and stored descriptors of units that do not run.
#include "base/str.h"
#include "base/strv.h"
#include "ctl/ctl.h"

#include <stdio.h>

static int request(struct ctl *c, const char *unit, char *const *resources)
{
        __attribute__((cleanup(sd_bus_message_unrefp))) sd_bus_message *m = NULL;
        sd_bus_error error = SD_BUS_ERROR_NULL;
        int r = sd_bus_message_new_method_call(c->bus, &m, BUS_DESTINATION, BUS_ROOT, BUS_MANAGER,
                                               "CleanUnit");

        if (r >= 0)
                r = sd_bus_message_append(m, "s", unit);
        if (r >= 0)
                r = sd_bus_message_append_strv(m, (char **)resources);
        if (r >= 0)
                r = sd_bus_call(c->bus, m, 0, &error, NULL);
        r = r < 0 ? client_complain(&error, r, "Failed to clean unit %s", unit) : CTL_OK;
        sd_bus_error_free(&error);
        return r;
}

// Waits until the unit is no longer being cleaned; a signal reports each change of its state.
static int await(struct ctl *c, const char *unit)
{
        CLEANUP(free) char *path = client_unit_path(unit);

        for (;;) {
                CLEANUP(free)
                char *state = path ? client_get_string(c, path, BUS_UNIT, "ActiveState") : NULL;
                int r;

                if (!state || !streq(state, "maintenance"))
                        break;
                r = sd_bus_process(c->bus, NULL);
                if (r == 0)
                        r = sd_bus_wait(c->bus, UINT64_MAX);
                if (r < 0)
                        return client_complain(NULL, r, "Failed to wait for %s", unit);
        }
        CLEANUP(free)
        char *result = path ? client_get_string(c, path, client_type_interface(unit), "CleanResult")
                            : NULL;

        if (!result || streq(result, "success"))
                return CTL_OK;
        fprintf(stderr, "Cleaning %s failed (%s). See usherctl logs %s.\n", shown(unit),
                shown(result), shown(unit));
        return CTL_FAILED;
}

int verb_clean(struct ctl *c, char **args)
{
        static const char *const usual[] = {"runtime", "cache", "fdstore", NULL};
        char *const *resources = c->resources ? c->resources : (char *const *)(uintptr_t)usual;
        CLEANUP(strv) char **units = NULL;
        CLEANUP(strv) char **begun = NULL;
        int r = client_connect(c), code;

        if (r == 0)
                r = client_unit_names(c, args, &units);
        if (r != 0)
                return r;
        r = c->no_block ? 0 : client_call(c, "Subscribe", NULL, NULL, NULL);
        code = r < 0 ? client_complain(NULL, r, "Failed to watch units") : CTL_OK;
        STRV_FOREACH (unit, r < 0 ? NULL : units) {
                int one = request(c, *unit, resources);

                if (one == CTL_OK && strv_push(&begun, *unit) < 0)
                        one = client_complain(NULL, -ENOMEM, "Failed to wait for %s", *unit);
                code = code ? code : one;
        }
        STRV_FOREACH (unit, c->no_block ? NULL : begun) {
                int one = await(c, *unit);

                code = code ? code : one;
        }
        return code;
}
