// Strings up to a NUL each: the words of a command line up to an empty one, then the environment.
#include "spawn/expand.h"

#include "base/str.h"
#include "base/strv.h"
#include "fuzz/input.h"

// Blocks of their exact size, so that a word that is written too long is seen.
struct memory {
        void *blocks[4096];
        size_t n, limit;
};

static void *allocate(void *data, size_t size)
{
        struct memory *m = data;

        if (m->n >= MIN(m->limit, ARRAY_SIZE(m->blocks)))
                return NULL;
        return m->blocks[m->n++] = malloc(size);
}

static void release(struct memory *m)
{
        while (m->n > 0)
                free(m->blocks[--m->n]);
}

static void check_words(char *const *argv, char *const *words, size_t dropped)
{
        size_t n = strv_length(argv);

        for (size_t i = 0; !expand_is_needed(argv) && i <= n; i++)
                assert(words[i] == argv[i]);
        assert(expand_is_needed(argv) || dropped == 0);
        assert(dropped <= n);
        STRV_FOREACH (word, words)
                (void)!strlen(*word);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct input in = {data, size};
        CLEANUP(strv) char **argv = NULL;
        CLEANUP(strv) char **env = NULL;
        struct memory m = {.limit = SIZE_MAX};
        char **words = NULL;
        size_t dropped = 0;

        while (in.left > 0) {
                char *word = input_string(&in);

                if (!*word) {
                        free(word);
                        break;
                }
                assert(strv_push_take(&argv, word) == 0);
        }
        while (in.left > 0)
                assert(strv_push_take(&env, input_string(&in)) == 0);
        if (!argv)
                return 0;
        int r = expand_argv(argv, env, allocate, &m, &words, &dropped);
        size_t used = m.n;

        if (r == 0)
                check_words(argv, words, dropped);
        else
                assert(r == -E2BIG || (r == -ENOMEM && used == ARRAY_SIZE(m.blocks)));
        release(&m);
        m.limit = used / 2;
        if (r == 0)
                assert(expand_argv(argv, env, allocate, &m, &words, NULL) ==
                       (used > m.limit ? -ENOMEM : 0));
        release(&m);
        return 0;
}
