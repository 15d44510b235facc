// The index of a unit path: which unit names exist, in which folder, and of which kind they are
// (file, alias, linked file, mask); drop-ins and .wants links. One readdir for each folder; a
// folder of drop-ins or links is read when a unit asks for it, and only if the listing had it. It
// does not read the files.
//
// The rules are systemd's (systemd.unit(5), "Unit File Load Path"; tested with 252): the first
// folder wins for a name; a link to another unit name inside the path is an alias, one that leads
// outside is a linked unit; /dev/null or an empty file is a mask.
#pragma once

#include "conf/diag.h"
#include "conf/trust.h"

struct search;

enum search_verdict {
        SEARCH_FOUND,
        SEARCH_NOT_FOUND,
        SEARCH_MASKED,
        SEARCH_BLOCK, // a block of usher.conf
};

struct search_result {
        enum search_verdict verdict;
        char *id;     // main name: of the file, or of the template's file with the instance
        char *path;   // of the file (or the link to a file outside); of usher.conf for a block
        char *block;  // SEARCH_BLOCK: the block's name (a template's, for an instance)
        char **names; // every name of the unit, without id, sorted
};

void search_result_done(struct search_result *result);
static inline void cleanup_search_result(struct search_result *result)
{
        search_result_done(result);
}

// Read the folders. Missing ones are fine. Complains about links that cannot be used, and about
// folders that are not trusted: their files stay in the index (they hide the same names in later
// folders), and search_open_file() refuses them. diag may be NULL. 0 or -errno (-ENOMEM,
// -EMFILE, ...).
int search_new(char *const *dirs, enum trust_mode trust, struct diag *diag, struct search **ret);
// The same for the file system below a folder: dirs are given with root in front, links are
// followed as if root were "/".
int search_new_in_root(const char *root, char *const *dirs, enum trust_mode trust,
                       struct diag *diag, struct search **ret);
void search_free(struct search *s);
DEFINE_CLEANUP(search, struct search *, search_free)

// Adds a unit that is a block of usher.conf (or of a file of usher.conf.d), which is file. It ranks
// like a file in usher.conf's folder (dir), or first if that folder is not on the path; a file of
// the same name in the same folder wins. 0 or -ENOMEM.
int search_add_block(struct search *s, const char *name, const char *file, const char *dir);

// Finds a name. An instance falls back to its template. 0 and *ret filled (to be released by
// search_result_done()), whatever its kind; -ENOMEM.
int search_find(struct search *s, const char *name, struct search_result *ret);
// Files NAME.d/*.conf in the order in which they are applied: for the id, then each other name,
// then TYPE.d; in each of these: folder by folder, in each folder the name, its template, and the
// name cut at its dashes. Of equal file names the first counts; the result is sorted by file name;
// links to /dev/null and empty files hide others, and are in it. 0 or -errno.
int search_dropins(struct search *s, const char *id, char *const *names, char ***ret);
// Names of the links in NAME.wants/ (suffix ".wants") and the like, searched as drop-ins are. Omits
// masked ones and those of a folder that is not trusted, which is complained about once. 0 or
// -errno.
int search_links(struct search *s, const char *id, char *const *names, const char *suffix,
                 struct diag *diag, char ***ret);

// Opens the file of a unit or a drop-in for reading. Descriptor; -EPERM: it, a link to it or its
// folder is not trusted, with the reason in *why; -errno. *ret, unless ret is NULL, becomes its
// status.
int search_open_file(const struct search *s, const char *path, struct stat *ret, struct fail *why);

// Every name with a file, link or block, sorted; templates and aliases included, masks too.
int search_list(const struct search *s, char ***ret);
bool search_has(const struct search *s, const char *name); // as listed: no template look-up
// Has nothing been added to the folders or removed since they were read? One stat for each. (This
// does not cover their subfolders and the content of files.)
bool search_is_fresh(const struct search *s);
// The folders, as given.
char *const *search_dirs(const struct search *s);

// Is this a mask: a link to /dev/null, or an empty file? 1, 0, or -errno (-ENOENT).
int search_path_is_mask(const char *path);
