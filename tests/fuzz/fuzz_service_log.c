// First byte: SyslogLevelPrefix= and LogLevelMax=; then what a service prints: pieces that each
// begin with their size in two bytes.
#include "core/service/service_log.h"

#include "base/buf.h"
#include "base/str.h"
#include "conf/assign.h"
#include "fuzz/manager.h"

#include <sys/mman.h>

#define EXACT_MAX 4096 // longer lines may go out in parts
#define OUTPUT_MAX (256 * 1024)

static struct buf lines; // as the hook saw them: a level and a text, each with its NUL

static void on_line(const struct log_line *line, void *data)
{
        (void)data;
        buf_printf(&lines, "%d", line->level);
        buf_putc(&lines, '\0');
        buf_put(&lines, line->text, strlen(line->text) + 1);
}

static struct unit_conf *make_conf(bool has_prefixes, unsigned max)
{
        static const char *const levels[] = {"debug", "info", "err", "emerg"};
        CLEANUP(conf_builder) struct conf_builder *b = NULL;
        struct specifier_context specifiers = {.unit_name = "a.service"};
        struct unit_conf *conf;

        assert(conf_builder_new("a.service", UNIT_SERVICE, &specifiers, NULL, &b) == 0);
        assert(conf_builder_assign(b, "Service", "SyslogLevelPrefix", has_prefixes ? "yes" : "no",
                                   "f", 1) == 0);
        assert(conf_builder_assign(b, "Service", "LogLevelMax", levels[max % 4], "f", 1) == 0);
        assert(conf_builder_finish(b, &conf) == 0);
        return conf;
}

// Standard error for a while: what the log writes there can be read again.
static int stderr_file = -1, stderr_saved = -1;

static void divert_stderr(void)
{
        assert(ftruncate(stderr_file, 0) == 0 && lseek(stderr_file, 0, SEEK_SET) == 0);
        stderr_saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 100);
        assert(stderr_saved >= 0 && dup2(stderr_file, STDERR_FILENO) == STDERR_FILENO);
}

static char *restore_stderr(void)
{
        off_t size = lseek(stderr_file, 0, SEEK_END);
        char *text = malloc((size_t)size + 1);

        (void)dup2(stderr_saved, STDERR_FILENO);
        close(stderr_saved);
        assert(text && pread(stderr_file, text, (size_t)size, 0) == size);
        text[size] = '\0';
        return text;
}

// ---- what must come out

struct expected {
        const char *next; // in lines
        bool has_prefixes;
        int level_max;
        bool is_exact;
};

static int read_prefix(const char **line, size_t *size)
{
        size_t n = 1;
        int value = 0;

        if (*size == 0 || **line != '<')
                return LOG_INFO;
        for (; n < *size && n < 4 && (*line)[n] >= '0' && (*line)[n] <= '9'; n++)
                value = value * 10 + ((*line)[n] - '0');
        if (n == 1 || n == *size || (*line)[n] != '>')
                return LOG_INFO;
        *line += n + 1;
        *size -= n + 1;
        return value & 7;
}

static void check_line(struct expected *x, const char *line, size_t size)
{
        int level = x->has_prefixes ? read_prefix(&line, &size) : LOG_INFO;

        if (size == 0 || level > x->level_max)
                return;
        if (size > EXACT_MAX)
                x->is_exact = false;
        if (!x->is_exact || memchr(line, '\0', size)) {
                if (x->is_exact) // NULs are escaped
                        x->next += strlen(x->next) + 1, x->next += strlen(x->next) + 1;
                return;
        }
        CLEANUP(free) char *text = str_ndup(line, size), *safe = str_escape(text);

        assert(*x->next); // there is one more
        assert(atoi(x->next) == level);
        x->next += strlen(x->next) + 1;
        assert(streq(x->next, safe));
        x->next += strlen(x->next) + 1;
}

static void check_lines(const char *text, size_t size, struct expected *x)
{
        const char *begin = buf_text(&lines);

        x->next = begin;
        x->is_exact = true;
        while (size > 0) {
                const char *end = memchr(text, '\n', size);
                size_t n = end ? (size_t)(end - text) : size;

                check_line(x, text, n);
                n += end != NULL;
                text += n;
                size -= n;
        }
        assert(!x->is_exact || x->next == begin + lines.size);
}

// Skips a string of JSON; NULL: it is none.
static const char *skip_string(const char *p)
{
        if (*p++ != '"')
                return NULL;
        while (*p != '"') {
                if ((unsigned char)*p < ' ')
                        return NULL;
                if (*p == '\\') {
                        p++;
                        if (!strchr("\"\\/bfnrtu", *p))
                                return NULL;
                        for (int i = 1; *p == 'u' && i <= 4; i++)
                                if (!strchr("0123456789abcdefABCDEF", p[i]) || !p[i])
                                        return NULL;
                        p += *p == 'u' ? 4 : 0;
                }
                p++;
        }
        return p + 1;
}

// Each line an object of strings and numbers.
static void check_json(const char *p)
{
        assert(str_is_utf8(p));
        while (*p) {
                assert(*p++ == '{');
                while (*p != '}') {
                        p += *p == ',';
                        p = skip_string(p);
                        assert(p && *p == ':');
                        p++;
                        p = *p == '"' ? skip_string(p) : p + strspn(p, "0123456789.");
                        assert(p && strchr(",}", *p) && *p);
                }
                assert(p[1] == '\n');
                p += 2;
        }
}

// ---- the service

static void print(int fd, struct input *in, struct log_stream *s, struct buf *all)
{
        while (in->left > 0 && all->size < OUTPUT_MAX) {
                size_t n = (size_t)input_number(in, 2), given;
                CLEANUP(free) char *piece = input_bytes(in, n, &given);

                assert(write(fd, piece, given) == (ssize_t)given);
                buf_put(all, piece, given);
                // Read what is there, without the end of a process.
                log_stream_flush(s, -1);
        }
        log_stream_flush(s, getpid());
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const int maxima[] = {LOG_DEBUG, LOG_INFO, LOG_ERR, LOG_EMERG};
        static struct unit_conf *confs[8];
        static struct manager *m;
        struct input in = {data, size};
        unsigned options = input_byte(&in);
        struct expected x = {.has_prefixes = options & 1, .level_max = maxima[options >> 1 & 3]};
        CLEANUP(service_log) struct service_log *log = NULL;
        CLEANUP(buf) struct buf all = BUF_NULL;
        struct log_stream *s = NULL;

        if (!m) {
                m = manager_begin(NULL, 0);
                stderr_file = memfd_create("fuzz", MFD_CLOEXEC);
                assert(stderr_file >= 0);
        }
        struct unit_conf **conf = &confs[options & 7];

        if (!*conf)
                *conf = make_conf(x.has_prefixes, options >> 1 & 3);
        int lowest = lowest_fd();

        assert(log_set_target(LOG_TARGET_STDERR, LOG_FORMAT_JSON) == 0);
        log_set_hook(on_line, NULL);
        buf_clear(&lines);
        const struct log_output o = {.unit = "a.service", .conf = *conf};

        assert(service_log_new(m, &log) == 0);
        int fd = log_stream_open(log, &o, &s);

        assert(fd >= 0);
        divert_stderr();
        print(fd, &in, s, &all);
        close(fd);
        log_stream_leave(&s);
        CLEANUP(free) char *output = restore_stderr();

        check_lines(buf_text(&all), all.size, &x);
        check_json(output);
        service_log_free(TAKE(log));
        assert(lowest_fd() == lowest);
        return 0;
}
