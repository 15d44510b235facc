#include "spawn/expand.h"

#include "base/strv.h"

#define WORDS_MAX 65536

bool expand_is_needed(char *const *argv)
{
        STRV_FOREACH (word, argv)
                if (strchr(*word, '$'))
                        return true;
        return false;
}

static const char *get_n(char *const *env, const char *name, size_t n)
{
        STRV_FOREACH (e, env)
                if (strncmp(*e, name, n) == 0 && (*e)[n] == '=')
                        return *e + n + 1;
        return NULL;
}

static bool is_blank(char c)
{
        return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// A word that expands to a list: $NAME, but not ${NAME} and not $$.
static bool is_list_word(const char *word)
{
        return word[0] == '$' && word[1] != '{' && word[1] != '$';
}

// The length of the variable reference ("${NAME}") at the start of s, and that of the name in
// *ret_name_n. 0: there is no complete one.
static size_t reference_length(const char *s, size_t *ret_name_n)
{
        const char *end;

        if (s[0] != '$' || s[1] != '{')
                return 0;
        end = s + strcspn(s, "}:");
        if (*end != '}') // as with systemd, a shell's ${NAME:-...} is plain text
                return 0;
        *ret_name_n = (size_t)(end - s) - 2;
        return (size_t)(end - s) + 1;
}

// Writes the word with its ${NAME} replaced to out (NULL: only counts). Returns the length without
// the NUL.
static size_t replace(const char *word, char *const *env, char *out)
{
        size_t n = 0;

        while (*word) {
                size_t name_n, length = reference_length(word, &name_n);
                const char *part = word;
                size_t part_n = 1;

                if (length > 0) {
                        part = get_n(env, word + 2, name_n);
                        part_n = part ? strlen(part) : 0;
                } else if (word[0] == '$' && word[1] == '$')
                        length = 2;
                else
                        length = 1;
                if (out && part_n > 0)
                        memcpy(out + n, part, part_n);
                n += part_n;
                word += length;
        }
        return n;
}

// Moves one word from *p to *out, advancing both: quotes are removed, a backslash makes the next
// character literal, an unterminated quote ends with the text. False: there is no further word.
static bool split_word(const char **p, char **out)
{
        const char *s = *p;
        char *to = *out, quote = '\0';

        while (is_blank(*s))
                s++;
        if (!*s)
                return false;
        for (; *s && (quote || !is_blank(*s)); s++) {
                if (*s == quote)
                        quote = '\0';
                else if (!quote && (*s == '"' || *s == '\''))
                        quote = *s;
                else {
                        if (*s == '\\' && s[1])
                                s++;
                        *to++ = *s;
                }
        }
        *to++ = '\0';
        *p = s;
        *out = to;
        return true;
}

struct expansion {
        char *const *env;
        expand_allocate_fn allocate;
        void *data;
        char **words;
        size_t n, dropped;
};

static int expand_list(struct expansion *x, const char *word)
{
        const char *value = NULL;
        size_t name_n = strlen(word + 1);
        char *memory;

        if (!strv_env_name_is_valid(word + 1, name_n))
                x->dropped++;
        else
                value = get_n(x->env, word + 1, name_n);
        if (!value)
                return 0;
        memory = x->allocate(x->data, strlen(value) + 1);
        if (!memory)
                return -ENOMEM;
        for (char *start = memory; split_word(&value, &memory); start = memory)
                x->words[x->n++] = start;
        return 0;
}

static int expand_plain(struct expansion *x, char *word)
{
        char *text;
        size_t n;

        if (!strchr(word, '$')) {
                x->words[x->n++] = word;
                return 0;
        }
        n = replace(word, x->env, NULL);
        text = x->allocate(x->data, n + 1);
        if (!text)
                return -ENOMEM;
        replace(word, x->env, text);
        text[n] = '\0';
        x->words[x->n++] = text;
        return 0;
}

// An upper bound for the number of words.
static size_t count_words(char *const *argv, char *const *env)
{
        size_t n = 0;

        STRV_FOREACH (word, argv) {
                const char *value = NULL;

                if (is_list_word(*word))
                        value = get_n(env, *word + 1, strlen(*word + 1));
                n += value ? strlen(value) / 2 + 1 : 1;
        }
        return n;
}

int expand_argv(char *const *argv, char *const *env, expand_allocate_fn allocate, void *data,
                char ***ret, size_t *ret_dropped)
{
        struct expansion x = {.env = env, .allocate = allocate, .data = data};
        size_t limit = count_words(argv, env);

        if (limit > WORDS_MAX)
                return -E2BIG;
        x.words = allocate(data, (limit + 1) * sizeof(char *));
        if (!x.words)
                return -ENOMEM;
        STRV_FOREACH (word, argv) {
                int r = is_list_word(*word) ? expand_list(&x, *word) : expand_plain(&x, *word);

                if (r < 0)
                        return r;
        }
        x.words[x.n] = NULL;
        *ret = x.words;
        if (ret_dropped)
                *ret_dropped = x.dropped;
        return 0;
}
