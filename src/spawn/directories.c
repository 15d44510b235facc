// RuntimeDirectory= and its kin: made, owned and linked before each command, by libc in a forked
// child, where a slow file system holds up nobody else. Removed by the supervisor.
#include "base/fd.h"
#include "base/fs.h"
#include "base/str.h"
#include "base/strv.h"
#include "spawn/step.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#define CHOWN_DEPTH_MAX 128

// ---- compile -----------------------------------------------------------------------------------

// Root of a kind, new string in *ret. 0, -ENOMEM, -ENOENT: a user without a home.
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
                value = strv_env_get(settings->own_environment, roots[kind].variable);
                home = strv_env_get(settings->own_environment, "HOME");
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
                const char *op;
                int (*run)(struct launch *l);
                int exit_status;
        } kinds[_SPAWN_DIRECTORY_MAX] = {
                [SPAWN_DIRECTORY_RUNTIME] = {&exec->runtime_directory, exec->runtime_directory_mode,
                                             "make runtime directory", step_directories_runtime,
                                             EXIT_RUNTIME_DIRECTORY},
                [SPAWN_DIRECTORY_STATE] = {&exec->state_directory, exec->state_directory_mode,
                                           "make state directory", step_directories_state,
                                           EXIT_STATE_DIRECTORY},
                [SPAWN_DIRECTORY_CACHE] = {&exec->cache_directory, exec->cache_directory_mode,
                                           "make cache directory", step_directories_cache,
                                           EXIT_CACHE_DIRECTORY},
                [SPAWN_DIRECTORY_LOGS] = {&exec->logs_directory, exec->logs_directory_mode,
                                          "make logs directory", step_directories_logs,
                                          EXIT_LOGS_DIRECTORY},
                [SPAWN_DIRECTORY_CONFIGURATION] = {&exec->configuration_directory,
                                                   exec->configuration_directory_mode,
                                                   "make configuration directory",
                                                   step_directories_configuration,
                                                   EXIT_CONFIGURATION_DIRECTORY},
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
                if (r == 0)
                        r = plan_add_step(plan, kinds[kind].op, kinds[kind].run,
                                          kinds[kind].exit_status, STEP_OWN_MEMORY);
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

// Give a folder and all in it to uid and gid. fd is closed. No symlink is followed.
static int chown_tree(int fd, uid_t uid, gid_t gid, unsigned depth)
{
        struct dirent *entry;
        DIR *dir;
        int r = 0;

        if (depth > CHOWN_DEPTH_MAX) {
                fd_close(fd);
                return -ELOOP;
        }
        dir = fdopendir(fd);
        if (!dir) {
                r = -errno;
                fd_close(fd);
                return r;
        }
        while (r == 0 && (entry = readdir(dir))) {
                int child;

                if (streq(entry->d_name, ".") || streq(entry->d_name, ".."))
                        continue;
                child = openat(dirfd(dir), entry->d_name,
                               O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                if (child >= 0)
                        r = chown_tree(child, uid, gid, depth + 1);
                else if (errno != ENOTDIR && errno != ELOOP)
                        r = -errno;
                else if (fchownat(dirfd(dir), entry->d_name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0 &&
                         errno != ENOENT)
                        r = -errno;
        }
        if (r == 0 && fchown(dirfd(dir), uid, gid) < 0)
                r = -errno;
        closedir(dir);
        return r;
}

static int set_owner(const struct spawn_plan *plan, int fd, const struct stat *st)
{
        uid_t uid = plan->sets_uid ? plan->uid : geteuid();
        gid_t gid = plan->sets_gid ? plan->gid : getegid();
        int copy;

        if (st->st_uid == uid && st->st_gid == gid)
                return 0;
        copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        return copy < 0 ? -errno : chown_tree(copy, uid, gid, 0);
}

static int make_one(const struct spawn_plan *plan, const struct plan_directory *d)
{
        CLEANUP(fd) int fd = -1;
        struct stat st;
        bool is_new;
        int r;

        r = fs_mkdir_parents(d->path, 0755);
        if (r < 0)
                return r;
        is_new = mkdir(d->path, d->mode) == 0;
        if (!is_new && errno != EEXIST)
                return -errno;
        // A link to a folder is what an administrator may have put there (except where anybody
        // could have: the runtime folder is made anew at each boot).
        fd = open(d->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC |
                                   (d->kind == SPAWN_DIRECTORY_RUNTIME ? O_NOFOLLOW : 0));
        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        // Configuration is root's, and its mode counts only when it is made.
        if (d->kind == SPAWN_DIRECTORY_CONFIGURATION)
                return is_new && fchmod(fd, d->mode) < 0 ? -errno : 0;
        r = set_owner(plan, fd, &st);
        if (r == 0 && fchmod(fd, d->mode) < 0) // after the chown, which drops set-id bits
                r = -errno;
        return r;
}

static int link_one(const struct plan_directory *d)
{
        STRV_FOREACH (link, d->symlinks) {
                CLEANUP(free) char *old = NULL;
                int r = fs_mkdir_parents(*link, 0755);

                if (r < 0)
                        return r;
                if (symlink(d->path, *link) == 0)
                        continue;
                if (errno != EEXIST)
                        return -errno;
                if (fs_readlink(*link, &old) == 0 && streq(old, d->path))
                        continue;
                if (!old)
                        return -EEXIST; // no link: not ours to remove
                if (unlink(*link) < 0 || symlink(d->path, *link) < 0)
                        return -errno;
        }
        return 0;
}

static int make_all(struct launch *l, enum spawn_directory kind)
{
        const struct spawn_plan *plan = l->plan;

        for (size_t i = 0; i < plan->n_directories; i++) {
                const struct plan_directory *d = &plan->directories[i];
                int r;

                if (d->kind != kind)
                        continue;
                l->detail = d->path;
                r = make_one(plan, d);
                if (r == 0)
                        r = link_one(d);
                if (r < 0)
                        return r;
        }
        return 0;
}

int step_directories_runtime(struct launch *l)
{
        return make_all(l, SPAWN_DIRECTORY_RUNTIME);
}

int step_directories_state(struct launch *l)
{
        return make_all(l, SPAWN_DIRECTORY_STATE);
}

int step_directories_cache(struct launch *l)
{
        return make_all(l, SPAWN_DIRECTORY_CACHE);
}

int step_directories_logs(struct launch *l)
{
        return make_all(l, SPAWN_DIRECTORY_LOGS);
}

int step_directories_configuration(struct launch *l)
{
        return make_all(l, SPAWN_DIRECTORY_CONFIGURATION);
}

// ---- remove ------------------------------------------------------------------------------------

static int remove_links(const struct plan_directory *d)
{
        int first = 0;

        STRV_FOREACH (link, d->symlinks) {
                CLEANUP(free) char *target = NULL;

                // Only what is still ours.
                if (fs_readlink(*link, &target) < 0 || !streq(target, d->path))
                        continue;
                if (unlink(*link) < 0 && errno != ENOENT && first == 0)
                        first = -errno;
        }
        return first;
}

int spawn_plan_remove_runtime(const struct spawn_plan *plan, struct fail *why)
{
        int first = 0;

        for (size_t i = 0; i < plan->n_directories; i++) {
                const struct plan_directory *d = &plan->directories[i];
                int r;

                if (d->kind != SPAWN_DIRECTORY_RUNTIME)
                        continue;
                r = remove_links(d);
                if (r == 0)
                        r = fs_remove_tree(d->path);
                if (r < 0 && r != -ENOENT && first == 0)
                        first = fail_set(why, r, "remove runtime directory", "%s", d->path);
        }
        return first;
}
