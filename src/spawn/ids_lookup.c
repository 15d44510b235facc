// What the name services say about a user and groups, asked by an inquiry. Fields of the
// answer:
//   U uid gid name home shell N gid1 ... gidN     the user that was asked for, if there is one
//   G name gid                                    a group, if there is one
#include "spawn/ids_lookup.h"

#include "base/inquiry.h"
#include "base/parse.h"
#include "base/str.h"
#include "base/strv.h"

#include <grp.h>
#include <pwd.h>

struct ids_lookup {
        struct inquiry *inquiry;
        char *user;    // as requested; NULL: none
        char **groups; // as requested
        bool is_read;
        int error; // of reading the answer
        bool has_user;
        struct ids_user answer;
        gid_t *gids;
        size_t n_gids;
        char **group_names; // answered
        gid_t *group_gids;
};

// ---- in the process ----------------------------------------------------------------------------

static void ask_user(struct inquiry_answer *b, const char *user)
{
        static gid_t gids[IDS_GROUPS_MAX];
        int n = IDS_GROUPS_MAX;
        uid_t uid;
        const struct passwd *pw = parse_uid(user, &uid) == 0 ? getpwuid(uid) : getpwnam(user);

        if (!pw)
                return;
        inquiry_put_field(b, "U");
        inquiry_put_number(b, pw->pw_uid);
        inquiry_put_number(b, pw->pw_gid);
        inquiry_put_field(b, pw->pw_name);
        inquiry_put_field(b, pw->pw_dir);
        inquiry_put_field(b, pw->pw_shell);
        if (getgrouplist(pw->pw_name, pw->pw_gid, gids, &n) < 0)
                n = IDS_GROUPS_MAX;
        inquiry_put_number(b, n);
        for (int i = 0; i < n; i++)
                inquiry_put_number(b, gids[i]);
}

static void ask(struct inquiry_answer *answer, const void *question)
{
        const struct ids_lookup *lookup = question;

        if (lookup->user)
                ask_user(answer, lookup->user);
        STRV_FOREACH (name, lookup->groups) {
                gid_t gid;
                const struct group *gr =
                        parse_uid(*name, &gid) == 0 ? getgrgid(gid) : getgrnam(*name);

                if (!gr)
                        continue;
                inquiry_put_field(answer, "G");
                inquiry_put_field(answer, *name);
                inquiry_put_number(answer, gr->gr_gid);
        }
}

// ---- outside -----------------------------------------------------------------------------------

static int lookup_new(const char *user, char *const *groups, struct ids_lookup **ret)
{
        CLEANUP(ids_lookup) struct ids_lookup *lookup = calloc(1, sizeof(*lookup));

        if (!lookup || str_set(&lookup->user, user) < 0 || strv_copy(groups, &lookup->groups) < 0)
                return -ENOMEM;
        *ret = TAKE(lookup);
        return 0;
}

int ids_lookup_new(const char *user, char *const *groups, struct ids_lookup **ret)
{
        CLEANUP(ids_lookup) struct ids_lookup *lookup = NULL;
        int r = lookup_new(user, groups, &lookup);

        if (r == 0)
                r = inquiry_new(ask, lookup, NULL, &lookup->inquiry);
        if (r == 0)
                *ret = TAKE(lookup);
        return r;
}

int ids_lookup_new_answered(const char *user, char *const *groups, const char *answer, size_t size,
                            struct ids_lookup **ret)
{
        CLEANUP(ids_lookup) struct ids_lookup *lookup = NULL;
        int r = lookup_new(user, groups, &lookup);

        if (r == 0)
                r = inquiry_new_answered(answer, size, &lookup->inquiry);
        if (r == 0)
                *ret = TAKE(lookup);
        return r;
}

struct inquiry *ids_lookup_inquiry(const struct ids_lookup *lookup)
{
        return lookup->inquiry;
}

void ids_lookup_free(struct ids_lookup *lookup)
{
        if (!lookup)
                return;
        inquiry_free(lookup->inquiry);
        free(lookup->user);
        strv_free(lookup->groups);
        ids_user_done(&lookup->answer);
        free(lookup->gids);
        strv_free(lookup->group_names);
        free(lookup->group_gids);
        free(lookup);
}

// ---- the answer --------------------------------------------------------------------------------

static int next_number(struct inquiry *h, uint32_t *ret)
{
        const char *field = inquiry_next_field(h);

        return field && parse_u32(field, ret) == 0 ? 0 : -EBADMSG;
}

// An id that the kernel treats as "unchanged" (setting it would keep root's) comes from a broken
// name service: 1. 0 and *ret, -EBADMSG.
static int next_id(struct inquiry *h, uint32_t *ret)
{
        const char *field = inquiry_next_field(h);
        uint32_t id;

        if (!field || parse_u32(field, &id) < 0)
                return -EBADMSG;
        return parse_uid(field, ret) < 0 ? 1 : 0;
}

static int next_string(struct inquiry *h, char **ret)
{
        const char *field = inquiry_next_field(h);

        if (!field)
                return -EBADMSG;
        return str_set(ret, field[0] ? field : NULL);
}

static int next_path(struct inquiry *h, char **ret)
{
        int r = next_string(h, ret);

        if (r == 0 && *ret && **ret != '/')
                r = str_set(ret, NULL);
        return r;
}

static int read_gids(struct ids_lookup *lookup, struct inquiry *reader)
{
        uint32_t n;
        int r = next_number(reader, &n);

        if (r < 0)
                return r;
        n = MIN(n, IDS_GROUPS_MAX);
        free(lookup->gids);
        lookup->n_gids = 0;
        lookup->gids = calloc((size_t)n + 1, sizeof(gid_t));
        if (!lookup->gids)
                return -ENOMEM;
        for (uint32_t i = 0; i < n && r >= 0; i++) {
                r = next_id(reader, &lookup->gids[lookup->n_gids]);
                lookup->n_gids += r == 0;
        }
        return MIN(r, 0);
}

static int read_user(struct ids_lookup *lookup, struct inquiry *reader)
{
        struct ids_user *u = &lookup->answer;
        int has_uid = next_id(reader, &u->uid);
        int has_gid = has_uid < 0 ? has_uid : next_id(reader, &u->gid);
        int r = MIN(has_gid, 0);

        if (r == 0)
                r = next_string(reader, &u->name);
        if (r == 0)
                r = next_path(reader, &u->home);
        if (r == 0)
                r = next_path(reader, &u->shell);
        if (r == 0)
                r = read_gids(lookup, reader);
        lookup->has_user = r == 0 && u->name && has_uid == 0 && has_gid == 0;
        return r;
}

static int read_group(struct ids_lookup *lookup, struct inquiry *reader)
{
        size_t n = strv_length(lookup->group_names);
        const char *name = inquiry_next_field(reader);
        gid_t gid, *more;
        int r = name ? next_id(reader, &gid) : -EBADMSG;

        if (r != 0)
                return MIN(r, 0);
        more = realloc(lookup->group_gids, (n + 1) * sizeof(gid_t));
        if (!more)
                return -ENOMEM;
        lookup->group_gids = more;
        more[n] = gid;
        return strv_push(&lookup->group_names, name);
}

static int read_answer(struct ids_lookup *lookup)
{
        const char *field;
        int r = lookup->is_read ? lookup->error : inquiry_read(lookup->inquiry);

        if (r < 0 || lookup->is_read)
                return r;
        lookup->is_read = true;
        while (r == 0 && (field = inquiry_next_field(lookup->inquiry)))
                r = streq(field, "U")   ? read_user(lookup, lookup->inquiry)
                    : streq(field, "G") ? read_group(lookup, lookup->inquiry)
                                        : -EBADMSG;
        return lookup->error = r;
}

// 0: there is an answer for this request; 1, -ETIMEDOUT, -errno.
static int prepare(struct ids_lookup *lookup, bool is_asked)
{
        return is_asked ? read_answer(lookup) : 1;
}

int ids_lookup_user(struct ids_lookup *lookup, const char *name, const struct ids_user **ret)
{
        int r = prepare(lookup, str_eq_ptr(lookup->user, name));

        if (r != 0)
                return r;
        if (!lookup->has_user)
                return -ESRCH;
        *ret = &lookup->answer;
        return 0;
}

int ids_lookup_groups(struct ids_lookup *lookup, const char *user_name, const gid_t **ret,
                      size_t *ret_n)
{
        int r = prepare(lookup, lookup->user != NULL);

        if (r != 0)
                return r;
        if (!lookup->has_user || !str_eq_ptr(lookup->answer.name, user_name))
                return 1;
        *ret = lookup->gids;
        *ret_n = lookup->n_gids;
        return 0;
}

int ids_lookup_group(struct ids_lookup *lookup, const char *name, gid_t *ret)
{
        int r = prepare(lookup, strv_contains(lookup->groups, name));

        if (r != 0)
                return r;
        for (size_t i = 0; i < strv_length(lookup->group_names); i++)
                if (streq(lookup->group_names[i], name)) {
                        *ret = lookup->group_gids[i];
                        return 0;
                }
        return -ESRCH;
}
