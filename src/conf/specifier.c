// Three parts: values of the machine and the manager, values of the unit, the expansion itself.
#include "conf/specifier.h"

#include "base/buf.h"
#include "base/fs.h"
#include "base/parse.h"
#include "base/str.h"
#include "conf/types.h"
#include "conf/unit_name.h"

#include <ctype.h>
#include <grp.h>
#include <pwd.h>
#include <sys/utsname.h>
#include <unistd.h>

#define FILE_LIMIT ((size_t)65536) // of os-release and the like

struct expansion {
        const struct specifier_context *context;
        enum specifier_set set;
        char letter;
        struct buf out;
};

typedef int (*lookup_func)(struct expansion *x);

static int put(struct expansion *x, const char *s)
{
        buf_puts(&x->out, s);
        return 0;
}

// ---- the machine -------------------------------------------------------------------------------

static int put_id_file(struct expansion *x, const char *path)
{
        CLEANUP(free) char *text = NULL;
        size_t n = 0;
        int r = fs_read_file(path, FILE_LIMIT, &text, NULL);

        if (r < 0)
                return r;
        for (const char *p = str_strip(text); *p; p++) {
                if (*p == '-')
                        continue;
                if (!isxdigit((unsigned char)*p))
                        return -ENOMEDIUM; // "uninitialized"
                buf_putc(&x->out, *p);
                n++;
        }
        return n == 32 ? 0 : -ENOMEDIUM;
}

static int lookup_ids(struct expansion *x)
{
        return put_id_file(x, x->letter == 'm' ? "/etc/machine-id"
                                               : "/proc/sys/kernel/random/boot_id");
}

static int put_assignment(struct expansion *x, const char *text, const char *name)
{
        CLEANUP(free) char *value = NULL;
        int r = parse_shell_variable(text, name, &value);

        return r > 0 ? put(x, value) : r;
}

static int lookup_os_release(struct expansion *x)
{
        static const struct {
                char letter;
                const char *name;
        } fields[] = {{'A', "IMAGE_VERSION"}, {'B', "BUILD_ID"},  {'M', "IMAGE_ID"}, {'o', "ID"},
                      {'w', "VERSION_ID"},    {'W', "VARIANT_ID"}};
        CLEANUP(free) char *text = NULL;
        int r = fs_read_file("/etc/os-release", FILE_LIMIT, &text, NULL);

        if (r == -ENOENT)
                r = fs_read_file("/usr/lib/os-release", FILE_LIMIT, &text, NULL);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
                if (fields[i].letter == x->letter)
                        return put_assignment(x, text, fields[i].name);
        return 0;
}

static int lookup_uname(struct expansion *x)
{
        // systemd's names that differ from the kernel's (systemd.unit(5), ConditionArchitecture=).
        static const char *const architectures[][2] = {
                {"x86_64", "x86-64"},
                {"i386", "x86"},
                {"i486", "x86"},
                {"i586", "x86"},
                {"i686", "x86"},
                {"aarch64", "arm64"},
                {"aarch64_be", "arm64-be"},
                {"ppc64le", "ppc64-le"},
                {"ppcle", "ppc-le"},
                {"mips", "mips-be"},
                {"riscv", "riscv64"},
        };
        struct utsname u;

        if (uname(&u) < 0)
                return -errno;
        if (x->letter == 'v')
                return put(x, u.release);
        if (x->letter == 'l')
                u.nodename[strcspn(u.nodename, ".")] = '\0';
        if (x->letter != 'a')
                return put(x, u.nodename[0] ? u.nodename : "localhost");
        for (size_t i = 0; i < ARRAY_SIZE(architectures); i++)
                if (streq(u.machine, architectures[i][0]))
                        return put(x, architectures[i][1]);
        return put(x, str_after_prefix(u.machine, "armv") ? "arm" : u.machine);
}

static int lookup_pretty_host(struct expansion *x)
{
        CLEANUP(free) char *text = NULL;
        size_t before = x->out.size;
        int r = fs_read_file("/etc/machine-info", FILE_LIMIT, &text, NULL);

        if (r < 0 && r != -ENOENT)
                return r;
        r = text ? put_assignment(x, text, "PRETTY_HOSTNAME") : 0;
        return r < 0 || x->out.size > before ? r : lookup_uname(x);
}

// ---- the manager -------------------------------------------------------------------------------

static const char *get_folder_variable(const char *name)
{
        const char *value = secure_getenv(name);

        return value && fs_path_is_absolute(value) ? value : NULL;
}

static int lookup_temporary(struct expansion *x)
{
        static const char *const variables[] = {"TMPDIR", "TEMP", "TMP"};

        for (size_t i = 0; i < ARRAY_SIZE(variables); i++) {
                const char *value = get_folder_variable(variables[i]);
                struct stat st;

                if (value && stat(value, &st) == 0 && S_ISDIR(st.st_mode))
                        return put(x, value);
        }
        return put(x, x->letter == 'T' ? "/tmp" : "/var/tmp");
}

static int lookup_home(struct expansion *x)
{
        const char *home = get_folder_variable("HOME");
        const struct passwd *p;

        if (home)
                return put(x, home);
        if (geteuid() == 0)
                return put(x, "/root");
        errno = 0;
        p = getpwuid(geteuid());
        return p ? put(x, p->pw_dir) : errno > 0 ? -errno : -ESRCH;
}

static int lookup_user(struct expansion *x)
{
        const struct passwd *p;

        if (x->letter == 'U' || x->letter == 'G') {
                buf_printf(&x->out, "%u", x->letter == 'U' ? geteuid() : getegid());
                return 0;
        }
        if (x->letter == 'g') {
                const struct group *g = getegid() == 0 ? NULL : getgrgid(getegid());

                if (!g && getegid() != 0)
                        buf_printf(&x->out, "%u", getegid());
                return g || getegid() == 0 ? put(x, g ? g->gr_name : "root") : 0;
        }
        if (x->letter == 's' && get_folder_variable("SHELL"))
                return put(x, secure_getenv("SHELL"));
        if (geteuid() == 0)
                return put(x, x->letter == 'u'                 ? "root"
                              : access("/bin/bash", X_OK) == 0 ? "/bin/bash"
                                                               : "/bin/sh");
        p = getpwuid(geteuid());
        if (x->letter == 's')
                return put(x, p && p->pw_shell[0] ? p->pw_shell : "/bin/sh");
        if (p)
                return put(x, p->pw_name);
        buf_printf(&x->out, "%u", geteuid());
        return 0;
}

static int put_runtime_root(struct expansion *x)
{
        const char *user = get_folder_variable("XDG_RUNTIME_DIR");

        if (x->context->runtime_root)
                return put(x, x->context->runtime_root);
        if (!x->context->is_user)
                return put(x, "/run");
        return user ? put(x, user) : -ENXIO;
}

static int lookup_root(struct expansion *x)
{
        static const struct {
                char letter;
                const char *system, *variable, *home, *below;
        } roots[] = {
                {'S', "/var/lib", "XDG_STATE_HOME", "/.local/state", ""},
                {'L', "/var/log", "XDG_STATE_HOME", "/.local/state", "/log"},
                {'C', "/var/cache", "XDG_CACHE_HOME", "/.cache", ""},
                {'E', "/etc", "XDG_CONFIG_HOME", "/.config", ""},
        };

        for (size_t i = 0; i < ARRAY_SIZE(roots); i++) {
                const char *value;
                int r;

                if (roots[i].letter != x->letter)
                        continue;
                if (!x->context->is_user)
                        return put(x, roots[i].system);
                value = get_folder_variable(roots[i].variable);
                r = value ? put(x, value) : lookup_home(x);
                if (r < 0)
                        return r;
                if (!value)
                        buf_puts(&x->out, roots[i].home);
                return put(x, roots[i].below);
        }
        return put_runtime_root(x);
}

// ---- the unit ----------------------------------------------------------------------------------

// Puts the text unescaped, or literally if it is not escaped (as the name of a connection may be);
// is_path: as a path.
static int put_unescaped(struct buf *out, const char *text, bool is_path)
{
        CLEANUP(free) char *plain = NULL;
        int r = unit_name_unescape(text, is_path, &plain);

        if (r < 0 && r != -EINVAL)
                return r;
        if (r < 0 && is_path)
                buf_putc(out, '/');
        buf_puts(out, r < 0 ? text : plain);
        return 0;
}

// Values from the unit name: n N p P i I j J f. Of these n N i I f differ between the instances of
// a template.
static int put_name_part(struct buf *out, char letter, const char *unit_name)
{
        CLEANUP(free) char *prefix = NULL, *instance = NULL;
        const char *dash, *dot = strrchr(unit_name, '.');
        int r = unit_name_prefix(unit_name, &prefix);

        if (r >= 0)
                r = unit_name_instance(unit_name, &instance);
        if (r < 0)
                return r;
        dash = strrchr(prefix, '-');
        switch (letter) {
        case 'n':
                buf_puts(out, unit_name);
                return 0;
        case 'N':
                buf_put(out, unit_name, dot ? (size_t)(dot - unit_name) : strlen(unit_name));
                return 0;
        case 'p':
        case 'P':
                return letter == 'P' ? put_unescaped(out, prefix, false)
                                     : (buf_puts(out, prefix), 0);
        case 'j':
        case 'J':
                if (letter == 'J')
                        return put_unescaped(out, dash ? dash + 1 : prefix, false);
                buf_puts(out, dash ? dash + 1 : prefix);
                return 0;
        case 'i':
                buf_puts(out, instance ? instance : "");
                return 0;
        case 'I':
                return instance ? put_unescaped(out, instance, false) : 0;
        default:
                return put_unescaped(out, instance && *instance ? instance : prefix, true);
        }
}

static int lookup_name(struct expansion *x)
{
        if (x->context->defer_instance && strchr("nNiIf", x->letter)) {
                buf_putc(&x->out, SPECIFIER_MARK);
                buf_putc(&x->out, x->letter);
                return 0;
        }
        return put_name_part(&x->out, x->letter, x->context->unit_name);
}

static int lookup_fragment(struct expansion *x)
{
        CLEANUP(free) char *path = NULL;

        if (!x->context->fragment_path)
                return -ENOENT;
        path = realpath(x->context->fragment_path, NULL);
        if (!path && errno == ENOMEM)
                return -ENOMEM;
        if (!path)
                path = strdup(x->context->fragment_path); // removed since, or of usher.conf
        if (!path)
                return -ENOMEM;
        if (x->letter == 'Y') {
                char *slash = strrchr(path, '/');

                if (slash)
                        slash[slash == path ? 1 : 0] = '\0';
        }
        return put(x, path);
}

static int lookup_credentials(struct expansion *x)
{
        int r = put_runtime_root(x);

        if (r < 0)
                return r;
        buf_puts(&x->out, "/credentials/");
        x->letter = 'n';
        return lookup_name(x);
}

static int lookup_cgroup(struct expansion *x UNUSED)
{
        return -EOPNOTSUPP; // deprecated, and a unit may have no cgroup
}

// ---- expansion ---------------------------------------------------------------------------------

static const struct {
        const char *letters;
        lookup_func lookup;
        bool is_everywhere; // also in unit names and [Install]
} lookups[] = {
        {"nNpij", lookup_name, true},        {"PIJf", lookup_name, false},
        {"yY", lookup_fragment, false},      {"d", lookup_credentials, false},
        {"tSCLE", lookup_root, false},       {"TV", lookup_temporary, false},
        {"h", lookup_home, false},           {"s", lookup_user, false},
        {"uUgG", lookup_user, true},         {"aHlv", lookup_uname, true},
        {"q", lookup_pretty_host, true},     {"mb", lookup_ids, true},
        {"ABMowW", lookup_os_release, true}, {"crR", lookup_cgroup, false},
};

static int expand_one(struct expansion *x)
{
        for (size_t i = 0; i < ARRAY_SIZE(lookups); i++)
                if (strchr(lookups[i].letters, x->letter))
                        return x->set == SPECIFIERS_ALL || lookups[i].is_everywhere
                                       ? lookups[i].lookup(x)
                                       : -EINVAL;
        return -EINVAL;
}

static void put_literal(struct expansion *x, char c)
{
        buf_putc(&x->out, c);
        if (c == SPECIFIER_MARK && x->context->defer_instance)
                buf_putc(&x->out, c);
}

int specifier_expand(const char *text, const struct specifier_context *context,
                     enum specifier_set set, char **ret, char *ret_bad)
{
        struct expansion x = {.context = context, .set = set};
        int r = 0;

        for (const char *p = text; *p && r == 0; p++) {
                if (p[0] != '%' || p[1] == '\0') {
                        put_literal(&x, *p);
                        continue;
                }
                p++;
                if (*p == '%') {
                        buf_putc(&x.out, '%');
                } else if (isalnum((unsigned char)*p) && (unsigned char)*p < 0x80) {
                        x.letter = *p;
                        r = expand_one(&x);
                        if (r < 0 && ret_bad)
                                *ret_bad = *p;
                } else {
                        buf_putc(&x.out, '%');
                        put_literal(&x, *p);
                }
        }
        if (r == 0)
                r = buf_take(&x.out, ret);
        buf_done(&x.out);
        return r;
}

char *specifier_fill(const char *text, const char *unit_name)
{
        CLEANUP(buf) struct buf b = BUF_NULL;
        char *filled = NULL;

        for (const char *p = text; *p; p++) {
                if (p[0] != SPECIFIER_MARK || p[1] == '\0') {
                        buf_putc(&b, *p);
                        continue;
                }
                p++;
                if (*p == SPECIFIER_MARK)
                        buf_putc(&b, *p);
                else if (put_name_part(&b, *p, unit_name) < 0)
                        return NULL;
        }
        return buf_take(&b, &filled) < 0 ? NULL : filled;
}

bool specifier_has_marks(const char *text)
{
        return strchr(text, SPECIFIER_MARK) != NULL;
}

char *specifier_protect(const char *text)
{
        CLEANUP(buf) struct buf b = BUF_NULL;
        char *doubled = NULL;

        for (const char *p = text; *p; p++) {
                buf_putc(&b, *p);
                if (*p == SPECIFIER_MARK)
                        buf_putc(&b, *p);
        }
        return buf_take(&b, &doubled) < 0 ? NULL : doubled;
}
