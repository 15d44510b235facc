#include "conf/unit_path.h"

#include "base/fs.h"
#include "base/str.h"
#include "base/strv.h"

static const char *const system_control_dirs[] = {
        USHER_SYSCONFDIR "/usher/" UNIT_PATH_CONTROL,
        "/run/usher/" UNIT_PATH_CONTROL,
        NULL,
};

static const char *const system_dirs[] = {
        USHER_SYSCONFDIR "/usher",
        "/run/usher/units",
        USHER_UNITDIR, // often one of the next two
        "/usr/local/lib/usher",
        "/usr/lib/usher",
        NULL,
};

static const char *const systemd_system_dirs[] = {
        "/etc/systemd/system.control",  "/run/systemd/system.control",   "/run/systemd/transient",
        "/run/systemd/generator.early", "/etc/systemd/system",           "/run/systemd/system",
        "/run/systemd/generator",       "/usr/local/lib/systemd/system", "/usr/lib/systemd/system",
        "/lib/systemd/system",          "/run/systemd/generator.late",   NULL,
};

enum root { ROOT_NONE, ROOT_CONFIG, ROOT_RUNTIME, ROOT_DATA };

struct user_dir {
        enum root root;
        const char *path;
};

static const struct user_dir user_control_dirs[] = {
        {ROOT_CONFIG, "/usher/" UNIT_PATH_CONTROL},
        {ROOT_RUNTIME, "/usher/" UNIT_PATH_CONTROL},
};

static const struct user_dir user_dirs[] = {
        {ROOT_CONFIG, "/usher"},
        {ROOT_RUNTIME, "/usher/units"},
        {ROOT_DATA, "/usher"},
        {ROOT_NONE, "/usr/lib/usher/user"},
};

static const struct user_dir systemd_user_dirs[] = {
        {ROOT_CONFIG, "/systemd/user.control"},
        {ROOT_RUNTIME, "/systemd/user.control"},
        {ROOT_RUNTIME, "/systemd/transient"},
        {ROOT_RUNTIME, "/systemd/generator.early"},
        {ROOT_CONFIG, "/systemd/user"},
        {ROOT_NONE, "/etc/systemd/user"},
        {ROOT_RUNTIME, "/systemd/user"},
        {ROOT_NONE, "/run/systemd/user"},
        {ROOT_RUNTIME, "/systemd/generator"},
        {ROOT_DATA, "/systemd/user"},
        {ROOT_NONE, "/usr/local/lib/systemd/user"},
        {ROOT_NONE, "/usr/lib/systemd/user"},
        {ROOT_RUNTIME, "/systemd/generator.late"},
};

// One of the XDG folders. 1: *ret is new; 0: there is none (no XDG_RUNTIME_DIR); -ENXIO: no HOME.
static int find_root(enum root root, char **ret)
{
        static const struct {
                const char *variable, *home;
        } roots[] = {
                [ROOT_CONFIG] = {"XDG_CONFIG_HOME", "/.config"},
                [ROOT_RUNTIME] = {"XDG_RUNTIME_DIR", NULL},
                [ROOT_DATA] = {"XDG_DATA_HOME", "/.local/share"},
        };
        const char *value, *home;
        char *made;

        if (root == ROOT_NONE) {
                made = strdup("");
        } else {
                value = secure_getenv(roots[root].variable);
                home = secure_getenv("HOME");
                if (value && value[0] == '/')
                        made = strdup(value);
                else if (!roots[root].home)
                        return 0;
                else if (!home || home[0] != '/')
                        return -ENXIO;
                else
                        made = str_printf("%s%s", home, roots[root].home);
        }
        if (!made)
                return -ENOMEM;
        *ret = made;
        return 1;
}

static int push_user_dirs(char ***path, const struct user_dir *dirs, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                CLEANUP(free) char *root = NULL;
                int r = find_root(dirs[i].root, &root);

                if (r > 0)
                        r = strv_push_take(path, str_printf("%s%s", root, dirs[i].path));
                if (r < 0)
                        return r;
        }
        return 0;
}

static int push_dirs(char ***path, const char *const *dirs)
{
        for (size_t i = 0; dirs[i]; i++) {
                int r = strv_contains(*path, dirs[i]) ? 0 : strv_push(path, dirs[i]);

                if (r < 0)
                        return r;
        }
        return 0;
}

static int push_default(char ***path, const struct unit_path_options *options)
{
        int r = 0;

        if (options->has_control)
                r = options->is_user
                            ? push_user_dirs(path, user_control_dirs, ARRAY_SIZE(user_control_dirs))
                            : push_dirs(path, system_control_dirs);
        if (r >= 0)
                r = options->is_user ? push_user_dirs(path, user_dirs, ARRAY_SIZE(user_dirs))
                                     : push_dirs(path, system_dirs);

        if (r < 0 || !options->systemd_units)
                return r;
        return options->is_user
                       ? push_user_dirs(path, systemd_user_dirs, ARRAY_SIZE(systemd_user_dirs))
                       : push_dirs(path, systemd_system_dirs);
}

bool unit_path_is_control(const char *dir)
{
        return str_at_suffix(dir, ".control");
}

int unit_path_add_control(char ***path, const char *runtime_dir)
{
        CLEANUP(strv) char **fresh = NULL;
        CLEANUP(free) char *dir = fs_path_join(runtime_dir, UNIT_PATH_CONTROL);
        int r;

        if (!dir)
                return -ENOMEM;
        if (strv_contains(*path, dir))
                return 0;
        r = strv_push_take(&fresh, TAKE(dir));
        if (r >= 0)
                r = strv_extend(&fresh, *path);
        if (r < 0)
                return r;
        strv_free(*path);
        *path = TAKE(fresh);
        return 0;
}

static bool is_among(const char *const *dirs, const char *dir)
{
        for (; *dirs; dirs++)
                if (streq(*dirs, dir))
                        return true;
        return false;
}

bool unit_path_is_systemd(const char *dir, bool is_given)
{
        return is_among(systemd_system_dirs, dir) && !(is_given && str_after_prefix(dir, "/etc/"));
}

int unit_path_add(char ***path, const char *dir)
{
        char *full = NULL;
        int r = fs_path_make_absolute(dir, &full);

        return r < 0 ? r : strv_push_take(path, full);
}

// Folders from a colon-separated list, made absolute. 0, -ENOMEM, or -errno of getcwd.
static int unit_path_from_text(const char *text, char ***ret)
{
        CLEANUP(strv) char **parts = NULL, **path = NULL;
        int r = strv_split(text, ":", &parts);

        STRV_FOREACH (part, parts)
                if (r >= 0)
                        r = unit_path_add(&path, *part);
        if (r < 0)
                return r;
        *ret = TAKE(path);
        return 0;
}

int unit_path_default(const struct unit_path_options *options, char ***ret)
{
        CLEANUP(strv) char **path = NULL;
        const char *given = secure_getenv("SYSTEMD_UNIT_PATH");
        size_t length = given ? strlen(given) : 0;
        int r = 0;

        if (length > 0)
                r = unit_path_from_text(given, &path);
        if (r >= 0 && (length == 0 || given[length - 1] == ':'))
                r = push_default(&path, options);
        if (r < 0)
                return r;
        *ret = TAKE(path);
        return 0;
}

int unit_path_config_file(bool is_user, char **ret)
{
        CLEANUP(free) char *root = NULL;
        int r = is_user ? find_root(ROOT_CONFIG, &root) : 0;
        char *path;

        if (r < 0)
                return r;
        path = str_printf("%s/usher/usher.conf", is_user ? root : USHER_SYSCONFDIR);
        if (!path)
                return -ENOMEM;
        *ret = path;
        return 0;
}

const char *unit_path_run_parent(void)
{
        const char *xdg = getenv("XDG_RUNTIME_DIR"), *tmp = getenv("TMPDIR");

        return geteuid() == 0         ? "/run"
               : xdg && xdg[0] == '/' ? xdg
               : tmp && tmp[0] == '/' ? tmp
                                      : "/tmp";
}
