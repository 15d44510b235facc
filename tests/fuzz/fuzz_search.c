// Lines that make a unit path of two folders, a and b: "PATH" an empty file, "PATH=" one that is
// not, "PATH>TARGET" a link. Then each name on it is looked for.
#include "conf/search.h"

#include "base/fs.h"
#include "base/str.h"
#include "base/strv.h"
#include "conf/unit_name.h"
#include "fuzz/input.h"

#include <sys/stat.h>

#define LINES_MAX 24

static char top[] = "/tmp/usher-fuzz-XXXXXX";

// Stays below the test's own folder.
static bool is_own(const char *path)
{
        return (path[0] == 'a' || path[0] == 'b') && path[1] == '/' && path[2] &&
               !strstr(path, "..") && strlen(path) < 600;
}

static void make(char *line)
{
        char *end = line + strcspn(line, "=>"), what = *end;

        *end = '\0';
        if (!is_own(line))
                return;
        CLEANUP(free) char *path = fs_path_join(top, line);

        assert(path);
        (void)fs_mkdir_parents(path, 0755);
        if (what == '>')
                (void)!symlink(end + 1, path);
        else
                (void)fs_write_file_atomic(path, what == '=' ? "x\n" : "", 0644);
}

static void check_sorted(char *const *names)
{
        for (size_t i = 1; names && names[0] && names[i]; i++)
                assert(strcmp(names[i - 1], names[i]) < 0);
}

static void check_folders(struct search *s, const struct search_result *found)
{
        CLEANUP(strv) char **dropins = NULL;
        CLEANUP(strv) char **links = NULL;

        assert(search_dropins(s, found->id, found->names, &dropins) == 0);
        for (size_t i = 0; dropins && dropins[i]; i++) {
                assert(str_after_prefix(dropins[i], top) && str_at_suffix(dropins[i], ".conf"));
                assert(i == 0 ||
                       strcmp(fs_path_basename(dropins[i - 1]), fs_path_basename(dropins[i])) < 0);
        }
        assert(search_links(s, found->id, found->names, ".wants", NULL, &links) == 0);
        STRV_FOREACH (link, links)
                assert(unit_name_is_valid(*link));
}

static void check_name(struct search *s, const char *name)
{
        CLEANUP(search_result) struct search_result found = {0};

        assert(search_has(s, name) && unit_name_is_valid(name));
        assert(search_find(s, name, &found) == 0);
        assert(found.id && unit_name_is_valid(found.id) && !found.block);
        assert(found.verdict != SEARCH_FOUND || str_after_prefix(found.path, top));
        assert(found.verdict != SEARCH_FOUND || unit_name_type(found.id) == unit_name_type(name));
        check_sorted(found.names);
        assert(!strv_contains(found.names, found.id));
        check_folders(s, &found);
}

static void check_search(struct search *s)
{
        CLEANUP(strv) char **names = NULL;
        CLEANUP(search_result) struct search_result none = {0};

        assert(search_list(s, &names) == 0);
        check_sorted(names);
        STRV_FOREACH (name, names)
                check_name(s, *name);
        assert(search_find(s, "not-there-at-all.service", &none) == 0);
        assert(strv_contains(names, "not-there-at-all.service") ||
               none.verdict == SEARCH_NOT_FOUND);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct input in = {data, size};
        CLEANUP(free) char *text = input_string(&in);
        CLEANUP(search) struct search *s = NULL;
        char a[64], b[64], *dirs[] = {a, b, NULL};
        unsigned n = 0;

        strcpy(top + sizeof(top) - 7, "XXXXXX");
        assert(mkdtemp(top));
        strcat(strcpy(a, top), "/a");
        strcat(strcpy(b, top), "/b");
        for (char *line = text, *end; line && n++ < LINES_MAX; line = end) {
                end = strchr(line, '\n');
                if (end)
                        *end++ = '\0';
                make(line);
        }
        int lowest = lowest_fd();

        assert(search_new(dirs, TRUST_ALL, NULL, &s) == 0);
        check_search(s);
        assert(lowest_fd() == lowest);
        assert(fs_remove_tree(top) == 0);
        return 0;
}
