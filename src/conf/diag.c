#include "conf/diag.h"

#include <stdarg.h>
#include <stdio.h>

#define DIAG_TEXT_MAX 2048

void diag_report(struct diag *diag, enum diag_class class, const char *unit, const char *file,
                 unsigned line, const char *fmt, ...)
{
        char text[DIAG_TEXT_MAX];
        va_list args;

        if (!diag)
                return;
        if (class == DIAG_NOTICE)
                diag->notices++;
        else if (class == DIAG_WARNING)
                diag->warnings++;
        else
                diag->errors++;
        if (!diag->emit)
                return;
        va_start(args, fmt);
        (void)vsnprintf(text, sizeof(text), fmt, args); // cut to size: a value can be a MiB long
        va_end(args);
        diag->emit(diag, &(struct diag_entry){
                                 .class = class,
                                 .unit = unit,
                                 .file = file,
                                 .line = line,
                                 .text = text,
                         });
}

const char *diag_format(const struct diag_entry *entry, char *buf, size_t size)
{
        if (entry->file && entry->line > 0)
                (void)snprintf(buf, size, "%s:%u: %s", entry->file, entry->line, entry->text);
        else if (entry->file || entry->unit)
                (void)snprintf(buf, size, "%s: %s", entry->file ? entry->file : entry->unit,
                               entry->text);
        else
                (void)snprintf(buf, size, "%s", entry->text);
        return buf;
}
