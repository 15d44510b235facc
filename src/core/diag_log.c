#include "core/diag_log.h"

#include "base/log.h"

static void emit(struct diag *diag UNUSED, const struct diag_entry *entry)
{
        static const int levels[] = {
                [DIAG_NOTICE] = LOG_NOTICE,
                [DIAG_WARNING] = LOG_WARNING,
                [DIAG_ERROR] = LOG_ERR,
        };
        char text[1024];

        // The unit is in front of the line already.
        log_unit(entry->unit, levels[entry->class], 0, "%s",
                 entry->file || !entry->unit ? diag_format(entry, text, sizeof(text))
                                             : entry->text);
}

struct diag diag_log(void)
{
        return (struct diag){.emit = emit};
}
