// Names of things: units, users and groups, descriptors, network interfaces, D-Bus services.
#include "base/parse.h"
#include "base/str.h"
#include "base/strv.h"
#include "conf/difference.h"
#include "conf/kind_impl.h"
#include "conf/specifier.h"
#include "conf/unit_name.h"

#include <ctype.h>

#define USER_NAME_MAX 255
#define FDNAME_MAX 255
#define BUS_NAME_MAX 255

// ---- units -------------------------------------------------------------------------------------

// A template stands for the instance that this unit is, or that is called as this unit is.
static int fill_template(const struct parse_context *c, char **name)
{
        CLEANUP(free) char *instance = NULL;
        char *full;
        int r;

        if (specifier_has_marks(*name) || !unit_name_is_template(*name) || !c->unit)
                return 0;
        if (unit_name_is_template(c->unit)) {
                char mark[] = {SPECIFIER_MARK, 'i', '\0'};
                const char *at = strchr(*name, '@');

                full = str_printf("%.*s@%s%s", (int)(at - *name), *name, mark, at + 1);
                if (!full)
                        return -ENOMEM;
                if (c->ret_marks)
                        *c->ret_marks = true;
        } else {
                r = unit_name_instance(c->unit, &instance);
                if (r == 0 && !instance)
                        r = unit_name_prefix(c->unit, &instance);
                if (r == 0)
                        r = unit_name_with_instance(*name, instance, &full);
                if (r < 0)
                        return r == -ENOMEM ? r : 0; // too long: the caller finds it invalid
        }
        free(*name);
        *name = full;
        return 0;
}

static bool is_unit_name(const char *name)
{
        if (specifier_has_marks(name))
                return true; // reported when the instance is loaded
        return unit_name_is_valid(name) && !unit_name_is_template(name);
}

static int add_unit_name(const struct parse_context *c, const char *word, char ***list)
{
        CLEANUP(free) char *name = NULL;
        int type = (int)c->directive->arg;
        int r = kind_expand(c, word, SPECIFIERS_UNIT_NAME, KIND_MARKS_REPORT, &name);

        if (!name)
                return r;
        r = fill_template(c, &name);
        if (r < 0)
                return r;
        if (!is_unit_name(name))
                return kind_complain(
                        c, "Failed to add dependency on %s, ignoring: not a valid unit name", name);
        if (type != 0 && unit_name_type(name) != (enum unit_type)type)
                return kind_complain(c, "Unit must be of type %s, ignoring: %s",
                                     unit_type_name((enum unit_type)type), name);
        return strv_contains(*list, name) ? 0 : strv_push_take(list, TAKE(name));
}

// Appends only: dependencies cannot be taken back.
static int parse_unit_names(const struct parse_context *c, const char *value, void *field)
{
        CLEANUP(strv) char **words = NULL;
        int r = parse_words(value, PARSE_WORD_UNQUOTE | PARSE_WORD_NO_BACKSLASH, &words);

        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return kind_complain_value(c, "unit names", value);
        STRV_FOREACH (word, words) {
                r = add_unit_name(c, *word, field);
                if (r != 0)
                        return r;
        }
        return 0;
}

static int format_unit_names(const struct directive *d, const void *field, char ***ret_lines)
{
        return kind_format_words(d, KIND_QUOTE_RAW, *(char **const *)field, ret_lines);
}

static int parse_unit_name(const struct parse_context *c, const char *value, void *field)
{
        enum unit_type type = (enum unit_type)c->directive->arg;
        CLEANUP(free) char *name = NULL;
        int r;

        if (!*value) {
                kind_string_take(field, NULL);
                return 0;
        }
        r = kind_expand(c, value, SPECIFIERS_UNIT_NAME, KIND_MARKS_REPORT, &name);
        if (!name)
                return r;
        if (!is_unit_name(name) || unit_name_type(name) != type)
                return kind_complain(c, "Unit must be of type %s, ignoring: %s",
                                     unit_type_name(type), name);
        kind_string_take(field, TAKE(name));
        return 0;
}

// ---- users and groups --------------------------------------------------------------------------

// systemd's relaxed rule (systemd.io, "User/Group Name Syntax"): all names that some distribution's
// tools accept, but none that could be read as a number, a path or a list.
static bool is_user_name(const char *s)
{
        size_t n = strlen(s);
        uid_t id;

        if (n == 0 || n > USER_NAME_MAX || !str_is_utf8(s))
                return false;
        if (strspn(s, "0123456789") == n)
                return parse_uid(s, &id) == 0;
        for (const char *p = s; *p; p++)
                if ((iscntrl((unsigned char)*p) && *p != SPECIFIER_MARK) || strchr(":/", *p))
                        return false;
        if (s[0] == '-' && strspn(s + 1, "0123456789") == n - 1)
                return false;
        return !streq(s, ".") && !streq(s, "..") && !isspace((unsigned char)s[0]) &&
               !isspace((unsigned char)s[n - 1]);
}

static int read_user(const struct parse_context *c, const char *value, char **ret)
{
        CLEANUP(free) char *name = NULL;
        int r = kind_expand(c, value, SPECIFIERS_ALL, KIND_MARKS_KEEP, &name);

        if (!name)
                return r;
        if (!is_user_name(name))
                return kind_complain(c, "Invalid user/group name or numeric ID: %s", name);
        *ret = TAKE(name);
        return 0;
}

static int parse_user(const struct parse_context *c, const char *value, void *field)
{
        char *name = NULL;
        int r = *value ? read_user(c, value, &name) : 0;

        if (name || !*value)
                kind_string_take(field, name);
        return r;
}

static int parse_users(const struct parse_context *c, const char *value, void *field)
{
        CLEANUP(strv) char **words = NULL;
        int r;

        if (!*value) {
                strv_free(*(char ***)field);
                *(char ***)field = NULL;
                return 0;
        }
        r = parse_words(value, PARSE_WORD_UNQUOTE, &words);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return kind_complain_value(c, "names", value);
        STRV_FOREACH (word, words) {
                char *name = NULL;

                r = read_user(c, *word, &name);
                if (name)
                        r = strv_push_take(field, name);
                if (r != 0)
                        return r;
        }
        return 0;
}

// ---- others ------------------------------------------------------------------------------------

static bool is_fdname(const char *s)
{
        for (const char *p = s; *p; p++)
                if (*p < ' ' || *p >= 127 || *p == ':')
                        return false;
        return *s && strlen(s) <= FDNAME_MAX;
}

// The kernel's rule (dev_valid_name), without names that the sysctl tree and unit files cannot use.
static bool is_ifname(const char *s)
{
        size_t n = strlen(s);

        if (n == 0 || n >= IFNAMSIZ || strspn(s, "0123456789") == n)
                return false;
        for (const char *p = s; *p; p++)
                if (*p <= ' ' || *p >= 127 || strchr(":/%", *p))
                        return false;
        return !streq(s, ".") && !streq(s, "..") && !streq(s, "all") && !streq(s, "default");
}

// D-Bus specification, "Bus names": well-known ones.
static bool is_bus_name(const char *s)
{
        size_t n_parts = 1;

        if (strlen(s) > BUS_NAME_MAX)
                return false;
        for (const char *p = s; *p; p++) {
                bool is_first = p == s || p[-1] == '.';

                if (*p == '.') {
                        if (is_first)
                                return false;
                        n_parts++;
                } else if (!isalpha((unsigned char)*p) && *p != '_' && *p != '-' &&
                           (is_first || !isdigit((unsigned char)*p))) {
                        return false;
                }
        }
        return n_parts > 1 && s[strlen(s) - 1] != '.';
}

static int parse_checked(const struct parse_context *c, const char *value,
                         bool (*is_good)(const char *), const char *what, void *field)
{
        CLEANUP(free) char *name = NULL;
        int r;

        if (!*value) {
                kind_string_take(field, NULL);
                return 0;
        }
        r = kind_expand(c, value, SPECIFIERS_ALL, KIND_MARKS_REPORT, &name);
        if (!name)
                return r;
        if (!specifier_has_marks(name) && !is_good(name))
                return kind_complain(c, "Invalid %s, ignoring: %s", what, name);
        kind_string_take(field, TAKE(name));
        return 0;
}

// One name, or a list with colons in between, which systemd takes for an invalid name (difference
// fd-name-list).
static int parse_fdnames(const struct parse_context *c, const char *value, void *field)
{
        CLEANUP(free) char *text = NULL;
        CLEANUP(strv) char **names = NULL;
        bool is_list = difference_applies(DIFFERENCE_FD_NAME_LIST, c->is_compat);
        int r;

        if (!*value) {
                strv_free(TAKE(*(char ***)field));
                return 0;
        }
        r = kind_expand(c, value, SPECIFIERS_ALL, KIND_MARKS_REPORT, &text);
        if (!text)
                return r;
        for (const char *p = text; p; p = *p ? p + 1 : NULL) {
                size_t n = is_list ? strcspn(p, ":") : strlen(p);
                char *name = strndup(p, n);

                if (strv_push_take(&names, name) < 0)
                        return -ENOMEM;
                if (!specifier_has_marks(name) && !is_fdname(name))
                        return kind_complain(c, "Invalid file descriptor name, ignoring: %s", text);
                p += n;
        }
        kind_strv_free(field);
        *(char ***)field = TAKE(names);
        return 0;
}

static int format_fdnames(const struct directive *d UNUSED, const void *field, char ***ret_lines)
{
        char *const *names = *(char **const *)field;
        char *text;

        *ret_lines = NULL;
        if (strv_length(names) == 0)
                return 0;
        text = strv_join(names, ":");
        return text ? strv_push_take(ret_lines, text) : -ENOMEM;
}

static int parse_ifname(const struct parse_context *c, const char *value, void *field)
{
        return parse_checked(c, streq(value, "*") ? "" : value, is_ifname, "interface name", field);
}

static int parse_bus_name(const struct parse_context *c, const char *value, void *field)
{
        return parse_checked(c, value, is_bus_name, "bus name", field);
}

static int format_users(const struct directive *d, const void *field, char ***ret_lines)
{
        return kind_format_words(d, KIND_QUOTE_PLAIN, *(char **const *)field, ret_lines);
}

#define DEFINE_KIND(id, dbus, sort, formatter) \
        const struct kind kind_##id = {        \
                .name = #id,                   \
                .size = sizeof(kind_##id##_t), \
                .signature = dbus,             \
                .parse = parse_##id,           \
                .format = formatter,           \
                .free = sort##_free,           \
                .equal = sort##_equal,         \
                .copy = sort##_copy,           \
        }

DEFINE_KIND(unit_name, "s", kind_string, kind_string_format);
DEFINE_KIND(unit_names, "as", kind_strv, format_unit_names);
DEFINE_KIND(user, "s", kind_string, kind_string_format);
DEFINE_KIND(users, "as", kind_strv, format_users);
DEFINE_KIND(fdnames, "s", kind_strv, format_fdnames);
DEFINE_KIND(ifname, "s", kind_string, kind_string_format);
DEFINE_KIND(bus_name, "s", kind_string, kind_string_format);
