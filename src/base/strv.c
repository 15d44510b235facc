#include "base/strv.h"

#include "base/str.h"

void strv_free(char **v)
{
        if (!v)
                return;
        for (char **p = v; *p; p++)
                free(*p);
        free(v);
}

size_t strv_length(char *const *v)
{
        size_t n = 0;

        while (v && v[n])
                n++;
        return n;
}

bool strv_contains(char *const *v, const char *s)
{
        STRV_FOREACH (p, v)
                if (strcmp(*p, s) == 0)
                        return true;
        return false;
}

bool strv_equal(char *const *a, char *const *b)
{
        size_t n = strv_length(a);

        if (n != strv_length(b))
                return false;
        for (size_t i = 0; i < n; i++)
                if (strcmp(a[i], b[i]) != 0)
                        return false;
        return true;
}

int strv_push_take(char ***v, char *s)
{
        size_t n = strv_length(*v);
        char **more;

        if (!s)
                return -ENOMEM; // the caller could not allocate s
        more = realloc(*v, (n + 2) * sizeof(char *));
        if (!more) {
                free(s);
                return -ENOMEM;
        }
        more[n] = s;
        more[n + 1] = NULL;
        *v = more;
        return 0;
}

int strv_push(char ***v, const char *s)
{
        return strv_push_take(v, strdup(s));
}

int strv_extend(char ***v, char *const *add)
{
        size_t n = strv_length(*v), m = strv_length(add);
        char **more;

        if (m == 0)
                return 0;
        CLEANUP(strv) char **copy = NULL;
        int r = strv_copy(add, &copy);

        if (r < 0)
                return r;
        more = realloc(*v, (n + m + 1) * sizeof(char *));
        if (!more)
                return -ENOMEM;
        memcpy(more + n, copy, (m + 1) * sizeof(char *));
        copy[0] = NULL; // the strings have moved
        *v = more;
        return 0;
}

int strv_copy(char *const *v, char ***ret)
{
        CLEANUP(strv) char **copy = NULL;
        size_t n = strv_length(v);

        if (n > 0) {
                copy = calloc(n + 1, sizeof(char *));
                if (!copy)
                        return -ENOMEM;
                for (size_t i = 0; i < n; i++)
                        if (!(copy[i] = strdup(v[i])))
                                return -ENOMEM;
        }
        *ret = TAKE(copy);
        return 0;
}

int strv_split(const char *s, const char *separators, char ***ret)
{
        CLEANUP(strv) char **v = NULL;

        while (*(s += strspn(s, separators))) {
                size_t n = strcspn(s, separators);
                int r = strv_push_take(&v, strndup(s, n));

                if (r < 0)
                        return r;
                s += n;
        }
        *ret = TAKE(v);
        return 0;
}

char *strv_join(char *const *v, const char *separator)
{
        size_t size = 1, between = strlen(separator);
        char *text, *out;

        STRV_FOREACH (p, v)
                size += strlen(*p) + between;
        out = text = malloc(size);
        if (!text)
                return NULL;
        *out = '\0';
        STRV_FOREACH (p, v) {
                if (p != v)
                        out = stpcpy(out, separator);
                out = stpcpy(out, *p);
        }
        return text;
}

static int compare(const void *a, const void *b)
{
        return strcmp(*(char *const *)a, *(char *const *)b);
}

void strv_sort(char **v)
{
        if (v)
                qsort(v, strv_length(v), sizeof(char *), compare);
}

void strv_sort_unique(char **v)
{
        char **out = v;

        if (!v || !v[0])
                return;
        strv_sort(v);
        for (char **in = v + 1; *in; in++) {
                if (strcmp(*out, *in) == 0)
                        free(*in);
                else
                        *++out = *in;
        }
        out[1] = NULL;
}

size_t strv_remove(char **v, const char *s)
{
        char **out = v;
        size_t n = 0;

        for (char **in = v; in && *in; in++) {
                if (strcmp(*in, s) == 0) {
                        free(*in);
                        n++;
                } else {
                        *out++ = *in;
                }
        }
        if (v)
                *out = NULL;
        return n;
}

const char *strv_env_get(char *const *env, const char *name)
{
        size_t n = strlen(name);
        const char *value = NULL;

        STRV_FOREACH (p, env)
                if (strncmp(*p, name, n) == 0 && (*p)[n] == '=')
                        value = *p + n + 1;
        return value;
}

int strv_env_set(char ***env, const char *assignment)
{
        size_t n = strcspn(assignment, "=") + 1;
        char *copy = strdup(assignment);
        char **out = *env;

        if (!copy)
                return -ENOMEM;
        // Replaces the first assignment of the name and removes any others.
        for (char **in = *env; in && *in; in++) {
                if (strncmp(*in, assignment, n) != 0) {
                        *out++ = *in;
                        continue;
                }
                free(*in);
                if (copy)
                        *out++ = TAKE(copy);
        }
        if (out)
                *out = NULL;
        return copy ? strv_push_take(env, copy) : 0;
}

void strv_env_unset(char **env, const char *name)
{
        size_t n = strlen(name);
        bool is_whole = strchr(name, '=') != NULL;
        char **out = env;

        for (char **in = env; in && *in; in++) {
                bool match = is_whole ? strcmp(*in, name) == 0
                                      : strncmp(*in, name, n) == 0 && (*in)[n] == '=';

                if (match)
                        free(*in);
                else
                        *out++ = *in;
        }
        if (env)
                *out = NULL;
}

bool strv_env_name_is_valid(const char *name, size_t length)
{
        if (length == 0 || (name[0] >= '0' && name[0] <= '9'))
                return false;
        for (size_t i = 0; i < length; i++) {
                char c = name[i];

                if (!(c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                      (c >= 'A' && c <= 'Z')))
                        return false;
        }
        return true;
}

bool strv_env_assignment_is_valid(const char *assignment)
{
        size_t n = strcspn(assignment, "=");

        return assignment[n] == '=' && strv_env_name_is_valid(assignment, n) &&
               str_is_utf8(assignment);
}
