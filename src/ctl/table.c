// Prints a table: in columns on a terminal, or as objects in JSON.
#include "base/buf.h"
#include "base/str.h"
#include "ctl/ctl.h"

#include <ctype.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#define COLUMNS_MAX 13

struct row {
        enum color color;
        const char *bullet; // a literal, never freed
        char *cells[COLUMNS_MAX];
};

struct table {
        const char *const *columns;
        size_t n_columns, n_rows;
        struct row *rows;
};

const char *color_on(const struct ctl *c, enum color color)
{
        static const char *const codes[] = {
                [COLOR_NONE] = "",           [COLOR_RED] = "\033[1;31m", [COLOR_GREEN] = "\033[32m",
                [COLOR_YELLOW] = "\033[33m", [COLOR_GREY] = "\033[90m",  [COLOR_BOLD] = "\033[1m",
        };

        return c->has_colors ? codes[color] : "";
}

const char *color_off(const struct ctl *c)
{
        return c->has_colors ? "\033[0m" : "";
}

enum color color_of_state(const char *state)
{
        if (streq(state, "failed"))
                return COLOR_RED;
        if (streq(state, "active") || streq(state, "reloading"))
                return COLOR_GREEN;
        return streq(state, "activating") || streq(state, "deactivating") ? COLOR_YELLOW
                                                                          : COLOR_NONE;
}

const char *bullet_of_state(const char *state)
{
        if (streq(state, "failed"))
                return "×";
        if (streq(state, "inactive") || streq(state, "maintenance"))
                return "○";
        return streq(state, "reloading") ? "↻" : "●";
}

int table_new(const char *const *columns, size_t n, struct table **ret)
{
        struct table *t = n <= COLUMNS_MAX ? calloc(1, sizeof(*t)) : NULL;

        if (!t)
                return -ENOMEM;
        t->columns = columns;
        t->n_columns = n;
        *ret = t;
        return 0;
}

void table_free(struct table *t)
{
        if (!t)
                return;
        for (size_t i = 0; i < t->n_rows; i++)
                for (size_t k = 0; k < t->n_columns; k++)
                        free(t->rows[i].cells[k]);
        free(t->rows);
        free(t);
}

int table_row(struct table *t, enum color color, const char *bullet, const char *const *cells)
{
        struct row *more = reallocarray(t->rows, t->n_rows + 1, sizeof(*more));

        if (!more)
                return -ENOMEM;
        t->rows = more;
        struct row *row = &more[t->n_rows];

        *row = (struct row){.color = color, .bullet = bullet};
        t->n_rows++;
        for (size_t i = 0; i < t->n_columns; i++) {
                row->cells[i] = strdup(cells[i] ? cells[i] : "");
                if (!row->cells[i])
                        return -ENOMEM;
        }
        return 0;
}

size_t table_rows(const struct table *t)
{
        return t->n_rows;
}

// The number of terminal columns that a text occupies.
static size_t width_of(const char *text)
{
        size_t n = mbstowcs(NULL, text, 0), width = 0;
        CLEANUP(free) wchar_t *wide = n == (size_t)-1 ? NULL : calloc(n + 1, sizeof(wchar_t));

        if (!wide || mbstowcs(wide, text, n + 1) == (size_t)-1)
                return strlen(text);
        int w = wcswidth(wide, n);

        width = w < 0 ? n : (size_t)w;
        return width;
}

static size_t terminal_width(const struct ctl *c)
{
        struct winsize size;

        if (c->full || !isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
                return SIZE_MAX;
        return size.ws_col > 0 ? size.ws_col : SIZE_MAX;
}

// Cuts the last column to the columns that remain, but never within a multibyte character.
static void print_last(const char *text, size_t room)
{
        size_t n = strlen(text);

        if (width_of(text) <= room || room < 2) {
                fputs(text, stdout);
                return;
        }
        n = room - 1;
        while (n > 0 && ((unsigned char)text[n] & 0xC0) == 0x80)
                n--;
        printf("%.*s…", (int)n, text);
}

static void print_row(const struct table *t, const char *const *cells, const size_t *widths,
                      size_t room)
{
        for (size_t k = 0; k < t->n_columns; k++) {
                const char *cell = shown(cells[k]);

                if (k + 1 == t->n_columns) {
                        print_last(cell, room);
                        break;
                }
                size_t pad = widths[k] - width_of(cell) + 1;

                printf("%s%*s", cell, (int)pad, "");
                room = room > widths[k] + 1 ? room - widths[k] - 1 : 0;
        }
}

static void print_text(const struct ctl *c, const struct table *t)
{
        size_t widths[COLUMNS_MAX], room = terminal_width(c);
        bool has_bullets = false;

        for (size_t k = 0; k < t->n_columns; k++) {
                widths[k] = c->no_legend ? 0 : width_of(t->columns[k]);
                for (size_t i = 0; i < t->n_rows; i++)
                        widths[k] = MAX(widths[k], width_of(shown(t->rows[i].cells[k])));
        }
        for (size_t i = 0; i < t->n_rows; i++)
                has_bullets = has_bullets || t->rows[i].bullet;
        has_bullets = has_bullets && !c->plain;
        if (has_bullets && room != SIZE_MAX)
                room -= 2;
        if (!c->no_legend && t->n_rows > 0) {
                printf("%s%s", has_bullets ? "  " : "", color_on(c, COLOR_BOLD));
                print_row(t, t->columns, widths, room);
                printf("%s\n", color_off(c));
        }
        for (size_t i = 0; i < t->n_rows; i++) {
                const struct row *row = &t->rows[i];
                const char *bullet = row->bullet && *row->bullet ? row->bullet : " ";

                printf("%s", color_on(c, row->color));
                if (has_bullets)
                        printf("%s ", bullet);
                print_row(t, (const char *const *)row->cells, widths, room);
                printf("%s\n", color_off(c));
        }
}

// ---- JSON

void json_begin(struct buf *b)
{
        buf_putc(b, '{');
}

static void put_name(struct buf *b, const char *name)
{
        if (b->size > 0 && b->data[b->size - 1] != '{')
                buf_putc(b, ',');
        buf_put_json(b, name);
        buf_putc(b, ':');
}

void json_number(struct buf *b, const char *name, uint64_t value)
{
        put_name(b, name);
        buf_printf(b, "%llu", (unsigned long long)value);
}

void json_seconds(struct buf *b, const char *name, usec_t time)
{
        put_name(b, name);
        buf_printf(b, "%llu.%06llu", (unsigned long long)(time / USEC_PER_SEC),
                   (unsigned long long)(time % USEC_PER_SEC));
}

void json_list_next(struct buf *b)
{
        buf_putc(b, b->size > 0 ? ',' : '[');
}

void json_list_print(struct buf *b)
{
        if (b->size == 0)
                buf_putc(b, '[');
        buf_putc(b, ']');
        puts(buf_text(b));
}

void json_field(struct buf *b, const char *name, const char *value)
{
        put_name(b, name);
        if (value)
                buf_put_json(b, value);
        else
                buf_puts(b, "null");
}

void json_end(struct buf *b)
{
        buf_putc(b, '}');
}

static void print_json(const struct ctl *c, const struct table *t)
{
        CLEANUP(buf) struct buf b = BUF_NULL;
        bool is_pretty = c->output == OUTPUT_JSON_PRETTY;

        buf_putc(&b, '[');
        for (size_t i = 0; i < t->n_rows; i++) {
                if (i > 0)
                        buf_putc(&b, ',');
                if (is_pretty)
                        buf_puts(&b, "\n\t");
                json_begin(&b);
                for (size_t k = 0; k < t->n_columns; k++) {
                        char key[32];
                        size_t n = 0;

                        for (; t->columns[k][n] && n + 1 < sizeof(key); n++)
                                key[n] = t->columns[k][n] == ' '
                                                 ? '_'
                                                 : (char)tolower((unsigned char)t->columns[k][n]);
                        key[n] = '\0';
                        json_field(&b, key, t->rows[i].cells[k]);
                }
                json_end(&b);
        }
        buf_puts(&b, is_pretty && t->n_rows > 0 ? "\n]" : "]");
        printf("%s\n", buf_text(&b));
}

void table_print(const struct ctl *c, const struct table *t)
{
        if (c->output == OUTPUT_SHORT)
                print_text(c, t);
        else
                print_json(c, t);
}
