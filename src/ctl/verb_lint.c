// lint: loads units as usherd does and prints all complaints. It needs no usherd.
#include "conf/lint.h"

#include "base/buf.h"
#include "base/str.h"
#include "base/strv.h"
#include "conf/unit_name.h"
#include "ctl/ctl.h"

#include <stdio.h>

struct printer {
        struct diag diag;
        const struct ctl *c;
        struct buf json;
};

static void put_json(struct buf *b, const struct diag_entry *entry)
{
        static const char *const levels[] = {
                [DIAG_NOTICE] = "notice", [DIAG_WARNING] = "warning", [DIAG_ERROR] = "error"};

        json_list_next(b);
        json_begin(b);
        json_field(b, "level", levels[entry->class]);
        json_field(b, "unit", entry->unit);
        json_field(b, "file", entry->file);
        if (entry->line > 0)
                json_number(b, "line", entry->line);
        json_field(b, "message", entry->text);
        json_end(b);
}

static void on_entry(struct diag *diag, const struct diag_entry *entry)
{
        struct printer *p = diag->data;
        char text[2048];

        if (p->c->quiet && entry->class != DIAG_ERROR)
                return;
        if (p->c->output == OUTPUT_SHORT)
                fprintf(stderr, "%s%s\n", shown(diag_format(entry, text, sizeof(text))),
                        entry->class == DIAG_NOTICE ? " (notice)" : "");
        else
                put_json(&p->json, entry);
}

// Checks all units of the folders. If there are none, the command fails, since it checked nothing.
static int lint_folders(struct lint *lint, char *const *path)
{
        int n = lint_all(lint);

        if (n != 0)
                return n;
        CLEANUP(free) char *folders = strv_join(path, ", ");

        fprintf(stderr,
                "usherctl: there is no unit file in %s; name a file, or folders with --units\n",
                folders ? folders : "the unit path");
        return -ENOENT;
}

int verb_lint(struct ctl *c, char **args)
{
        CLEANUP(strv) char **path = NULL;
        CLEANUP(lint) struct lint *lint = NULL;
        struct printer p = {.diag = {.emit = on_entry, .data = &p}, .c = c};
        CLEANUP(settings) struct settings settings;
        int r = offline_unit_path_in_use(c, &path);

        offline_settings(c, &settings);
        if (r != 0)
                return r;
        const struct lint_options options = {
                .unit_path = path,
                .is_user = offline_is_user(c),
                .compat_systemd = c->compat || settings.compat_systemd,
                .settings = &settings,
                .trust = offline_trust(c),
                .diag = &p.diag,
        };

        r = lint_new(&options, &lint);
        if (r < 0)
                return client_complain(NULL, r, "Failed to read the unit path");
        if (!*args)
                r = lint_folders(lint, path);
        for (; r >= 0 && *args; args++) {
                if (strchr(*args, '/')) {
                        r = lint_file(lint, *args);
                } else {
                        CLEANUP(free) char *name = NULL;

                        r = unit_name_mangle(*args, UNIT_SERVICE, &name);
                        if (r == 0)
                                r = lint_unit(lint, name);
                }
                if (r < 0) {
                        buf_done(&p.json);
                        return client_complain(NULL, r, "%s", *args);
                }
        }
        if (r >= 0 && c->output != OUTPUT_SHORT)
                json_list_print(&p.json);
        buf_done(&p.json);
        if (r == -ENOENT)
                return CTL_FAILED;
        if (r < 0)
                return client_complain(NULL, r, "Failed to check");
        // Only errors count, as with systemd-analyze verify; a directive that is skipped is no
        // error.
        return p.diag.errors > 0 ? CTL_FAILED : CTL_OK;
}
