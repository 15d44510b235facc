// edit: changes a drop-in or, with --full, the administrator's copy of a unit file in an editor.
// The file is replaced atomically if the editor has succeeded.
#include "base/fd.h"
#include "base/fs.h"
#include "base/str.h"
#include "base/strv.h"
#include "conf/install.h"
#include "conf/unit_name.h"
#include "ctl/ctl.h"

#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define FILE_MAX ((size_t)1 << 20)
#define DROPIN "override.conf"
#define FIND_EDITOR                                                                          \
        "for e in editor nano vim vi; do command -v $e >/dev/null && exec $e \"$1\"; done; " \
        "exit 127"
#define NEW_DROPIN                                                                        \
        "# What stands here is added to the unit's file, below a [Section] of its own.\n" \
        "# An empty assignment (ListenStream=) takes back what a list had.\n"

static const char *choose_editor(void)
{
        static const char *const variables[] = {"SYSTEMD_EDITOR", "EDITOR", "VISUAL"};

        for (size_t i = 0; i < ARRAY_SIZE(variables); i++) {
                const char *editor = getenv(variables[i]);

                if (!str_is_empty(editor))
                        return editor;
        }
        return NULL;
}

// Runs the editor through the shell, since $EDITOR may contain arguments. 0 or an exit code.
static int run_editor(const char *path)
{
        const char *editor = choose_editor();
        CLEANUP(free)
        char *script = editor ? str_printf("exec %s \"$1\"", editor) : strdup(FIND_EDITOR);
        pid_t pid = script ? fork() : -1;
        int status;

        if (pid == 0) {
                execl("/bin/sh", "sh", "-c", script, "sh", path, (char *)NULL);
                _exit(127);
        }
        if (pid < 0 || waitpid(pid, &status, 0) < 0)
                return client_complain(NULL, -errno, "Failed to start the editor");
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
                return 0;
        fprintf(stderr, "usherctl: The editor failed%s: nothing was changed.\n",
                WIFEXITED(status) && WEXITSTATUS(status) == 127 ? " (is there one? Set $EDITOR)"
                                                                : "");
        return CTL_FAILED;
}

// Does the text contain only blanks and comments?
static bool says_nothing(const char *text)
{
        for (; *text; text += strcspn(text, "\n"), text += *text == '\n') {
                text += strspn(text, " \t");
                if (*text && *text != '\n' && *text != '#' && *text != ';')
                        return false;
        }
        return true;
}

// The path of the edited file. 0 or -errno.
static int choose_path(const struct ctl *c, const char *dir, const char *unit, char **ret)
{
        *ret = c->full ? str_printf("%s%s/%s", c->root ? c->root : "", dir, unit)
                       : str_printf("%s%s/%s.d/" DROPIN, c->root ? c->root : "", dir, unit);
        return *ret ? fs_mkdir_parents(*ret, 0755) : -ENOMEM;
}

// The text with which the editor opens, new string. 0 or -errno.
static int begin_text(const struct ctl *c, const char *path, const char *fragment, char **ret)
{
        int r = fs_read_file(path, FILE_MAX, ret, NULL);

        if (r == -ENOENT && c->full && *fragment)
                r = fs_read_file(fragment, FILE_MAX, ret, NULL);
        else if (r == -ENOENT)
                r = str_set(ret, c->full ? "" : NEW_DROPIN);
        return r;
}

static int edit_file(const char *path, const char *before)
{
        CLEANUP(free) char *draft = str_printf("%s.draft", path);
        CLEANUP(free) char *after = NULL;
        int r = draft ? fs_write_file_atomic(draft, before, 0644) : -ENOMEM;

        if (r < 0)
                return client_complain(NULL, r, "Failed to write %s", draft ? draft : path);
        int code = run_editor(draft);

        if (code == 0) {
                r = fs_read_file(draft, FILE_MAX, &after, NULL);
                if (r == 0 && says_nothing(after)) {
                        fprintf(stderr, "usherctl: %s was left empty: nothing was changed.\n",
                                shown(path));
                } else if (r == 0) {
                        r = fs_write_file_atomic(path, after, 0644);
                }
        }
        (void)fs_unlink(draft, NULL);
        return r < 0 ? client_complain(NULL, r, "Failed to write %s", path) : code;
}

// Chooses the folder of the unit path that is for the administrator's files; with --runtime, the
// one whose files last until the next boot.
static int choose_dir(struct ctl *c, char **ret)
{
        CLEANUP(install) struct install *install = NULL;
        CLEANUP(strv) char **path = NULL;
        int r = offline_unit_path_in_use(c, &path);

        if (r != 0)
                return r;
        const struct install_options options = {.unit_path = path,
                                                .root = c->root,
                                                .trust = offline_trust(c),
                                                .is_runtime = c->runtime};

        r = install_open(&options, &install);
        if (r == 0)
                r = install_get_folder(install, ret);
        return r < 0 ? client_complain(NULL, r, "The unit path has no folder for that") : 0;
}

int verb_edit(struct ctl *c, char **args)
{
        CLEANUP(free) char *dir = NULL;
        int r = choose_dir(c, &dir), code = 0;

        for (; r == 0 && *args; args++) {
                CLEANUP(free) char *unit = NULL;
                CLEANUP(free) char *fragment = NULL;
                CLEANUP(free) char *path = NULL;
                CLEANUP(free) char *text = NULL;

                if (unit_name_mangle(*args, UNIT_SERVICE, &unit) < 0)
                        return client_complain(NULL, -EINVAL, "\"%s\" cannot be a unit name",
                                               *args);
                // With --force, the unit need not exist yet.
                r = c->force ? str_set(&fragment, "") : find_unit_file(c, unit, &fragment);
                if (r != 0)
                        return r;
                r = choose_path(c, dir, unit, &path);
                if (r == 0)
                        r = begin_text(c, path, fragment, &text);
                if (r < 0)
                        return client_complain(NULL, r, "Failed to edit %s", unit);
                code = edit_file(path, text);
                r = code;
        }
        if (r == 0 && !offline_is_meant(c) && !c->no_reload)
                r = verb_daemon_reload(c, args);
        return r;
}
