// One word out of a list; sets of exit statuses and signals.
#include "base/parse.h"
#include "base/str.h"
#include "base/strv.h"
#include "conf/kind_impl.h"

#define KNOWN_MAX 400 // bytes of the list of known words in a complaint

static const struct choices *choices_of(const struct directive *d)
{
        return (const struct choices *)d->arg;
}

static int complain_choice(const struct parse_context *c, const char *value)
{
        const struct choices *choices = choices_of(c->directive);
        CLEANUP(buf) struct buf known = BUF_NULL;
        int last = INT32_MIN;

        // Only the first word of each value is listed.
        for (size_t i = 0; i < choices->n && known.size < KNOWN_MAX; i++) {
                const struct choice *item = &choices->items[i];

                if (!*item->name || item->value <= last)
                        continue;
                last = MAX(last, item->value);
                buf_printf(&known, "%s%s", known.size > 0 ? ", " : "", item->name);
        }
        return kind_complain(c, "Failed to parse %s=, ignoring: %s (known: %s)", c->directive->name,
                             value, buf_text(&known));
}

static int parse_choice(const struct parse_context *c, const char *value, void *field)
{
        const struct choices *choices = choices_of(c->directive);
        int v = choices_find(choices, value);

        // -1 is also the value of "".
        if (v < 0 && (*value || v != CHOICE_UNSET))
                return complain_choice(c, value);
        *(int *)field = v;
        return 0;
}

static int format_choice(const struct directive *d, const void *field, char ***ret_lines)
{
        int v = *(const int *)field;
        const char *name = choices_name(choices_of(d), v);

        if (!*name && choices_of(d)->n_numbers > 0)
                return kind_push_line(ret_lines, "%d", v);
        return *name ? kind_push_line(ret_lines, "%s", name) : 0;
}

const struct kind kind_choice = {
        .name = "choice",
        .size = sizeof(kind_choice_t),
        .signature = "s",
        .parse = parse_choice,
        .format = format_choice,
};

// ---- exit statuses and signals -----------------------------------------------------------------

static void set_bit(uint8_t *bits, int n)
{
        bits[n / 8] |= (uint8_t)(1U << (n % 8));
}

static bool has_bit(const uint8_t *bits, int n)
{
        return bits[n / 8] & (1U << (n % 8));
}

static bool add_exit_word(struct exit_set *set, const char *word)
{
        uint32_t number;
        int v;

        if (parse_u32(word, &number) == 0) {
                if (number > 255)
                        return false;
                set_bit(set->codes, (int)number);
                return true;
        }
        v = choices_find(&choices_exit_status, word);
        if (v >= 0) {
                set_bit(set->codes, v);
                return true;
        }
        if (parse_signal(word, &v) < 0 || v / 8 >= (int)sizeof(set->signals))
                return false;
        set_bit(set->signals, v);
        return true;
}

static int parse_exit_set(const struct parse_context *c, const char *value, void *field)
{
        CLEANUP(strv) char **words = NULL;
        struct exit_set *set = field;
        int r;

        if (!*value) {
                *set = (struct exit_set){0};
                return 0;
        }
        r = parse_words(value, PARSE_WORD_UNQUOTE, &words);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return kind_complain_value(c, "exit statuses", value);
        STRV_FOREACH (word, words)
                if (!add_exit_word(set, *word))
                        kind_warn(c, "Failed to parse exit status or signal in %s=, ignoring: %s",
                                  c->directive->name, *word);
        return 0;
}

static int format_exit_set(const struct directive *d UNUSED, const void *field, char ***ret_lines)
{
        const struct exit_set *set = field;
        CLEANUP(buf) struct buf b = BUF_NULL;
        char name[SIGNAL_NAME_MAX];

        for (int i = 0; i < 256; i++)
                if (has_bit(set->codes, i))
                        buf_printf(&b, "%s%d", b.size > 0 ? " " : "", i);
        for (int i = 1; i < (int)sizeof(set->signals) * 8; i++)
                if (has_bit(set->signals, i)) {
                        const char *text = signal_format(i, name, sizeof(name));

                        buf_printf(&b, "%s%s%s", b.size > 0 ? " " : "",
                                   *text >= '0' && *text <= '9' ? "" : "SIG", text);
                }
        return b.size > 0 || b.error < 0 ? kind_push_buf(ret_lines, &b) : 0;
}

const struct kind kind_exit_set = {
        .name = "exit_set",
        .size = sizeof(kind_exit_set_t),
        .signature = NULL,
        .parse = parse_exit_set,
        .format = format_exit_set,
};
