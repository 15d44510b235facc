#include "core/service/folders.h"

#include "base/map.h"
#include "base/str.h"
#include "base/strv.h"
#include "core/service/run_cold.h"
#include "core/unit/manager.h"
#include "spawn/plan.h"

#include <limits.h>
#include <stdio.h>

static uintptr_t count_of(const struct map *users, const char *path)
{
        return users ? (uintptr_t)map_get(users, path) : 0;
}

// The folder above, of an absolute path; false: there is none but the root.
static bool climb(char *path)
{
        char *end = strrchr(path, '/');

        *end = '\0';
        return end > path;
}

// One user less of the path and of each folder above it, up to the one before `top` ("": all). A
// value that is there is replaced without allocating.
static void count_down(struct map *users, const char *path, const char *top)
{
        char part[PATH_MAX];

        snprintf(part, sizeof(part), "%s", path);
        do {
                uintptr_t count = count_of(users, part);

                if (streq(part, top))
                        return;
                if (count > 1)
                        (void)map_set(users, part, (void *)(count - 1));
                else
                        map_remove(users, part);
        } while (climb(part));
}

// One more; 0 or -ENOMEM (then it is as before).
static int count_up(struct map *users, const char *path)
{
        char part[PATH_MAX];

        snprintf(part, sizeof(part), "%s", path);
        do {
                if (map_set(users, part, (void *)(count_of(users, part) + 1)) < 0) {
                        count_down(users, path, part);
                        return -ENOMEM;
                }
        } while (climb(part));
        return 0;
}

int folders_hold(struct run *run)
{
        struct manager *m = run->manager;
        const char *path;
        size_t i;

        if (!run->plan || !spawn_plan_runtime_folder(run->plan, 0))
                return 0;
        struct run_cold *cold = run_cold_get(run);

        if (!cold)
                return -ENOMEM;
        if (cold->folders)
                return 0;
        if (!m->folders)
                m->folders = map_new();
        if (!m->folders)
                return -ENOMEM;
        for (i = 0; (path = spawn_plan_runtime_folder(run->plan, i)); i++)
                if (count_up(m->folders, path) < 0)
                        break;
        if (!path) {
                cold->folders = spawn_plan_ref(run->plan);
                return 0;
        }
        while (i-- > 0)
                count_down(m->folders, spawn_plan_runtime_folder(run->plan, i), "");
        return -ENOMEM;
}

void folders_release(struct run *run)
{
        struct spawn_plan *plan = run->cold ? TAKE(run->cold->folders) : NULL;
        const char *path;

        for (size_t i = 0; plan && (path = spawn_plan_runtime_folder(plan, i)); i++)
                count_down(run->manager->folders, path, "");
        spawn_plan_unref(plan);
}

int folders_in_use(const struct run *run, char ***ret)
{
        CLEANUP(strv) char **paths = NULL;
        const char *path;

        if (!run->plan || !manager_differs(run->manager, DIFFERENCE_SHARED_RUNTIME_DIRECTORY))
                return 0;
        for (size_t i = 0; (path = spawn_plan_runtime_folder(run->plan, i)); i++) {
                int r = count_of(run->manager->folders, path) > 0 ? strv_push(&paths, path) : 0;

                if (r < 0)
                        return r;
        }
        *ret = TAKE(paths);
        return 0;
}
