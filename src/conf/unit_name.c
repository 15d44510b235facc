#include "conf/unit_name.h"

#include "base/buf.h"
#include "base/fs.h"
#include "base/str.h"
#include "conf/specifier.h"

#include <assert.h>

#define DIGITS "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define VALID_CHARS DIGITS LETTERS ":-_.\\"
#define GLOB_CHARS "*?["

static const char *const type_names[] = {
        [UNIT_SERVICE] = "service", [UNIT_SOCKET] = "socket", [UNIT_TARGET] = "target",
        [UNIT_SLICE] = "slice",     [UNIT_MOUNT] = "mount",   [UNIT_AUTOMOUNT] = "automount",
        [UNIT_SWAP] = "swap",       [UNIT_DEVICE] = "device", [UNIT_PATH] = "path",
        [UNIT_TIMER] = "timer",     [UNIT_SCOPE] = "scope",
};

const char *unit_type_name(enum unit_type type)
{
        assert(type >= 0 && type < _UNIT_TYPE_MAX);
        return type_names[type];
}

enum unit_type unit_type_from_name(const char *name)
{
        for (size_t i = 0; i < ARRAY_SIZE(type_names); i++)
                if (streq(name, type_names[i]))
                        return (enum unit_type)i;
        return _UNIT_TYPE_INVALID;
}

enum unit_type unit_name_type(const char *name)
{
        const char *dot = strrchr(name, '.');

        return dot ? unit_type_from_name(dot + 1) : _UNIT_TYPE_INVALID;
}

bool unit_name_is_valid(const char *name)
{
        size_t length = strnlen(name, UNIT_NAME_MAX + 1), stem;
        const char *dot = strrchr(name, '.');

        if (length > UNIT_NAME_MAX || !dot || dot == name || name[0] == '@')
                return false;
        stem = (size_t)(dot - name);
        return strspn(name, VALID_CHARS "@") >= stem && unit_type_from_name(dot + 1) >= 0;
}

// The '@' of a template or instance, before the suffix; NULL for a plain name.
static const char *find_at(const char *name)
{
        const char *at = strchr(name, '@'), *dot = strrchr(name, '.');

        return at && dot && at < dot ? at : NULL;
}

bool unit_name_is_template(const char *name)
{
        const char *at = find_at(name);

        return at && at + 1 == strrchr(name, '.') && unit_name_is_valid(name);
}

bool unit_name_is_instance(const char *name)
{
        const char *at = find_at(name);

        return at && at + 1 != strrchr(name, '.') && unit_name_is_valid(name);
}

static int give(char *s, char **ret)
{
        if (!s)
                return -ENOMEM;
        *ret = s;
        return 0;
}

int unit_name_prefix(const char *name, char **ret)
{
        const char *end = find_at(name);

        if (!end)
                end = strrchr(name, '.');
        return give(end ? str_ndup(name, (size_t)(end - name)) : strdup(name), ret);
}

int unit_name_instance(const char *name, char **ret)
{
        const char *at = find_at(name);

        if (!at) {
                *ret = NULL;
                return 0;
        }
        return give(str_ndup(at + 1, (size_t)(strrchr(name, '.') - at - 1)), ret);
}

int unit_name_template(const char *name, char **ret)
{
        const char *at = find_at(name);

        if (!at) {
                *ret = NULL;
                return 0;
        }
        return unit_name_with_instance(name, "", ret);
}

int unit_name_with_instance(const char *template_name, const char *instance, char **ret)
{
        const char *at = find_at(template_name);

        if (!at) {
                *ret = NULL;
                return 0;
        }
        return give(str_printf("%.*s@%s%s", (int)(at - template_name), template_name, instance,
                               strrchr(template_name, '.')),
                    ret);
}

int unit_name_change_suffix(const char *name, enum unit_type type, char **ret)
{
        const char *dot = strrchr(name, '.');
        int length = dot ? (int)(dot - name) : (int)strlen(name);

        return give(str_printf("%.*s.%s", length, name, unit_type_name(type)), ret);
}

// ---- escaping ----------------------------------------------------------------------------------

static void put_escaped(struct buf *b, char c)
{
        buf_printf(b, "\\x%02x", (unsigned char)c);
}

static int escape_plain(const char *text, char **ret)
{
        CLEANUP(buf) struct buf b = BUF_NULL;

        for (const char *p = text; *p; p++)
                if (*p == '/')
                        buf_putc(&b, '-');
                else if ((*p == '.' && p == text) || *p == '-' || *p == '\\' ||
                         !strchr(VALID_CHARS, *p))
                        put_escaped(&b, *p);
                else
                        buf_putc(&b, *p);
        return buf_take(&b, ret);
}

int unit_name_escape(const char *text, bool is_path, char **ret)
{
        CLEANUP(free) char *path = NULL, *rooted = NULL;

        if (!is_path)
                return escape_plain(text, ret);
        path = fs_path_simplify(text);
        if (!path)
                return -ENOMEM;
        if (path[0] == '\0' || streq(path, "/"))
                return give(strdup("-"), ret);
        rooted = str_printf("%s%s", path[0] == '/' ? "" : "/", path);
        if (!rooted)
                return -ENOMEM;
        return fs_path_is_normalized(rooted) ? escape_plain(rooted + 1, ret) : -EINVAL;
}

static int hex_value(char c)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static int unescape_plain(const char *text, struct buf *b)
{
        for (const char *p = text; *p; p++) {
                int high, low;

                if (*p == '-') {
                        buf_putc(b, '/');
                        continue;
                }
                if (*p != '\\') {
                        buf_putc(b, *p);
                        continue;
                }
                if (p[1] != 'x')
                        return -EINVAL;
                high = hex_value(p[2]);
                low = high < 0 ? -1 : hex_value(p[3]);
                if (low < 0 || (high == 0 && low == 0))
                        return -EINVAL;
                buf_putc(b, (char)(high << 4 | low));
                p += 3;
        }
        return 0;
}

int unit_name_unescape(const char *text, bool is_path, char **ret)
{
        CLEANUP(buf) struct buf b = BUF_NULL;
        int r;

        if (is_path && streq(text, "-"))
                return give(strdup("/"), ret);
        if (is_path)
                buf_putc(&b, '/');
        r = unescape_plain(text, &b);
        if (r < 0)
                return r;
        if (b.error == 0 && is_path && !fs_path_is_normalized(buf_text(&b)))
                return -EINVAL;
        return buf_take(&b, ret);
}

int unit_name_mangle(const char *text, enum unit_type fallback, char **ret)
{
        CLEANUP(free) char *escaped = NULL;
        CLEANUP(buf) struct buf b = BUF_NULL;
        bool is_glob = strpbrk(text, GLOB_CHARS) != NULL;
        int r;

        if (text[0] == '\0' || strlen(text) > UNIT_NAME_MAX * 4)
                return -EINVAL;
        if (unit_name_is_valid(text) || (is_glob && unit_name_type(text) >= 0))
                return give(strdup(text), ret);
        if (text[0] == '/' && !is_glob) {
                r = unit_name_escape(text, true, &escaped);
                if (r < 0)
                        return r;
                buf_printf(&b, "%s.%s", escaped,
                           str_after_prefix(text, "/dev/") ? "device" : "mount");
        } else {
                for (const char *p = text; *p; p++)
                        if (*p == '/')
                                buf_putc(&b, '-');
                        else if (strchr(VALID_CHARS "@" GLOB_CHARS "]!", *p))
                                buf_putc(&b, *p);
                        else
                                put_escaped(&b, *p);
                if (unit_name_type(text) < 0)
                        buf_printf(&b, ".%s", unit_type_name(fallback));
        }
        if (b.error == 0 && !is_glob && !unit_name_is_valid(buf_text(&b)))
                return -EINVAL;
        return buf_take(&b, ret);
}

int unit_name_of_deferred(const char *name, char **ret)
{
        CLEANUP(free) char *prefix = NULL;
        const char *suffix = strrchr(name, '.');

        if (!specifier_has_marks(name))
                return give(strdup(name), ret);
        int r = unit_name_prefix(name, &prefix);

        if (r < 0)
                return r;
        if (!suffix || specifier_has_marks(prefix))
                return -EINVAL;
        return give(str_printf("%s@%s", prefix, suffix), ret);
}
