// First byte: which file of /proc the rest is; where something is looked for in it, that stands in
// front, up to a NUL.
#include "base/proc_parse.h"

#include "base/str.h"
#include "fuzz/input.h"

#include <stdio.h>

static void check_stat(const char *text)
{
        struct proc_stat s, again;
        char printed[256];

        if (proc_parse_stat(text, &s) < 0)
                return;
        snprintf(printed, sizeof(printed), "1 (x) %c %d %d %d 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 %llu\n",
                 s.state, s.parent, s.group, s.session, (unsigned long long)s.start_ticks);
        assert(proc_parse_stat(printed, &again) == 0);
        assert(s.state == again.state && s.parent == again.parent && s.group == again.group &&
               s.session == again.session && s.start_ticks == again.start_ticks);
}

static void check_environ(struct input *in)
{
        CLEANUP(free) char *name = input_string(in);
        size_t size, n = strlen(name);
        CLEANUP(free) char *text = input_rest(in, &size);
        const char *value = proc_parse_environ(text, size, name);

        if (!value)
                return;
        assert(value >= text + n + 1 && value <= text + size && value[-1] == '=');
        assert(memcmp(value - 1 - n, name, n) == 0);
        assert(value - 1 - n == text || value[-2 - (ptrdiff_t)n] == '\0');
}

static void check_cmdline(struct input *in)
{
        size_t size;
        CLEANUP(free) char *text = input_rest(in, &size);
        bool has_words = false;

        for (size_t i = 0; i < size; i++)
                has_words = has_words || text[i];
        assert(proc_parse_cmdline(text, size) == has_words);
        // A line: NULs are behind it only.
        for (size_t i = strlen(text); i < size; i++)
                assert(text[i] == '\0');
}

// Where nothing is quoted, words are what blanks separate.
static int find_plain(char *text, const char *wanted)
{
        for (char *save = NULL, *word = strtok_r(text, " \t\n", &save); word;
             word = strtok_r(NULL, " \t\n", &save)) {
                const char *rest = str_after_prefix(word, wanted);

                if (rest && (!*rest || (!strchr(wanted, '=') && *rest == '=')))
                        return 1;
        }
        return 0;
}

static void check_boot_parameter(struct input *in)
{
        CLEANUP(free) char *wanted = input_string(in);
        CLEANUP(free) char *text = input_string(in);
        int r = proc_parse_boot_parameter(text, wanted);

        assert(r == 0 || r == 1);
        if (!strpbrk(text, "'\""))
                assert(r == find_plain(text, wanted));
}

static void check_cgroup(const char *text)
{
        CLEANUP(free) char *path = NULL;
        bool has_line = strncmp(text, "0::", 3) == 0 || strstr(text, "\n0::");

        assert(proc_parse_cgroup(text, &path) == (has_line ? 0 : -ENOENT));
        assert(!path || (!strchr(path, '\n') && strstr(text, path)));
}

// The kernel's text is read to its end, anything else as far as it is like that.
static void check_children(const char *text)
{
        const char *p = text;

        for (pid_t pid; (pid = proc_parse_child(&p)) != 0;) {
                assert(pid > 0 && p > text && p <= text + strlen(text));
                assert(p[-1] == ' ' || (p[-1] >= '0' && p[-1] <= '9'));
        }
        const char *rest = p;

        assert(proc_parse_child(&rest) == 0 && rest == p);
}

static void check_uids(const char *text)
{
        struct proc_uids uids;

        if (proc_parse_uids(text, &uids) == 0)
                assert(strstr(text, "Uid:"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct input in = {data, size};

        switch (input_byte(&in) % 7) {
        case 0: {
                CLEANUP(free) char *text = input_string(&in);

                check_stat(text);
                break;
        }
        case 1:
                check_environ(&in);
                break;
        case 2:
                check_cmdline(&in);
                break;
        case 3:
                check_boot_parameter(&in);
                break;
        case 4: {
                CLEANUP(free) char *text = input_string(&in);

                check_cgroup(text);
                break;
        }
        case 5: {
                CLEANUP(free) char *text = input_string(&in);

                check_children(text);
                break;
        }
        default: {
                CLEANUP(free) char *text = input_string(&in);

                check_uids(text);
                break;
        }
        }
        return 0;
}
