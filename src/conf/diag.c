#include "conf/diag.h"

#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>

#define DIAG_TEXT_MAX 2048

// The text may quote any bytes: invalid UTF-8 becomes \xHH, and no character is cut.
static void copy_valid(char *to, size_t size, const char *from)
{
        size_t n;

        for (size_t used = 0; *from; used += n) {
                size_t of_character = str_utf8_length(from);

                n = of_character > 0 ? of_character : strlen("\\xHH");
                if (used + n >= size)
                        break;
                if (of_character > 0)
                        memcpy(to, from, n);
                else
                        (void)snprintf(to, n + 1, "\\x%02x", (unsigned char)*from);
                from += MAX(of_character, 1u);
                to += n;
        }
        *to = '\0';
}

void diag_report(struct diag *diag, enum diag_class class, const char *unit, const char *file,
                 unsigned line, const char *fmt, ...)
{
        char said[DIAG_TEXT_MAX], text[DIAG_TEXT_MAX];
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
        (void)vsnprintf(said, sizeof(said), fmt, args); // cut to size: a value can be a MiB long
        va_end(args);
        copy_valid(text, sizeof(text), said);
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
