#include "core/service/folders.h"

#include "base/map.h"
#include "base/str.h"
#include "base/strv.h"
#include "core/service/run_cold.h"
#include "core/unit/manager.h"
#include "spawn/plan.h"

static uintptr_t count_of(const struct map *users, const char *path)
{
        return users ? (uintptr_t)map_get(users, path) : 0;
}

// 0 or -ENOMEM.
static int set_count(struct map *users, const char *path, uintptr_t count)
{
        if (count == 0) {
                map_remove(users, path);
                return 0;
        }
        int r = map_set(users, path, (void *)count);

        return r < 0 ? r : 0;
}

// One more user, or one less, of the path and of each folder above it.
static int change(struct map *users, const char *path, bool is_more)
{
        CLEANUP(free) char *part = strdup(path);

        if (!part)
                return -ENOMEM;
        for (char *end = part + strlen(part); end > part; end = strrchr(part, '/')) {
                *end = '\0';
                uintptr_t count = count_of(users, part);
                int r = set_count(users, part, is_more ? count + 1 : count - (count > 0));

                if (r < 0)
                        return r;
        }
        return 0;
}

int folders_hold(struct run *run)
{
        struct manager *m = run->manager;
        const char *path;
        int r = 0;

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
        cold->folders = spawn_plan_ref(run->plan);
        for (size_t i = 0; r == 0 && (path = spawn_plan_runtime_folder(cold->folders, i)); i++)
                r = change(m->folders, path, true);
        return r;
}

void folders_release(struct run *run)
{
        struct spawn_plan *plan = run->cold ? TAKE(run->cold->folders) : NULL;
        const char *path;

        for (size_t i = 0; plan && (path = spawn_plan_runtime_folder(plan, i)); i++)
                (void)change(run->manager->folders, path, false); // no memory: it stays for good
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
