// The insides of conf/install.h, shared by its files only.
#pragma once

#include "conf/install.h"
#include "conf/search.h"

enum install_rank {
        INSTALL_CONFIG,  // of the administrator
        INSTALL_RUNTIME, // removed at the next boot
        INSTALL_VENDOR,  // of packages
};

struct install {
        char *root;  // NULL: /
        char **dirs; // the path with root in front
        struct search *search;
        enum trust_mode trust;
        bool is_runtime, is_forced;
        enum install_preset_mode preset_mode;
        struct diag *diag;
        struct install_stamps *stamps;
        struct install_links *links; // NULL: not read yet, or changed since
};

// The [Install] section of a unit, with specifiers expanded.
struct install_section {
        char **wanted_by, **required_by, **upheld_by, **alias, **also;
        char *default_instance;
};
void install_section_done(struct install_section *s);
static inline void cleanup_install_section(struct install_section *s)
{
        install_section_done(s);
}
// name: of the unit, for specifiers; path: of its file. Drop-ins count, too. 0 or -errno.
int install_read_section(struct install *i, const char *name, const char *path,
                         struct install_section *ret);
// The same of one file's text. For tests.
int install_parse_section(const char *name, const char *text, size_t size,
                          struct install_section *ret);

// ---- links as an index (install_links.c)

// Whether links enable a unit.
struct install_enablement {
        const char *name, *id; // as requested; main name
        const char
                *default_name; // of a template: its default instance, which counts as the template
        bool is_enabled[3];    // by rank
        bool has_other;        // a template: another instance is enabled
};

// Fills in the last two. The first call reads the links. 0 or -errno.
int install_find_links(struct install *i, struct install_enablement *e);
void install_links_free(struct install_links *links); // NULL is fine
// Records the state of the folders, before they are read.
int install_stamp_folders(struct install *i);
void install_stamps_free(struct install_stamps *stamps);

enum install_rank install_rank_of(const struct install *i, const char *dir);
// Calls f for each link below a folder of the path that enables something: aliases beside the unit
// files, and links in NAME.wants/, NAME.requires/ and NAME.upholds/. 0, or the result of f.
int install_each_link(struct install *i, const char *dir,
                      int (*f)(void *data, const char *dir, const char *folder, const char *name,
                               const char *target),
                      void *data);

// ---- parts of all changes (install.c)

// Reports to the caller's sink; returns error.
int install_complain(struct install *i, int error, const char *name, const char *what);
enum install_rank install_wanted_rank(const struct install *i);
// The folder in which links are made. NULL: the path has no such folder.
const char *install_target_dir(const struct install *i);
// The text of a link: the path inside the root.
const char *install_path_inside(const struct install *i, const char *path);
int install_add_change(struct install_changes *changes, enum install_change_type type,
                       const char *file, const char *source);
// Makes a link; replaces an existing one if the options allow it. 0 or -errno (complained about).
int install_make_link(struct install *i, const char *file, const char *source,
                      struct install_changes *changes);
int install_remove_link(const char *file, struct install_changes *changes); // 0 or -errno
// Finds the file of a unit that exists and is not masked. 0 or -errno (complained about).
int install_find_file(struct install *i, const char *name, struct search_result *found);
