// RuntimeDirectory= and its like: created, chowned and linked before each command, through libc in
// a forked child, where a slow file system delays nothing else. Removed by the supervisor.
#include "base/fd.h"
#include "base/fs.h"
#include "base/owner.h"
#include "base/str.h"
#include "base/strv.h"
#include "spawn/step.h"

#include <dirent.h>
#include <fcntl.h>

#define CHOWN_DEPTH_MAX 128

// ---- compile -----------------------------------------------------------------------------------

// The base folder of a kind, new string in *ret. 0, -ENOMEM, -ENOENT: a user without a home.
static int find_root(const struct spawn_settings *settings, enum spawn_directory kind, char **ret)
{
        static const struct {
                const char *system, *variable, *below_home, *below;
        } roots[_SPAWN_DIRECTORY_MAX] = {
                [SPAWN_DIRECTORY_RUNTIME] = {"/run", "XDG_RUNTIME_DIR", NULL, NULL},
                [SPAWN_DIRECTORY_STATE] = {"/var/lib", "XDG_STATE_HOME", ".local/state", NULL},
                [SPAWN_DIRECTORY_CACHE] = {"/var/cache", "XDG_CACHE_HOME", ".cache", NULL},
                [SPAWN_DIRECTORY_LOGS] = {"/var/log", "XDG_STATE_HOME", ".local/state", "log"},
                [SPAWN_DIRECTORY_CONFIGURATION] = {"/etc", "XDG_CONFIG_HOME", ".config", NULL},
        };
        CLEANUP(free) char *base = NULL;
        const char *value, *home;

        if (settings->directory_roots[kind])
                base = strdup(settings->directory_roots[kind]);
        else if (!settings->is_user)
                base = strdup(roots[kind].system);
        else {
                value = strv_env_get(settings->environment->own, roots[kind].variable);
                home = strv_env_get(settings->environment->own, "HOME");
                if (value && value[0] == '/')
                        base = strdup(value);
                else if (home && home[0] == '/' && roots[kind].below_home)
                        base = fs_path_join(home, roots[kind].below_home);
                else
                        return -ENOENT;
                if (base && roots[kind].below) {
                        *ret = fs_path_join(base, roots[kind].below);
                        return *ret ? 0 : -ENOMEM;
                }
        }
        *ret = TAKE(base);
        return *ret ? 0 : -ENOMEM;
}

static int add_directory(struct spawn_plan *plan, enum spawn_directory kind, const char *root,
                         const struct managed_directory *source, mode_t mode)
{
        struct plan_directory *more, *d;
        const char *text;
        int r;

        more = realloc(plan->directories, (plan->n_directories + 1) * sizeof(*more));
        if (!more)
                return -ENOMEM;
        plan->directories = more;
        d = &more[plan->n_directories++];
        *d = (struct plan_directory){.kind = kind, .mode = mode};
        r = plan_text(plan, source->path, &text);
        if (r < 0)
                return r;
        d->path = fs_path_join(root, text);
        if (!d->path)
                return -ENOMEM;
        STRV_FOREACH (link, source->symlinks) {
                r = plan_text(plan, *link, &text);
                if (r == 0)
                        r = strv_push_take(&d->symlinks, fs_path_join(root, text));
                if (r < 0)
                        return r;
        }
        return 0;
}

int plan_compile_directories(struct spawn_plan *plan)
{
        const struct exec_group *exec = plan->conf->exec;
        const struct {
                const struct managed_directory_list *list;
                mode_t mode;
        } kinds[_SPAWN_DIRECTORY_MAX] = {
                [SPAWN_DIRECTORY_RUNTIME] = {&exec->runtime_directory,
                                             exec->runtime_directory_mode},
                [SPAWN_DIRECTORY_STATE] = {&exec->state_directory, exec->state_directory_mode},
                [SPAWN_DIRECTORY_CACHE] = {&exec->cache_directory, exec->cache_directory_mode},
                [SPAWN_DIRECTORY_LOGS] = {&exec->logs_directory, exec->logs_directory_mode},
                [SPAWN_DIRECTORY_CONFIGURATION] = {&exec->configuration_directory,
                                                   exec->configuration_directory_mode},
        };

        for (size_t kind = 0; kind < _SPAWN_DIRECTORY_MAX; kind++) {
                CLEANUP(free) char *root = NULL;
                int r;

                if (kinds[kind].list->n == 0)
                        continue;
                r = find_root(plan->settings, (enum spawn_directory)kind, &root);
                for (size_t i = 0; i < kinds[kind].list->n && r == 0; i++)
                        r = add_directory(plan, (enum spawn_directory)kind, root,
                                          &kinds[kind].list->items[i], kinds[kind].mode);
                if (r < 0)
                        return r;
        }
        return 0;
}

void plan_directories_done(struct spawn_plan *plan)
{
        for (size_t i = 0; i < plan->n_directories; i++) {
                free(plan->directories[i].path);
                strv_free(plan->directories[i].symlinks);
        }
        free(plan->directories);
        plan->directories = NULL;
        plan->n_directories = 0;
}

// ---- make --------------------------------------------------------------------------------------

// A tree that is being given to another owner.
struct giving {
        const char *path;
        uid_t uid;
        gid_t gid;
        struct fail *why;
};

static int give_folder(const struct giving *g, int fd, unsigned depth);

// Links are not followed. A device keeps its owner, since its owner may do more than use it. A file
// with several hard links may be one from anywhere that someone has linked here, so it fails the
// whole step. (systemd chowns it, and relies on fs.protected_hardlinks.)
static int give_entry(const struct giving *g, int dir, const struct stat *folder, const char *name,
                      unsigned depth)
{
        CLEANUP(fd) int fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0)
                return errno == ENOENT ? 0 : -errno;
        if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
                return 0;
        if (!S_ISDIR(st.st_mode) && st.st_uid == g->uid && st.st_gid == g->gid)
                return 0; // done under another of its names, or by a start that was interrupted
        if (owner_may_be_planted(folder, &st))
                return fail_set(g->why, EMLINK, "chown",
                                "%s: the file %s in it has several names, and is not of its "
                                "folder's owner",
                                g->path, name);
        if (S_ISDIR(st.st_mode)) {
                int sub = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

                return sub < 0 ? -errno : give_folder(g, sub, depth + 1);
        }
        return fchownat(fd, "", g->uid, g->gid, AT_EMPTY_PATH) < 0 ? -errno : 0;
}

// The folder itself is chowned last: its owner shows the next start whether all of this was done.
// Closes fd.
static int give_folder(const struct giving *g, int fd, unsigned depth)
{
        const struct dirent *entry;
        struct stat st;
        DIR *dir;
        int r = 0;

        if (depth > CHOWN_DEPTH_MAX || fstat(fd, &st) < 0 || !(dir = fdopendir(fd))) {
                r = depth > CHOWN_DEPTH_MAX ? -ELOOP : -errno;
                fd_close(fd);
                return r;
        }
        while (r == 0 && (entry = readdir(dir)))
                if (!streq(entry->d_name, ".") && !streq(entry->d_name, ".."))
                        r = give_entry(g, dirfd(dir), &st, entry->d_name, depth);
        if (r == 0 && fchown(dirfd(dir), g->uid, g->gid) < 0)
                r = -errno;
        closedir(dir);
        return r;
}

static int set_owner(const struct spawn_plan *plan, const char *path, int fd, struct fail *why)
{
        const struct giving g = {
                .path = path,
                .uid = plan->sets_uid ? plan->uid : geteuid(),
                .gid = plan->sets_gid ? plan->gid : getegid(),
                .why = why,
        };
        struct stat st;
        int copy;

        if (fstat(fd, &st) < 0)
                return -errno;
        if (st.st_uid == g.uid && st.st_gid == g.gid)
                return 0;
        copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        return copy < 0 ? -errno : give_folder(&g, copy, 0);
}

// Opens the folder, or creates it. An administrator may have put a link to one there (except where
// any user could have: the runtime folder is created at each boot).
static int open_folder(const struct plan_directory *d, bool *ret_is_new, struct fail *why)
{
        CLEANUP(fs_entry) struct fs_entry e = FS_ENTRY_NULL;
        int flags = O_RDONLY | O_DIRECTORY, r = fs_entry_open(d->path, 0755, &e, why);

        if (r < 0)
                return r;
        *ret_is_new = mkdirat(e.dir, e.name, d->mode) == 0;
        if (!*ret_is_new && errno != EEXIST)
                return -errno;
        if (!*ret_is_new && d->kind != SPAWN_DIRECTORY_RUNTIME)
                return fs_open(d->path, flags, 0, why);
        int fd = openat(e.dir, e.name, flags | O_NOFOLLOW | O_CLOEXEC);

        return fd < 0 ? -errno : fd;
}

static int make_one(const struct spawn_plan *plan, const struct plan_directory *d, struct fail *why)
{
        bool is_new;
        CLEANUP(fd) int fd = open_folder(d, &is_new, why);
        int r = MIN(fd, 0);

        // Configuration stays root's, and its mode applies only when it is created.
        if (r == 0 && d->kind != SPAWN_DIRECTORY_CONFIGURATION) {
                r = set_owner(plan, d->path, fd, why);
                is_new = true;
        }
        if (r == 0 && is_new &&
            fchmod(fd, d->mode) < 0) // after the chown, which clears set-id bits
                r = -errno;
        return r;
}

static int link_one(const struct plan_directory *d, struct fail *why)
{
        int r = 0;

        STRV_FOREACH (link, d->symlinks)
                if (r == 0)
                        r = fs_symlink(d->path, *link, 0755, true, why);
        return r;
}

static int make_all(struct launch *l, enum spawn_directory kind)
{
        const struct spawn_plan *plan = l->plan;
        static struct fail why; // l->detail refers to it after the return

        for (size_t i = 0; i < plan->n_directories; i++) {
                const struct plan_directory *d = &plan->directories[i];
                int r;

                if (d->kind != kind)
                        continue;
                why.error = 0;
                r = make_one(plan, d, &why);
                if (r == 0)
                        r = link_one(d, &why);
                if (r < 0) {
                        l->detail = why.error ? why.detail : d->path;
                        return r;
                }
        }
        return 0;
}

static int has_any(const struct spawn_plan *plan, enum spawn_directory kind)
{
        for (size_t i = 0; i < plan->n_directories; i++)
                if (plan->directories[i].kind == kind)
                        return 1;
        return 0;
}

#define DIRECTORY_STEP(name, kind)                                   \
        int step_##name##_directory(struct launch *l)                \
        {                                                            \
                return make_all(l, kind);                            \
        }                                                            \
        int step_##name##_directory_compile(struct spawn_plan *plan) \
        {                                                            \
                return has_any(plan, kind);                          \
        }

DIRECTORY_STEP(runtime, SPAWN_DIRECTORY_RUNTIME)
DIRECTORY_STEP(state, SPAWN_DIRECTORY_STATE)
DIRECTORY_STEP(cache, SPAWN_DIRECTORY_CACHE)
DIRECTORY_STEP(logs, SPAWN_DIRECTORY_LOGS)
DIRECTORY_STEP(configuration, SPAWN_DIRECTORY_CONFIGURATION)

// ---- remove ------------------------------------------------------------------------------------

static int remove_links(const struct plan_directory *d)
{
        int first = 0;

        STRV_FOREACH (link, d->symlinks) {
                int r = fs_unlink_symlink(*link, d->path); // only if it still leads there

                if (r < 0 && first == 0)
                        first = r;
        }
        return first;
}

static int remove_kinds(const struct spawn_plan *plan, unsigned kinds, char *const *kept,
                        struct fail *why)
{
        int first = 0;

        for (size_t i = 0; i < plan->n_directories; i++) {
                const struct plan_directory *d = &plan->directories[i];
                int r;

                if (!(kinds & 1u << d->kind) || strv_contains(kept, d->path))
                        continue;
                r = remove_links(d);
                if (r == 0)
                        r = fs_remove_tree(d->path);
                if (r < 0 && r != -ENOENT && first == 0)
                        first = fail_set(why, r, "remove directory", "%s", d->path);
        }
        return first;
}

const char *spawn_plan_runtime_folder(const struct spawn_plan *plan, size_t n)
{
        for (size_t i = 0; i < plan->n_directories; i++)
                if (plan->directories[i].kind == SPAWN_DIRECTORY_RUNTIME && n-- == 0)
                        return plan->directories[i].path;
        return NULL;
}

int spawn_plan_remove_runtime(const struct spawn_plan *plan, char *const *kept, struct fail *why)
{
        return remove_kinds(plan, 1u << SPAWN_DIRECTORY_RUNTIME, kept, why);
}

unsigned spawn_directories_kinds(const struct unit_conf *conf)
{
        const struct exec_group *exec = conf->exec;
        unsigned kinds = 0;

        if (exec->runtime_directory.n > 0)
                kinds |= 1u << SPAWN_DIRECTORY_RUNTIME;
        if (exec->state_directory.n > 0)
                kinds |= 1u << SPAWN_DIRECTORY_STATE;
        if (exec->cache_directory.n > 0)
                kinds |= 1u << SPAWN_DIRECTORY_CACHE;
        if (exec->logs_directory.n > 0)
                kinds |= 1u << SPAWN_DIRECTORY_LOGS;
        if (exec->configuration_directory.n > 0)
                kinds |= 1u << SPAWN_DIRECTORY_CONFIGURATION;
        return kinds;
}

int spawn_directories_remove(const struct spawn_settings *settings, struct unit_conf *conf,
                             const char *unit_name, unsigned kinds, struct fail *why)
{
        CLEANUP(spawn_plan) struct spawn_plan *plan = NULL;
        int r = plan_new(settings, conf, unit_name, &plan);

        if (r == 0)
                r = plan_compile_directories(plan);
        return r < 0 ? fail_set_default(why, r, "find directories of", unit_name)
                     : remove_kinds(plan, kinds, NULL, why);
}
