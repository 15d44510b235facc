// Object paths and the names in them (D-Bus Specification, "Valid Object Paths"; what a path cannot
// hold is escaped as "_xx").
#include "base/parse.h"
#include "base/str.h"
#include "bus/bus_priv.h"
#include "conf/unit_name.h"

char *bus_unit_path(const char *id)
{
        char *path = NULL;

        return sd_bus_path_encode(BUS_ROOT "/unit", id, &path) < 0 ? NULL : path;
}

char *bus_job_path(uint32_t id)
{
        return str_printf(BUS_ROOT "/job/%u", id);
}

int bus_path_unit(const char *path, char **ret)
{
        CLEANUP(free) char *name = NULL;
        int r = sd_bus_path_decode(path, BUS_ROOT "/unit", &name);

        if (r <= 0)
                return r;
        if (!unit_name_is_valid(name) || unit_name_is_template(name))
                return 0;
        *ret = TAKE(name);
        return 1;
}

bool bus_path_job(const char *path, uint32_t *ret)
{
        const char *id = str_after_prefix(path, BUS_ROOT "/job/");

        // Only the form that bus_job_path() writes is a job's path: leading zeros, for instance,
        // are not.
        return id && *id != '0' && strspn(id, "0123456789") == strlen(id) &&
               parse_u32(id, ret) == 0;
}
