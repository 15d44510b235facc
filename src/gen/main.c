// usher-gen: its command line.
#include "base/str.h"
#include "gen/gen.h"

#include <stdio.h>

static int usage(void)
{
        fputs("usage: usher-gen table\n"
              "       usher-gen dictionary\n"
              "       usher-gen page FILE\n"
              "       usher-gen bash|zsh|fish PROGRAM\n",
              stderr);
        return -EINVAL;
}

static int completion(const char *shell, const char *name)
{
        const struct program *p = program_find(name);

        if (!p) {
                fprintf(stderr, "usher-gen: no such program: %s\n", name);
                return -EINVAL;
        }
        if (streq(shell, "bash"))
                return gen_bash(p);
        if (streq(shell, "zsh"))
                return gen_zsh(p);
        return streq(shell, "fish") ? gen_fish(p) : usage();
}

int main(int argc, char **argv)
{
        int r;

        if (argc == 2 && streq(argv[1], "table"))
                r = gen_table();
        else if (argc == 2 && streq(argv[1], "dictionary"))
                r = gen_dictionary();
        else if (argc == 3 && streq(argv[1], "page"))
                r = gen_page(argv[2]);
        else
                r = argc == 3 ? completion(argv[1], argv[2]) : usage();
        if (r == 0 && (fflush(stdout) == EOF || ferror(stdout))) {
                perror("usher-gen");
                r = -EIO;
        }
        return r == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
