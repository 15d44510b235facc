// The insides of conf/search.h, shared by its files only.
#pragma once

#include "base/map.h"
#include "conf/search.h"

#include <dirent.h>

// A folder below one of the path, whose name determines the kind of its content.
struct search_folder {
        char *path;
        size_t dir; // index of its parent in the path
        bool is_read, is_told;
        char *fault;  // why it is not to be trusted; NULL: it is
        char **files; // names, sorted
};

struct search {
        char *root; // NULL: /
        char **dirs;
        char **real_dirs;    // the same, links followed: targets of links are compared with these
        struct map *entries; // name -> struct search_entry (search.c)
        struct search_entry *plain; // for each of dirs: the entry of all its files without an alias
        struct map *instances;      // instance of a template -> struct search_names: its aliases
        struct map **folders;       // for each of dirs: folder name -> struct search_folder
        size_t n_dirs;
        enum trust_mode trust;
        struct search_hand *hands;   // for each of dirs
        struct search_stamp *stamps; // for each of dirs: its state before it was read
        usec_t read;                 // realtime, when reading began
};

struct search_names {
        char **list;
};

// The owner of a folder of the path.
struct search_hand {
        uid_t owner; // also trusted: FS_NOBODY, or the owner of a given folder
        char *fault; // why it is not to be trusted; NULL: it is
};

// ---- search_trust.c

// Open a folder of the path, or one in it, and check whether it is trusted. NULL: errno has the
// error, or 0 if it does not exist, or is not ours to read.
DIR *search_open_dir(struct search *s, size_t dir, struct diag *diag);
DIR *search_open_folder(struct search *s, struct search_folder *f);

// ---- search_stamp.c

int search_stamp_dirs(struct search *s); // before they are read; 0 or -ENOMEM

// ---- entries (search.c)

enum entry_kind { ENTRY_FILE, ENTRY_ALIAS, ENTRY_MASK, ENTRY_BLOCK };

struct search_entry {
        enum entry_kind kind;
        size_t dir;     // rank: index in the path; the file or link is there, and has the name
        char *file;     // ENTRY_BLOCK: where it is instead
        char *target;   // ENTRY_ALIAS: the name it stands for
        char **aliases; // names that stand for this one, over any number of steps
};

struct search_entry *search_entry_new(enum entry_kind kind, size_t dir); // NULL: no memory
void search_entry_free(struct search_entry *e);                          // NULL is fine
DEFINE_CLEANUP(search_entry, struct search_entry *, search_entry_free)
// Is it one of search.plain, shared by all such files of its folder?
bool search_entry_is_plain(const struct search *s, const struct search_entry *e);
// New string, or NULL: no memory.
char *search_entry_path(const struct search *s, const struct search_entry *e, const char *name);

// ---- search_find.c

// When all folders are read: what is an alias of what. 0 or -ENOMEM.
int search_collect_aliases(struct search *s);
