// The parts of a plan that depend on files which a unit names: the texts of EnvironmentFile=, and
// the location of programs given without a path. One inquiry (base/inquiry.h) answers all of these,
// since such a path may lead to a file system that does not answer.
//
// The answer: for each EnvironmentFile= its identity (not for a pattern) and the number of texts,
// followed by these, or -errno and its subject. Then for each program, folder by folder until it is
// found: the folder's identity, 1 or 0, and for 1 the program's.
#include "base/fd.h"
#include "base/fs.h"
#include "base/local.h"
#include "base/str.h"
#include "base/strv.h"
#include "conf/directive.h"
#include "spawn/envfile.h"
#include "spawn/step.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#define TEXTS_MAX (8u << 20) // bytes; no program can be started with that much environment

static const char *const default_search_path[] = {
        "/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin", NULL,
};

struct plan_question {
        const struct spawn_plan *plan;
        const char **patterns; // of EnvironmentFile=, as many as the conf has
        const char **folders;  // NULL-terminated
        const struct exec_command **programs;
        const char **names; // of programs
        size_t n_programs;
};

// ---- identity of a file

// Files that the supervisor itself depends on are examined directly: if passwd(5) did not answer,
// the supervisor would hang at many other places.
static void look(struct plan_file *file)
{
        struct stat st;
        bool is_safe;
        CLEANUP(fd) int fd = file->is_system ? -1 : fs_open_judged(file->path, O_PATH, &is_safe);

        file->is_missing =
                file->is_system ? stat(file->path, &st) < 0 : fd < 0 || fstat(fd, &st) < 0;
        if (file->is_missing)
                return;
        file->dev = st.st_dev;
        file->ino = st.st_ino;
        file->size = st.st_size;
        file->mtime_sec = st.st_mtim.tv_sec;
        file->mtime_nsec = st.st_mtim.tv_nsec;
}

static bool has_changed(const struct plan_file *file)
{
        struct plan_file now = {.path = file->path, .is_system = file->is_system};

        look(&now);
        if (now.is_missing || file->is_missing)
                return now.is_missing != file->is_missing;
        return now.dev != file->dev || now.ino != file->ino || now.size != file->size ||
               now.mtime_sec != file->mtime_sec || now.mtime_nsec != file->mtime_nsec;
}

static int watch_as(struct spawn_plan *plan, const char *path, const struct plan_file *seen)
{
        struct plan_file *more;

        for (size_t i = 0; i < plan->n_files; i++)
                if (streq(plan->files[i].path, path))
                        return 0;
        if (plan->n_files >= PLAN_FILES_MAX)
                return -E2BIG;
        more = realloc(plan->files, (plan->n_files + 1) * sizeof(*more));
        if (!more)
                return -ENOMEM;
        plan->files = more;
        more[plan->n_files] = *seen;
        more[plan->n_files].path = strdup(path);
        return more[plan->n_files].path ? (int)(plan->n_files++, 0) : -ENOMEM;
}

int plan_watch_system(struct spawn_plan *plan, const char *path)
{
        struct plan_file file = {.path = (char *)path, .is_system = true};

        look(&file);
        return watch_as(plan, path, &file);
}

bool spawn_plan_is_stale(const struct spawn_plan *plan)
{
        bool was_only, is_stale = plan->is_always_stale || !spawn_plan_has_environment(plan);

        if (is_stale || plan->n_files == 0)
                return is_stale;
        was_only = local_only_set(true);
        for (size_t i = 0; i < plan->n_files && !is_stale; i++)
                is_stale = has_changed(&plan->files[i]);
        is_stale |= local_was_refused(); // cannot be checked here: ask everything again
        (void)local_only_set(was_only);
        return is_stale;
}

// ---- the work

static void put_identity(struct inquiry_answer *answer, const char *path)
{
        struct plan_file file = {.path = (char *)path};

        look(&file);
        inquiry_put_number(answer, file.is_missing);
        inquiry_put_number(answer, (int64_t)file.dev);
        inquiry_put_number(answer, (int64_t)file.ino);
        inquiry_put_number(answer, file.size);
        inquiry_put_number(answer, file.mtime_sec);
        inquiry_put_number(answer, file.mtime_nsec);
}

static bool is_pattern(const char *path)
{
        return strpbrk(path, "*?[{") != NULL;
}

// The file's identity is taken before it is read, so that a change in between is noticed.
static void put_environment(struct inquiry_answer *answer, const char *pattern, bool missing_ok)
{
        CLEANUP(strv) char **texts = NULL;
        struct fail why = {0};

        if (!is_pattern(pattern))
                put_identity(answer, pattern);
        int r = envfile_read(pattern, missing_ok, &texts, &why);

        STRV_FOREACH (text, texts)
                if (answer->fields.size + strlen(*text) > TEXTS_MAX)
                        r = fail_set(&why, E2BIG, NULL, "%s", pattern);
        inquiry_put_number(answer, r < 0 ? r : (int64_t)strv_length(texts));
        if (r < 0)
                inquiry_put_field(answer, why.detail);
        else
                STRV_FOREACH (text, texts)
                        inquiry_put_field(answer, *text);
}

static bool is_program(const char *path)
{
        bool is_safe;
        char link[32];
        struct stat st;
        CLEANUP(fd) int fd = fs_open_judged(path, O_PATH, &is_safe);

        if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
                return false;
        (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        return access(link, X_OK) == 0;
}

static void put_program(struct inquiry_answer *answer, const char *const *folders, const char *name)
{
        for (size_t i = 0; folders[i]; i++) {
                CLEANUP(free) char *path = fs_path_join(folders[i], name);

                if (!path) {
                        answer->fields.error = -ENOMEM;
                        return;
                }
                put_identity(answer, folders[i]);
                bool is_found = is_program(path);

                inquiry_put_number(answer, is_found);
                if (is_found) {
                        put_identity(answer, path);
                        return;
                }
        }
}

static void read_files(struct inquiry_answer *answer, const void *question)
{
        const struct plan_question *q = question;
        const struct environment_file_list *list = &q->plan->conf->exec->environment_file;

        for (size_t i = 0; i < list->n; i++)
                put_environment(answer, q->patterns[i], list->items[i].missing_ok);
        for (size_t i = 0; i < q->n_programs; i++)
                put_program(answer, q->folders, q->names[i]);
}

// ---- the question

void plan_question_free(struct plan_question *q)
{
        if (!q)
                return;
        free(q->patterns);
        free(q->folders);
        free(q->programs);
        free(q->names);
        free(q);
}

static bool has_marks(const struct exec_command *command)
{
        if (specifier_has_marks(command->path))
                return true;
        STRV_FOREACH (word, command->argv)
                if (specifier_has_marks(*word))
                        return true;
        return false;
}

static int find_program(struct spawn_plan *plan, struct plan_question *q,
                        const struct exec_command *command)
{
        const char *name;
        int r = command->path[0] == '/' ? 1 : plan_text(plan, command->path, &name);

        plan->has_command_marks |= has_marks(command);
        if (r < 0)
                return r;
        if (r > 0 || name[0] == '/')
                return 0;
        q->names[q->n_programs] = name;
        q->programs[q->n_programs++] = command;
        return 0;
}

static int find_programs(struct spawn_plan *plan, struct plan_question *q)
{
        const struct command_list *list;
        size_t most = 0;
        int r = 0;

        for (size_t position = 0; (list = directive_next_commands(plan->conf, &position, NULL));)
                most += list->n;
        q->programs = calloc(most + 1, sizeof(*q->programs));
        q->names = calloc(most + 1, sizeof(*q->names));
        if (!q->programs || !q->names)
                return -ENOMEM;
        for (size_t position = 0; (list = directive_next_commands(plan->conf, &position, NULL));)
                for (size_t i = 0; i < list->n && r == 0; i++)
                        r = find_program(plan, q, &list->items[i]);
        return r;
}

static int fill_folders(struct spawn_plan *plan, struct plan_question *q)
{
        char *const *folders = plan->conf->exec->exec_search_path;
        size_t n = 0;
        int r = 0;

        if (!folders)
                folders = (char *const *)default_search_path;
        q->folders = calloc(strv_length(folders) + 1, sizeof(*q->folders));
        if (!q->folders)
                return -ENOMEM;
        STRV_FOREACH (folder, folders)
                if (r == 0)
                        r = plan_text(plan, *folder, &q->folders[n++]);
        return r;
}

static int make_question(struct spawn_plan *plan, struct plan_question *q)
{
        const struct environment_file_list *list = &plan->conf->exec->environment_file;
        int r = 0;

        q->plan = plan;
        q->patterns = calloc(list->n + 1, sizeof(*q->patterns));
        if (!q->patterns)
                return -ENOMEM;
        for (size_t i = 0; i < list->n && r == 0; i++)
                r = plan_text(plan, list->items[i].path, &q->patterns[i]);
        if (r == 0)
                r = find_programs(plan, q);
        return r < 0 ? r : fill_folders(plan, q);
}

int plan_ask_files(struct spawn_plan *plan, struct plan_question **ret,
                   struct inquiry **ret_inquiry)
{
        struct plan_question *q = calloc(1, sizeof(*q));
        int r = q ? make_question(plan, q) : -ENOMEM;

        if (r == 0)
                r = inquiry_try(read_files, q, ret_inquiry);
        if (r < 0)
                plan_question_free(q);
        else
                *ret = q;
        return r;
}

// ---- the answer

static int take_identity(struct spawn_plan *plan, const char *path, struct inquiry *answer)
{
        struct plan_file file = {0};
        int64_t n[6];

        for (size_t i = 0; i < ARRAY_SIZE(n); i++)
                if (inquiry_next_number(answer, &n[i]) < 0)
                        return -EBADMSG;
        file.is_missing = n[0] != 0;
        file.dev = (uint64_t)n[1];
        file.ino = (uint64_t)n[2];
        file.size = n[3];
        file.mtime_sec = n[4];
        file.mtime_nsec = n[5];
        return watch_as(plan, path, &file);
}

int plan_take_environment(struct spawn_plan *plan, const struct plan_question *q, size_t i,
                          struct inquiry *answer, char ***env, struct fail *why)
{
        int64_t n = 0;
        int r = 0;

        // The pattern may match other files next time.
        if (is_pattern(q->patterns[i]))
                plan->is_always_stale = true;
        else
                r = take_identity(plan, q->patterns[i], answer);
        if (r == 0)
                r = inquiry_next_number(answer, &n);
        if (r < 0)
                return r;
        if (n < 0) {
                const char *detail = inquiry_next_field(answer);

                return fail_set(why, (int)n, "read environment file", "%s", detail ? detail : "");
        }
        for (; n > 0 && r == 0; n--) {
                const char *text = inquiry_next_field(answer);

                r = text ? envfile_parse(text, strlen(text), env) : -EBADMSG;
        }
        return r;
}

static int take_program(struct spawn_plan *plan, const struct plan_question *q, size_t i,
                        struct inquiry *answer)
{
        for (const char **folder = q->folders; *folder; folder++) {
                int64_t is_found = 0;
                int r = take_identity(plan, *folder, answer);

                if (r == 0)
                        r = inquiry_next_number(answer, &is_found);
                if (r < 0)
                        return r;
                if (!is_found)
                        continue;
                CLEANUP(free) char *path = fs_path_join(*folder, q->names[i]);

                r = path ? take_identity(plan, path, answer) : -ENOMEM;
                return r < 0 ? r : plan_add_command(plan, q->programs[i], path, false);
        }
        plan->is_always_stale = true; // it may appear anywhere next time
        return plan_add_command(plan, q->programs[i], q->names[i], true);
}

int plan_take_programs(struct spawn_plan *plan, const struct plan_question *q,
                       struct inquiry *answer)
{
        int r = 0;

        for (size_t i = 0; i < q->n_programs && r == 0; i++)
                r = take_program(plan, q, i, answer);
        return r;
}
