#include "conf/cfgfile_parse.h"

#include "base/fd.h"
#include "base/str.h"
#include "base/strv.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/wait.h>

#include <confuse.h>

#define RECORDS_MAX ((size_t)256 * 1024 * 1024)
#define N_BLOCK_TYPES 3

static const char *const block_types[N_BLOCK_TYPES] = {"socket", "service", "target"};

struct parse {
        struct buf *records;
        bool has_fault;
        unsigned last_line; // of a value
};

// libconfuse gives its callbacks no pointer of ours. Set only while cfgfile_parse() runs.
static struct parse *current;

static void put_field(struct buf *b, const char *s)
{
        buf_put(b, s, strlen(s) + 1);
}

static void put_line(struct buf *b, unsigned line)
{
        buf_printf(b, "%u", line);
        buf_putc(b, '\0');
}

static void put_fault(unsigned line, const char *what, const char *detail)
{
        if (current->has_fault) // the others follow from the first
                return;
        current->has_fault = true;
        buf_putc(current->records, CFGFILE_FAULT);
        put_line(current->records, line);
        buf_puts(current->records, what);
        buf_puts(current->records, detail);
        buf_putc(current->records, '\0');
}

static void on_error(cfg_t *cfg, const char *fmt, va_list args) PRINTF(2, 0);
static void on_error(cfg_t *cfg, const char *fmt, va_list args)
{
        char text[512];
        char *name;

        (void)vsnprintf(text, sizeof(text), fmt, args);
        name = str_after_prefix(text, "no such option ");
        if (name)
                put_fault((unsigned)cfg->line,
                          "No block (socket, service, target), and nothing is assigned to it: ",
                          name);
        else
                put_fault((unsigned)cfg->line, "Syntax error: ", text);
}

// Called for each value, in the order of the file, which libconfuse's own result does not keep.
static int on_value(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
        struct buf *b = current->records;
        const char **kept = result;
        bool is_setting = !cfg->title;

        buf_putc(b, is_setting ? CFGFILE_SETTING : CFGFILE_VALUE);
        if (!is_setting) {
                put_field(b, cfg->name);
                put_field(b, cfg->title);
        }
        put_field(b, opt->name);
        put_field(b, value);
        put_line(b, (unsigned)cfg->line);
        current->last_line = (unsigned)cfg->line;
        *kept = ""; // libconfuse copies it and needs no value
        return b->error == 0 ? 0 : -1;
}

// Puts all blocks, also those without a value.
static void put_blocks(cfg_t *cfg, struct buf *b)
{
        for (size_t i = 0; i < N_BLOCK_TYPES; i++)
                for (unsigned n = 0; n < cfg_size(cfg, block_types[i]); n++) {
                        buf_putc(b, CFGFILE_BLOCK);
                        put_field(b, block_types[i]);
                        put_field(b, cfg_title(cfg_getnsec(cfg, block_types[i], n)));
                }
}

// Declares an option for every assigned name: the table decides later which names exist, with the
// same complaints as for unit files.
static void fill_options(cfg_opt_t *options, char *const *names)
{
        STRV_FOREACH (name, names)
                *options++ = (cfg_opt_t)CFG_STR_LIST_CB(*name, NULL, CFGF_NODEFAULT, on_value);
        *options = (cfg_opt_t)CFG_END();
}

int cfgfile_parse(const struct cfgfile_scan *scan, struct buf *records)
{
        size_t n = strv_length(scan->names);
        CLEANUP(free) cfg_opt_t *in_block = calloc(n + 1, sizeof(cfg_opt_t));
        CLEANUP(free) cfg_opt_t *options = calloc(n + N_BLOCK_TYPES + 1, sizeof(cfg_opt_t));
        struct parse parse = {.records = records};
        cfg_t *cfg;
        int r;

        if (!in_block || !options)
                return -ENOMEM;
        fill_options(in_block, scan->names);
        for (size_t i = 0; i < N_BLOCK_TYPES; i++)
                options[i] = (cfg_opt_t)CFG_SEC(block_types[i], in_block, CFGF_MULTI | CFGF_TITLE);
        fill_options(options + N_BLOCK_TYPES, scan->names);
        cfg = cfg_init(options, CFGF_NONE);
        if (!cfg)
                return -ENOMEM;
        current = &parse;
        cfg_set_error_function(cfg, on_error);
        errno = 0;
        r = cfg_parse_buf(cfg, scan->text);
        if (r == CFG_SUCCESS)
                put_blocks(cfg, records);
        else if (errno !=
                 ENOMEM) // libconfuse refuses an empty string in place of a name without a message
                put_fault(parse.last_line > 0 ? parse.last_line : 1,
                          "Syntax error at this line or below.", "");
        cfg_free(cfg);
        current = NULL;
        if (records->error < 0)
                return records->error;
        return r == CFG_SUCCESS || parse.has_fault ? 0 : -ENOMEM;
}

// ---- the child ---------------------------------------------------------------------------------

static int run_child(const struct cfgfile_scan *scan, int fd)
{
        CLEANUP(buf) struct buf records = BUF_NULL;
        int r = cfgfile_parse(scan, &records);

        if (r >= 0)
                r = fd_write_all(fd, buf_text(&records), records.size);
        return r;
}

// Exit status of the child: 0, or an errno.
static int wait_child(pid_t pid)
{
        int status;

        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        return -errno;
        if (!WIFEXITED(status))
                return -EIO;
        return WEXITSTATUS(status) == 0 ? 0 : WEXITSTATUS(status) == ENOMEM ? -ENOMEM : -EIO;
}

int cfgfile_parse_apart(const struct cfgfile_scan *scan, char **ret_records, size_t *ret_size)
{
        CLEANUP(free) char *records = NULL;
        CLEANUP(fd) int read_end = -1, write_end = -1;
        int ends[2], r, status;
        size_t size = 0;
        pid_t pid;

        if (pipe2(ends, O_CLOEXEC) < 0)
                return -errno;
        read_end = ends[0];
        write_end = ends[1];
        (void)fflush(NULL); // a child that libconfuse ends would write our buffers again
        pid = fork();
        if (pid < 0)
                return -errno;
        if (pid == 0)
                _exit(-run_child(scan, write_end));
        write_end = fd_close(write_end);
        r = fd_read_all(read_end, RECORDS_MAX, &records, &size);
        read_end = fd_close(read_end);
        status = wait_child(pid);
        if (r < 0 || status < 0)
                return r < 0 ? r : status;
        *ret_records = TAKE(records);
        *ret_size = size;
        return 0;
}
