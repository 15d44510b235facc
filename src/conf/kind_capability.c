// Sets of capabilities (capabilities(7)): names; several lines add up, and "~" removes.
#include "base/str.h"
#include "base/strv.h"
#include "conf/capability.h"
#include "conf/kind_impl.h"

#include <sys/capability.h>

#define CAPABILITIES_MAX 64

// Parses names, separated by blanks; unknown ones are complained about and ignored. 0 or -ENOMEM.
static int parse_names(const struct parse_context *c, const char *text, uint64_t *ret)
{
        CLEANUP(strv) char **words = NULL;
        int r = strv_split(text, " \t", &words);

        *ret = 0;
        STRV_FOREACH (word, words) {
                cap_value_t number;

                if (cap_from_name(*word, &number) < 0 || number >= CAPABILITIES_MAX)
                        kind_warn(c, "Unknown capability '%s', ignoring.", *word);
                else
                        *ret |= UINT64_C(1) << number;
        }
        return r;
}

static int parse_capabilities(const struct parse_context *c, const char *value, void *field)
{
        bool is_inverted = value[0] == '~';
        uint64_t *set = field, names;
        uint64_t initial =
                c->directive->default_ && c->directive->default_[0] == '~' ? UINT64_MAX : 0;
        int r = parse_names(c, value + is_inverted, &names);

        if (r < 0)
                return r;
        // "", "~", or the first line: a new set. Otherwise the names are added to it, or removed
        // from it.
        if (names == 0 || *set == initial)
                *set = is_inverted ? ~names : names;
        else if (is_inverted)
                *set &= ~names;
        else
                *set |= names;
        return 0;
}

int capabilities_put(struct buf *b, uint64_t set)
{
        bool is_first = true;

        for (int i = 0; i < CAPABILITIES_MAX && i <= cap_max_bits() - 1; i++) {
                if (!(set & (UINT64_C(1) << i)))
                        continue;
                char *name = cap_to_name(i);

                if (!name)
                        return -ENOMEM;
                buf_printf(b, "%s%s", is_first ? "" : " ", name);
                (void)cap_free(name);
                is_first = false;
        }
        return b->error;
}

static int format_capabilities(const struct directive *d UNUSED, const void *field,
                               char ***ret_lines)
{
        uint64_t set = *(const uint64_t *)field;
        CLEANUP(buf) struct buf b = BUF_NULL;
        bool is_inverted = set >> (CAPABILITIES_MAX - 1); // written as the missing capabilities

        if (is_inverted)
                buf_putc(&b, '~');
        int r = capabilities_put(&b, is_inverted ? ~set : set);

        return r < 0 ? r : kind_push_buf(ret_lines, &b);
}

const struct kind kind_capabilities = {
        .name = "capabilities",
        .size = sizeof(kind_capabilities_t),
        .signature = "t",
        .parse = parse_capabilities,
        .format = format_capabilities,
};
