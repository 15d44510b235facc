// The short-lived process that asks the name services. Its answer comes back through a pipe, as
// fields that each end with a NUL:
//   U uid gid name home shell N gid1 ... gidN     the user that was asked for, if there is one
//   G name gid                                    a group, if there is one
//   E                                             the end: nothing was cut off
#include "spawn/ids_lookup.h"

#include "base/buf.h"
#include "base/fd.h"
#include "base/parse.h"
#include "base/str.h"
#include "base/strv.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/wait.h>

#define ANSWER_SIZE_MAX (256u << 10)

struct ids_lookup {
        pid_t pid; // 0: waited for
        int fd;
        char *user;    // as asked; NULL: none
        char **groups; // as asked
        bool is_read, is_answered;
        bool has_user;
        struct ids_user answer;
        gid_t *gids;
        size_t n_gids;
        char **group_names; // answered
        gid_t *group_gids;
};

// ---- in the process ----------------------------------------------------------------------------

static void put_field(struct buf *b, const char *text)
{
        buf_put(b, text ? text : "", strlen(text ? text : "") + 1);
}

static void put_number(struct buf *b, unsigned n)
{
        buf_printf(b, "%u", n);
        buf_putc(b, '\0');
}

static void ask_user(struct buf *b, const char *user)
{
        static gid_t gids[IDS_GROUPS_MAX];
        int n = IDS_GROUPS_MAX;
        uid_t uid;
        const struct passwd *pw = parse_uid(user, &uid) == 0 ? getpwuid(uid) : getpwnam(user);

        if (!pw)
                return;
        put_field(b, "U");
        put_number(b, pw->pw_uid);
        put_number(b, pw->pw_gid);
        put_field(b, pw->pw_name);
        put_field(b, pw->pw_dir);
        put_field(b, pw->pw_shell);
        if (getgrouplist(pw->pw_name, pw->pw_gid, gids, &n) < 0)
                n = IDS_GROUPS_MAX;
        put_number(b, (unsigned)n);
        for (int i = 0; i < n; i++)
                put_number(b, gids[i]);
}

__attribute__((noreturn)) static void ask(int fd, const char *user, char *const *groups)
{
        CLEANUP(buf) struct buf b = BUF_NULL;
        sigset_t none;

        // The time limit: whatever a name service does, the other end sees the end of file.
        (void)signal(SIGALRM, SIG_DFL);
        (void)signal(SIGPIPE, SIG_DFL);
        (void)alarm(IDS_LOOKUP_TIMEOUT_SEC);
        sigemptyset(&none);
        (void)sigprocmask(SIG_SETMASK, &none, NULL);
        (void)fd_close_from(3, &fd, 1);
        if (user)
                ask_user(&b, user);
        STRV_FOREACH (name, groups) {
                gid_t gid;
                const struct group *gr =
                        parse_uid(*name, &gid) == 0 ? getgrgid(gid) : getgrnam(*name);

                if (!gr)
                        continue;
                put_field(&b, "G");
                put_field(&b, *name);
                put_number(&b, gr->gr_gid);
        }
        put_field(&b, "E");
        if (!b.error)
                (void)fd_write_all(fd, b.data, b.size);
        _exit(0);
}

// ---- outside -----------------------------------------------------------------------------------

int ids_lookup_new(const char *user, char *const *groups, struct ids_lookup **ret)
{
        CLEANUP(ids_lookup) struct ids_lookup *lookup = calloc(1, sizeof(*lookup));
        sigset_t all, before;
        int pipe_fds[2];

        if (!lookup)
                return -ENOMEM;
        lookup->fd = -1;
        if (str_set(&lookup->user, user) < 0 || strv_copy(groups, &lookup->groups) < 0)
                return -ENOMEM;
        if (pipe2(pipe_fds, O_CLOEXEC) < 0)
                return -errno;
        sigfillset(&all);
        sigprocmask(SIG_SETMASK, &all, &before); // no handler of ours may run in the process
        lookup->pid = fork();
        if (lookup->pid == 0)
                ask(pipe_fds[1], user, groups);
        if (lookup->pid < 0) {
                int error = errno;

                lookup->pid = 0;
                sigprocmask(SIG_SETMASK, &before, NULL);
                fd_close(pipe_fds[0]);
                fd_close(pipe_fds[1]);
                return -error;
        }
        sigprocmask(SIG_SETMASK, &before, NULL);
        fd_close(pipe_fds[1]);
        lookup->fd = fd_move_up(pipe_fds[0]);
        if (lookup->fd < 0)
                return lookup->fd;
        *ret = TAKE(lookup);
        return 0;
}

int ids_lookup_fd(const struct ids_lookup *lookup)
{
        return lookup->fd;
}

pid_t ids_lookup_pid(const struct ids_lookup *lookup)
{
        return lookup->pid;
}

// While waitpid() says that it is our child and alive, its pid cannot be another's.
static void end_process(struct ids_lookup *lookup)
{
        if (lookup->pid > 0 && waitpid(lookup->pid, NULL, WNOHANG) == 0) {
                (void)kill(lookup->pid, SIGKILL);
                (void)waitpid(lookup->pid, NULL, 0);
        }
        lookup->pid = 0;
}

void ids_lookup_free(struct ids_lookup *lookup)
{
        if (!lookup)
                return;
        end_process(lookup);
        fd_close(lookup->fd);
        free(lookup->user);
        strv_free(lookup->groups);
        ids_user_done(&lookup->answer);
        free(lookup->gids);
        strv_free(lookup->group_names);
        free(lookup->group_gids);
        free(lookup);
}

// ---- the answer --------------------------------------------------------------------------------

struct reader {
        const char *p, *end;
};

static const char *next_field(struct reader *r)
{
        const char *field = r->p;
        size_t left = (size_t)(r->end - r->p);

        if (left == 0 || !memchr(field, '\0', left))
                return NULL;
        r->p += strlen(field) + 1;
        return field;
}

static int next_number(struct reader *r, uint32_t *ret)
{
        const char *field = next_field(r);

        return field && parse_u32(field, ret) == 0 ? 0 : -EBADMSG;
}

static int next_string(struct reader *r, char **ret)
{
        const char *field = next_field(r);

        if (!field)
                return -EBADMSG;
        return str_set(ret, field[0] ? field : NULL);
}

static int read_user(struct ids_lookup *lookup, struct reader *reader)
{
        uint32_t n;
        int r = next_number(reader, &lookup->answer.uid);

        if (r == 0)
                r = next_number(reader, &lookup->answer.gid);
        if (r == 0)
                r = next_string(reader, &lookup->answer.name);
        if (r == 0)
                r = next_string(reader, &lookup->answer.home);
        if (r == 0)
                r = next_string(reader, &lookup->answer.shell);
        if (r == 0)
                r = next_number(reader, &n);
        if (r < 0)
                return r;
        n = MIN(n, IDS_GROUPS_MAX);
        free(lookup->gids);
        lookup->gids = calloc((size_t)n + 1, sizeof(gid_t));
        if (!lookup->gids)
                return -ENOMEM;
        for (uint32_t i = 0; i < n && r == 0; i++)
                r = next_number(reader, &lookup->gids[i]);
        lookup->n_gids = n;
        lookup->has_user = true;
        return r;
}

static int read_group(struct ids_lookup *lookup, struct reader *reader)
{
        size_t n = strv_length(lookup->group_names);
        const char *name = next_field(reader);
        gid_t gid, *more;
        int r = name ? next_number(reader, &gid) : -EBADMSG;

        if (r < 0)
                return r;
        more = realloc(lookup->group_gids, (n + 1) * sizeof(gid_t));
        if (!more)
                return -ENOMEM;
        lookup->group_gids = more;
        more[n] = gid;
        return strv_push(&lookup->group_names, name);
}

static int read_answer(struct ids_lookup *lookup)
{
        CLEANUP(free) char *data = NULL;
        struct reader reader;
        const char *field;
        size_t size;
        int r = 0;

        if (lookup->is_read)
                return 0;
        r = fd_read_all(lookup->fd, ANSWER_SIZE_MAX, &data, &size);
        if (r < 0)
                return r;
        lookup->is_read = true;
        end_process(lookup);
        reader = (struct reader){data, data + size};
        while (r == 0 && !lookup->is_answered && (field = next_field(&reader))) {
                if (streq(field, "U"))
                        r = read_user(lookup, &reader);
                else if (streq(field, "G"))
                        r = read_group(lookup, &reader);
                else if (streq(field, "E"))
                        lookup->is_answered = true;
                else
                        r = -EBADMSG;
        }
        return r;
}

// 0: there is an answer about what was asked; 1, -ETIMEDOUT, -errno.
static int prepare(struct ids_lookup *lookup, bool is_asked)
{
        int r;

        if (!is_asked)
                return 1;
        r = read_answer(lookup);
        if (r < 0)
                return r;
        return lookup->is_answered ? 0 : -ETIMEDOUT;
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
