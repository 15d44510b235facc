#include "spawn/ids.h"

#include "base/fs.h"
#include "base/parse.h"
#include "base/str.h"
#include "base/strv.h"
#include "spawn/ids_lookup.h"

#include <unistd.h>

#define FILE_SIZE_MAX (16u << 20)
#define FIELDS_MAX 7
#define NOBODY_ID 65534

static const char *passwd_file = "/etc/passwd", *group_file = "/etc/group",
                  *nsswitch_file = "/etc/nsswitch.conf";

void ids_set_files(const char *passwd, const char *group, const char *nsswitch)
{
        passwd_file = passwd ? passwd : "/etc/passwd";
        group_file = group ? group : "/etc/group";
        nsswitch_file = nsswitch ? nsswitch : "/etc/nsswitch.conf";
}

const char *ids_passwd_file(void)
{
        return passwd_file;
}

const char *ids_group_file(void)
{
        return group_file;
}

const char *ids_nsswitch_file(void)
{
        return nsswitch_file;
}

void ids_user_done(struct ids_user *user)
{
        free(user->name);
        free(user->home);
        free(user->shell);
        *user = (struct ids_user){.uid = (uid_t)-1, .gid = (gid_t)-1};
}

// A missing file counts as an empty one.
static int read_file(const char *path, char **ret)
{
        int r = fs_read_file(path, FILE_SIZE_MAX, ret, NULL);

        if (r != -ENOENT)
                return r;
        *ret = strdup("");
        return *ret ? 0 : -ENOMEM;
}

// Splits the next line of *p at the colons in place; returns the number of fields. -1: no line is
// left.
static int next_entry(char **p, char *fields[FIELDS_MAX])
{
        char *line = *p, *end;
        int n = 0;

        if (!*line)
                return -1;
        end = strchrnul(line, '\n');
        *p = *end ? end + 1 : end;
        *end = '\0';
        while (line && n < FIELDS_MAX) {
                fields[n++] = line;
                line = strchr(line, ':');
                if (line)
                        *line++ = '\0';
        }
        return n;
}

static bool is_other_service(const char *word, bool counts_systemd)
{
        // systemd's module only knows dynamic users; it adds no user to local groups.
        return word[0] != '[' && !streq(word, "files") && !streq(word, "compat") &&
               (counts_systemd || !streq(word, "systemd"));
}

// Does nsswitch.conf name another service than the local files for a database? 1, 0, -errno.
static int has_other_services(const char *database, bool counts_systemd)
{
        CLEANUP(free) char *text = NULL;
        CLEANUP(strv) char **lines = NULL;
        int r = read_file(nsswitch_file, &text);

        if (r == 0)
                r = strv_split(text, "\n", &lines);
        if (r < 0)
                return r;
        STRV_FOREACH (line, lines) {
                CLEANUP(strv) char **words = NULL;
                const char *list;

                (*line)[strcspn(*line, "#")] = '\0';
                list = str_after_prefix(str_strip(*line), database);
                if (!list || list[0] != ':')
                        continue;
                r = strv_split(list + 1, " \t", &words);
                if (r < 0)
                        return r;
                STRV_FOREACH (word, words)
                        if (is_other_service(*word, counts_systemd))
                                return 1;
                return 0;
        }
        return 0;
}

static int copy_user(const struct ids_user *from, struct ids_user *ret)
{
        CLEANUP(ids_user) struct ids_user copy = {.uid = from->uid, .gid = from->gid};

        if (str_set(&copy.name, from->name) < 0 || str_set(&copy.home, from->home) < 0 ||
            str_set(&copy.shell, from->shell) < 0)
                return -ENOMEM;
        *ret = copy;
        copy = (struct ids_user){0};
        return 0;
}

// 0, -ESRCH.
static int find_local_user(char *text, const char *name, bool is_number, uid_t uid,
                           struct ids_user *ret)
{
        char *fields[FIELDS_MAX];
        int n;

        while ((n = next_entry(&text, fields)) >= 0) {
                struct ids_user found;

                if (n < 4 || parse_uid(fields[2], &found.uid) < 0 ||
                    parse_uid(fields[3], &found.gid) < 0)
                        continue;
                if (is_number ? found.uid != uid : !streq(fields[0], name))
                        continue;
                found.name = fields[0];
                found.home = n > 5 && fields[5][0] == '/' ? fields[5] : NULL;
                found.shell = n > 6 && fields[6][0] == '/' ? fields[6] : NULL;
                return copy_user(&found, ret);
        }
        return -ESRCH;
}

// Users that systemd knows without an entry (systemd.exec(5), "User="): its built-in answer takes
// precedence.
static int find_built_in(const char *name, bool is_number, uid_t uid, struct ids_user *ret)
{
        const struct ids_user root = {
                0, 0, (char *)"root", (char *)"/root",
                (char *)(access("/bin/bash", X_OK) == 0 ? "/bin/bash" : "/bin/sh")};
        const struct ids_user nobody = {NOBODY_ID, NOBODY_ID, (char *)"nobody", NULL, NULL};

        if (is_number ? uid == 0 : streq(name, "root"))
                return copy_user(&root, ret);
        if (is_number ? uid == NOBODY_ID : streq(name, "nobody"))
                return copy_user(&nobody, ret);
        return -ESRCH;
}

int ids_get_user(const char *name, struct ids_lookup *lookup, struct ids_user *ret)
{
        CLEANUP(free) char *text = NULL;
        const struct ids_user *answer;
        uid_t uid = 0;
        bool is_number = parse_uid(name, &uid) == 0;
        int r = find_built_in(name, is_number, uid, ret);

        if (r != -ESRCH)
                return r;
        r = read_file(passwd_file, &text);
        if (r == 0)
                r = find_local_user(text, name, is_number, uid, ret);
        if (r != -ESRCH)
                return r;
        r = lookup ? ids_lookup_user(lookup, name, &answer) : 1;
        if (r == 0)
                return copy_user(answer, ret);
        if (r == 1)
                r = has_other_services("passwd", true);
        if (r == 1)
                return IDS_NEEDS_LOOKUP;
        return r == 0 ? -ESRCH : r;
}

int ids_get_group(const char *name, struct ids_lookup *lookup, gid_t *ret)
{
        CLEANUP(free) char *text = NULL;
        char *fields[FIELDS_MAX], *p;
        gid_t wanted = 0, gid;
        bool is_number = parse_uid(name, &wanted) == 0;
        int n, r;

        if (is_number ? wanted == 0 : streq(name, "root")) {
                *ret = 0;
                return 0;
        }
        r = read_file(group_file, &text);
        if (r < 0)
                return r;
        p = text;
        while ((n = next_entry(&p, fields)) >= 0)
                if (n >= 3 && parse_uid(fields[2], &gid) == 0 &&
                    (is_number ? gid == wanted : streq(fields[0], name))) {
                        *ret = gid;
                        return 0;
                }
        r = lookup ? ids_lookup_group(lookup, name, ret) : 1;
        if (r != 1)
                return r;
        r = has_other_services("group", true);
        if (r == 1)
                return IDS_NEEDS_LOOKUP;
        return r == 0 ? -ESRCH : r;
}

static bool is_member(char *members, const char *name)
{
        size_t n = strlen(name);

        for (char *p = members; p; p = strchr(p, ',')) {
                p += *p == ',';
                if (strncmp(p, name, n) == 0 && (p[n] == ',' || p[n] == '\0'))
                        return true;
        }
        return false;
}

static bool has_gid(const gid_t *gids, size_t n, gid_t gid)
{
        for (size_t i = 0; i < n; i++)
                if (gids[i] == gid)
                        return true;
        return false;
}

int ids_get_groups(const char *user_name, gid_t primary, struct ids_lookup *lookup, gid_t **ret,
                   size_t *ret_n)
{
        CLEANUP(free) char *text = NULL;
        CLEANUP(free) gid_t *gids = calloc(IDS_GROUPS_MAX, sizeof(gid_t));
        const gid_t *answer = NULL;
        char *fields[FIELDS_MAX], *p;
        size_t n_gids = 0, n_answer = 0;
        int n, r;

        if (!gids)
                return -ENOMEM;
        r = read_file(group_file, &text);
        if (r < 0)
                return r;
        if (lookup)
                r = ids_lookup_groups(lookup, user_name, &answer, &n_answer);
        else
                r = has_other_services("group", false);
        if (r == 1 && !lookup)
                return IDS_NEEDS_LOOKUP;
        // If the name services do not answer, a local user keeps the local groups, as with libc.
        if (r < 0 && r != -ETIMEDOUT && r != -ESRCH)
                return r;
        gids[n_gids++] = primary;
        p = text;
        while ((n = next_entry(&p, fields)) >= 0 && n_gids < IDS_GROUPS_MAX) {
                gid_t gid;

                if (n >= 4 && parse_uid(fields[2], &gid) == 0 && is_member(fields[3], user_name) &&
                    !has_gid(gids, n_gids, gid))
                        gids[n_gids++] = gid;
        }
        for (size_t i = 0; i < n_answer && n_gids < IDS_GROUPS_MAX; i++)
                if (!has_gid(gids, n_gids, answer[i]))
                        gids[n_gids++] = answer[i];
        *ret = TAKE(gids);
        *ret_n = n_gids;
        return 0;
}
