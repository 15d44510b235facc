#include "spawn/exit_status.h"

#include "base/parse.h"
#include "conf/enums.h"

#include <sys/wait.h>

const char *spawn_exit_status_name(int status)
{
        const char *name = choices_name(&choices_exit_status, status);

        return *name ? name : NULL;
}

const char *exit_code_name(int code)
{
        return code == CLD_KILLED   ? "killed"
               : code == CLD_DUMPED ? "dumped"
               : code == 0          ? "unknown"
                                    : "exited";
}

const char *exit_status_text(int code, int status, char *buf, size_t size)
{
        const char *name = code == CLD_EXITED ? spawn_exit_status_name(status)
                           : code == 0        ? NULL
                                              : signal_format(status, buf, size);

        return name ? name : "n/a";
}
