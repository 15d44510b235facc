// Which folders and files are trusted (conf/trust.h).
#include "base/fd.h"
#include "base/fs.h"
#include "base/str.h"
#include "conf/search_index.h"

#include <fcntl.h>
#include <sys/stat.h>

// Evaluates r, the result of the open or the check. A folder that is not trusted is read
// nevertheless, if it could be opened, because its files hide the same names in others. Takes *fd.
static DIR *finish(int *fd, int r, const struct fail *why, char **fault)
{
        DIR *d = NULL;

        if (why->error)
                r = str_set(fault, why->detail);
        if (r >= 0 && *fd >= 0 && (d = fdopendir(*fd)))
                *fd = -1; // closedir() closes it
        else if (r >= 0 && *fd >= 0)
                r = -errno;
        errno = r == -ENOENT || r == -ENOTDIR || r == -EACCES ? 0 : -MIN(r, 0);
        return d;
}

DIR *search_open_dir(struct search *s, size_t dir, struct diag *diag)
{
        bool is_named = s->trust != TRUST_ROOT; // then the path to it is not checked
        uid_t owner = trust_owner_of(s->dirs[dir], s->trust);
        struct fail why = {0};
        struct stat st;
        CLEANUP(fd)
        int fd = fs_open_trusting(s->dirs[dir], O_RDONLY | O_DIRECTORY,
                                  is_named ? FS_EVERYBODY : FS_NOBODY, &st, &why);
        int r = fd < 0 || s->trust == TRUST_ALL ? MIN(fd, 0) : trust_check(fd, &st, owner, &why);

        s->hands[dir].owner = owner;
        if (why.error)
                trust_complain(&why, NULL, s->dirs[dir], diag);
        return finish(&fd, r, &why, &s->hands[dir].fault);
}

DIR *search_open_folder(struct search *s, struct search_folder *f)
{
        uid_t owner = s->hands[f->dir].owner;
        struct fail why = {0};
        struct stat st;
        CLEANUP(fd)
        int fd = fs_open_trusting(f->path, O_RDONLY | O_DIRECTORY,
                                  s->trust == TRUST_ALL ? FS_EVERYBODY : owner, &st, &why);
        int r = fd < 0 || s->trust == TRUST_ALL ? MIN(fd, 0) : trust_check(fd, &st, owner, &why);

        return finish(&fd, r, &why, &f->fault);
}

// The folder of the path in which the file is, with what follows its name in *ret_rest; n_dirs: the
// file was named by itself.
static size_t find_dir(const struct search *s, const char *path, const char **ret_rest)
{
        size_t found = s->n_dirs, length = 0;

        for (size_t i = 0; i < s->n_dirs; i++) {
                const char *rest = str_after_prefix(path, s->dirs[i]);

                if (!rest || rest[0] != '/' || strlen(s->dirs[i]) <= length)
                        continue;
                *ret_rest = rest + 1;
                length = strlen(s->dirs[i]);
                found = i;
        }
        return found;
}

// Why the folder of a file is not trusted, with its path in *ret_path; NULL: it is.
static const char *find_folder_fault(const struct search *s, size_t dir, const char *rest,
                                     const char **ret_path)
{
        char name[NAME_MAX + 1] = "";
        size_t n = strcspn(rest, "/");

        *ret_path = s->dirs[dir];
        if (s->hands[dir].fault || rest[n] == '\0' || n > NAME_MAX)
                return s->hands[dir].fault;
        memcpy(name, rest, n);

        const struct search_folder *f = map_get(s->folders[dir], name);

        if (!f)
                return NULL;
        *ret_path = f->path;
        return f->fault;
}

int search_open_file(const struct search *s, const char *path, struct stat *ret, struct fail *why)
{
        const char *rest = "", *folder;
        size_t dir = find_dir(s, path, &rest);
        uid_t owner = dir < s->n_dirs ? s->hands[dir].owner : FS_NOBODY;
        const char *fault = dir < s->n_dirs ? find_folder_fault(s, dir, rest, &folder) : NULL;

        if (fault)
                return fail_set(why, EPERM, "refuse", "its folder %s: %s", folder, fault);
        if (dir == s->n_dirs) // the command line names the file
                owner = trust_owner_of(path, s->trust);
        return trust_open(path, O_RDONLY | O_NOCTTY | O_NONBLOCK, s->trust, owner, ret, why);
}
