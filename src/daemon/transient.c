#include "daemon/transient.h"

#include "base/buf.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/str.h"
#include "base/strv.h"
#include "conf/lint.h"
#include "conf/unit_name.h"

// Appends a word of ExecStart=, escaped so that it is taken literally.
static void put_word(struct buf *b, const char *word)
{
        buf_puts(b, " \"");
        for (const char *c = word; *c; c++)
                if ((unsigned char)*c < ' ' || *c == 0x7f)
                        buf_printf(b, "\\x%02x", (unsigned char)*c);
                else if (*c == '"' || *c == '\\')
                        buf_printf(b, "\\%c", *c);
                else if (*c == '%' || *c == '$')
                        buf_printf(b, "%c%c", *c, *c);
                else
                        buf_putc(b, *c);
        buf_putc(b, '"');
}

// Appends a value, in which a % must be doubled so that it is no specifier.
static void put_value(struct buf *b, const char *value)
{
        for (const char *c = value; *c; c++) {
                if (*c == '%')
                        buf_putc(b, '%');
                buf_putc(b, *c);
        }
        buf_putc(b, '\n');
}

static int write_unit(const char *dir, const char *name, struct buf *text)
{
        CLEANUP(free) char *path = fs_path_join(dir, name);

        if (!path)
                return -ENOMEM;
        return text->error ? text->error : fs_write_file_atomic(path, buf_text(text), 0644);
}

static int put_program(struct buf *b, const char *program, const char *cwd)
{
        CLEANUP(free) char *path = NULL;

        buf_puts(b, "ExecStart=");
        // A path is relative to our working directory; a bare name is searched for at the start.
        if (strchr(program, '/') && program[0] != '/') {
                path = fs_path_join(cwd, program);
                if (!path)
                        return -ENOMEM;
                program = path;
        }
        put_word(b, program);
        return 0;
}

// The unit of the i-th name: NAME.socket, NAME-2.socket, ...
static void put_socket_name(struct buf *b, const char *name, size_t i)
{
        buf_puts(b, name);
        if (i > 0)
                buf_printf(b, "-%zu", i + 1);
        buf_puts(b, ".socket");
}

// The descriptors come in the order of the command line.
static void put_sockets(struct buf *b, const struct options *o, const char *name)
{
        buf_puts(b, "Sockets=");
        for (size_t i = 0; i < transient_n_sockets(o); i++) {
                buf_puts(b, i > 0 ? " " : "");
                put_socket_name(b, name, i);
        }
        buf_putc(b, '\n');
}

static int write_service(const struct options *o, const char *dir, const char *name)
{
        CLEANUP(buf) struct buf b = BUF_NULL;
        CLEANUP(free) char *cwd = getcwd(NULL, 0);

        if (!cwd)
                return -errno;
        buf_puts(&b, "[Unit]\nDescription=");
        put_value(&b, o->command[0]);
        if (o->accept)
                buf_puts(&b, "CollectMode=inactive-or-failed\n");
        buf_puts(&b, "[Service]\n");
        int r = put_program(&b, o->command[0], cwd);

        if (r < 0)
                return r;
        for (char **word = o->command + 1; *word; word++)
                put_word(&b, *word);
        buf_puts(&b, "\nWorkingDirectory=-");
        put_value(&b, cwd);
        if (!o->accept)
                put_sockets(&b, o, name);
        if (o->inetd)
                buf_puts(&b, "StandardInput=socket\nStandardError=journal\n");
        CLEANUP(free) char *file = str_printf("%s%s.service", name, o->accept ? "@" : "");

        return file ? write_unit(dir, file, &b) : -ENOMEM;
}

static void put_socket(struct buf *b, const struct options *o, const char *name, const char *fdname)
{
        buf_printf(b, "[Unit]\nDescription=Sockets of %s\n[Socket]\nRemoveOnStop=yes\n", name);
        if (fdname) {
                buf_puts(b, "FileDescriptorName=");
                put_value(b, fdname);
        }
        if (o->accept)
                buf_puts(b, "Accept=yes\n");
}

static void put_listen(struct buf *b, const struct options *o, const char *address)
{
        buf_printf(b, "%s=", o->listen_key ? o->listen_key : "ListenStream");
        put_value(b, address);
}

static int write_sockets(const struct options *o, const char *dir, const char *name)
{
        size_t n = transient_n_sockets(o);

        // A descriptor's name belongs to its socket unit: one unit for each.
        for (size_t i = 0; i < n; i++) {
                CLEANUP(buf) struct buf b = BUF_NULL, file = BUF_NULL;

                put_socket_name(&file, name, i);
                put_socket(&b, o, name, o->fdnames ? o->fdnames[i] : NULL);
                for (size_t k = n > 1 ? i : 0; n > 1 ? k == i : o->listen[k] != NULL; k++)
                        put_listen(&b, o, o->listen[k]);
                if (i > 0 && !o->accept)
                        buf_printf(&b, "Service=%s.service\n", name);
                int r = file.error ? file.error : write_unit(dir, buf_text(&file), &b);

                if (r < 0)
                        return r;
        }
        return 0;
}

// ---- checks before the start

static void on_complaint(struct diag *diag UNUSED, const struct diag_entry *entry)
{
        // The entry names a file that usherd has generated, so only its text is printed.
        if (entry->class != DIAG_NOTICE)
                log_write(LOG_ERR, "run: %s", entry->text);
}

// Checks that the units are valid and that the program exists. 0, COMPLAINED or -errno.
static int check_units(const struct options *o, const char *dir)
{
        char *path[] = {(char *)dir, NULL};
        struct diag diag = {.emit = on_complaint};
        const struct lint_options options = {.unit_path = path,
                                             .is_user = geteuid() != 0,
                                             .compat_systemd = o->compat_systemd,
                                             .trust = TRUST_ALL,
                                             .diag = &diag};
        CLEANUP(lint) struct lint *lint = NULL;
        int r = lint_new(&options, &lint);

        if (r == 0)
                r = lint_all(lint);
        return r < 0 ? r : diag.warnings + diag.errors > 0 ? COMPLAINED : 0;
}

unsigned transient_n_sockets(const struct options *o)
{
        return (unsigned)MAX(strv_length(o->fdnames), (size_t)1);
}

int transient_write(const struct options *o, const char *dir)
{
        CLEANUP(free) char *name = NULL, *socket = NULL;
        int r;

        if (o->accept && strv_length(o->fdnames) > 1) {
                log_write(LOG_ERR, "run: several --fdname have no use with --accept: a connection "
                                   "is one descriptor");
                return COMPLAINED;
        }
        r = o->name ? str_set(&name, o->name)
                    : unit_name_escape(fs_path_basename(o->command[0]), false, &name);
        if (r < 0)
                return r;
        socket = str_printf("%s.socket", name);
        if (!socket)
                return -ENOMEM;
        if (!unit_name_is_valid(socket) || strchr(name, '@')) {
                log_write(LOG_ERR, "run: %s cannot be the name of a unit", name);
                return COMPLAINED;
        }
        r = fs_mkdir_p(dir, 0755);
        if (r == 0)
                r = write_service(o, dir, name);
        if (r == 0)
                r = write_sockets(o, dir, name);
        return r < 0 ? r : check_units(o, dir);
}
