#include "core/start/environment.h"

#include "base/strv.h"

int environment_new(struct environment **ret)
{
        *ret = calloc(1, sizeof(**ret));
        return *ret ? 0 : -ENOMEM;
}

void environment_free(struct environment *e)
{
        if (!e)
                return;
        strv_free(e->inherited.block);
        strv_free(e->inherited.own);
        strv_free(e->base);
        strv_free(e->client);
        free(e);
}

static void replace(char ***list, char **value)
{
        strv_free(*list);
        *list = value;
}

static int merge(char *const *below, char *const *above, char ***ret)
{
        CLEANUP(strv) char **result = NULL;
        int r = strv_copy(below, &result);

        STRV_FOREACH (assignment, above)
                if (r == 0)
                        r = strv_env_set(&result, *assignment);
        if (r == 0)
                *ret = TAKE(result);
        return r;
}

int environment_lay_out(struct environment *e, const struct environment_source *source)
{
        CLEANUP(strv) char **own = NULL;
        CLEANUP(strv) char **inherited = NULL;
        CLEANUP(strv) char **base = NULL;
        CLEANUP(strv) char **block = NULL;
        int r = merge(source->own, source->manager, &own);

        // The locale of a system manager is that of the machine, not of ManagerEnvironment=.
        if (r == 0)
                r = spawn_environment_base(source->passes_all,
                                           source->passes_all ? own : source->own, &inherited);
        if (r == 0)
                r = merge(inherited, source->defaults, &base);
        if (r == 0)
                r = merge(base, e->client, &block);
        if (r < 0)
                return r;
        if (!strv_equal(own, e->inherited.own) || !strv_equal(block, e->inherited.block))
                e->inherited.generation++;
        replace(&e->base, TAKE(base));
        replace(&e->inherited.own, TAKE(own));
        replace(&e->inherited.block, TAKE(block));
        return 0;
}

// ---- what clients set

static bool are_assignments(char *const *list)
{
        STRV_FOREACH (a, list) {
                size_t n = strcspn(*a, "=") + 1;

                if (!strv_env_assignment_is_valid(*a))
                        return false;
                STRV_FOREACH (b, a + 1)
                        if (strncmp(*a, *b, n) == 0)
                                return false;
        }
        return true;
}

static bool are_names_or_assignments(char *const *list)
{
        STRV_FOREACH (s, list)
                if (!strv_env_name_is_valid(*s, strlen(*s)) && !strv_env_assignment_is_valid(*s))
                        return false;
        return true;
}

static bool is_too_large(char *const *list)
{
        size_t n = 0, bytes = 0;

        STRV_FOREACH (s, list) {
                bytes += strlen(*s) + 1;
                if (++n > ENVIRONMENT_VARIABLES_MAX || bytes > ENVIRONMENT_BYTES_MAX)
                        return true;
        }
        return false;
}

int environment_change(struct environment *e, char *const *unset, char *const *set)
{
        CLEANUP(strv) char **client = NULL;
        CLEANUP(strv) char **block = NULL;

        // First, since it bounds what the other questions cost.
        if (is_too_large(unset) || is_too_large(set))
                return ENVIRONMENT_TOO_LARGE;
        if (!are_names_or_assignments(unset))
                return ENVIRONMENT_BAD_NAME;
        if (!are_assignments(set))
                return ENVIRONMENT_BAD_ASSIGNMENT;
        int r = strv_copy(e->client, &client);

        STRV_FOREACH (name, unset)
                if (r == 0)
                        strv_env_unset(client, *name);
        STRV_FOREACH (assignment, set)
                if (r == 0 && !spawn_environment_is_for_one(*assignment))
                        r = strv_env_set(&client, *assignment);
        if (r == 0 && is_too_large(client))
                return ENVIRONMENT_TOO_LARGE;
        if (r == 0)
                r = merge(e->base, client, &block);
        if (r < 0)
                return r;
        replace(&e->client, TAKE(client));
        if (strv_equal(block, e->inherited.block))
                return ENVIRONMENT_CHANGED; // plans are still right
        replace(&e->inherited.block, TAKE(block));
        e->inherited.generation++;
        return ENVIRONMENT_CHANGED;
}
