// The insides of conf/search.h, shared by its two files only.
#pragma once

#include "base/map.h"
#include "conf/search.h"

// A folder below one of the path, whose name tells what is in it.
struct search_folder {
        char *path;
        bool is_read;
        char **files; // names, sorted
};

struct search {
        char *root; // NULL: /
        char **dirs;
        char **real_dirs; // the same, links followed: where a link points to is compared with these
        struct map *entries;        // name -> struct search_entry (search.c)
        struct search_entry *plain; // for each of dirs: the entry of all its files without an alias
        struct map **folders;       // for each of dirs: folder name -> struct search_folder
        size_t n_dirs;
};
