// Standard input, output and error: what the settings mean (systemd.exec(5)), and the steps that
// put the descriptors in place.
#include "base/fd.h"
#include "base/fs_node.h"
#include "base/str.h"
#include "spawn/step.h"
#include "spawn/sys.h"

#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>

#define TTY_RETRY_NSEC 200000000L
#define DEFAULT_TTY "/dev/console"

// ---- compile -----------------------------------------------------------------------------------

static bool is_tty_mode(enum stdio_mode mode)
{
        return mode == STDIO_TTY || mode == STDIO_TTY_FORCE || mode == STDIO_TTY_FAIL;
}

// The settings as they apply to one start, with defaults filled in.
struct modes {
        enum stdio_mode in, out, err;
};

static struct modes resolve_modes(const struct exec_group *exec, bool has_socket)
{
        struct modes m = {exec->standard_input.mode, exec->standard_output.mode,
                          exec->standard_error.mode};
        bool in_and_out;

        if (m.in == STDIO_DEFAULT || m.in == STDIO_INHERIT)
                m.in = exec->standard_input_data.size > 0 ? STDIO_DATA : STDIO_NULL;
        // A bidirectional stream of stdin is also used for the output, unless the unit says
        // otherwise; an input-only one is not.
        in_and_out = is_tty_mode(m.in) || m.in == STDIO_SOCKET || m.in == STDIO_FD;
        if (m.err == STDIO_DEFAULT)
                m.err = STDIO_INHERIT;
        if (m.out == STDIO_DEFAULT || m.out == STDIO_INHERIT)
                m.out = in_and_out ? STDIO_INHERIT : STDIO_JOURNAL;
        if (!has_socket) {
                m.in = m.in == STDIO_SOCKET ? STDIO_NULL : m.in;
                m.out = m.out == STDIO_SOCKET ? STDIO_INHERIT : m.out;
                m.err = m.err == STDIO_SOCKET ? STDIO_INHERIT : m.err;
        }
        return m;
}

static int compile_tty(struct spawn_plan *plan, enum stdio_mode mode, struct plan_stdio *ret)
{
        const char *path = plan->conf->exec->tty_path;

        ret->source = STDIO_FROM_TTY;
        ret->is_forced = mode == STDIO_TTY_FORCE;
        ret->is_tried_once = mode == STDIO_TTY_FAIL;
        return plan_text(plan, path ? path : DEFAULT_TTY, &ret->name);
}

static int compile_input(struct spawn_plan *plan, enum stdio_mode mode, struct plan_stdio *ret)
{
        const struct stdio_value *value = &plan->conf->exec->standard_input;

        if (is_tty_mode(mode)) {
                ret->flags = O_RDWR;
                return compile_tty(plan, mode, ret);
        }
        if (mode == STDIO_SOCKET)
                ret->source = STDIO_FROM_SOCKET;
        else if (mode == STDIO_DATA)
                ret->source = STDIO_FROM_DATA;
        else if (mode == STDIO_FD) {
                ret->source = STDIO_FROM_NAMED;
                return plan_text(plan, value->arg ? value->arg : "stdin", &ret->name);
        } else if (mode == STDIO_FILE) {
                ret->source = STDIO_FROM_FILE;
                ret->flags = O_RDONLY;
                return plan_text(plan, value->arg, &ret->name);
        } else
                ret->source = STDIO_FROM_NULL;
        return 0;
}

static int compile_output(struct spawn_plan *plan, enum stdio_mode mode,
                          const struct stdio_value *value, const char *default_name,
                          struct plan_stdio *ret)
{
        ret->flags = O_WRONLY;
        if (is_tty_mode(mode))
                return compile_tty(plan, mode, ret);
        switch (mode) {
        case STDIO_SOCKET:
                ret->source = STDIO_FROM_SOCKET;
                return 0;
        case STDIO_JOURNAL:
                ret->source = STDIO_FROM_LOG;
                return 0;
        case STDIO_KMSG:
                ret->source = STDIO_FROM_FILE;
                ret->name = "/dev/kmsg";
                return 0;
        case STDIO_FD:
                ret->source = STDIO_FROM_NAMED;
                return plan_text(plan, value->arg ? value->arg : default_name, &ret->name);
        case STDIO_FILE:
        case STDIO_APPEND:
        case STDIO_TRUNCATE:
                ret->source = STDIO_FROM_FILE;
                ret->flags |= O_CREAT | (mode == STDIO_APPEND     ? O_APPEND
                                         : mode == STDIO_TRUNCATE ? O_TRUNC
                                                                  : 0);
                return plan_text(plan, value->arg, &ret->name);
        case STDIO_NULL:
        case STDIO_DEFAULT:
        case STDIO_INHERIT:
        case STDIO_DATA:
        case STDIO_TTY:
        case STDIO_TTY_FORCE:
        case STDIO_TTY_FAIL:
        case _STDIO_MAX:
        default:
                ret->source = STDIO_FROM_NULL;
                return 0;
        }
}

static bool is_same_file(const struct plan_stdio *a, const struct plan_stdio *b)
{
        return a->source == STDIO_FROM_FILE && b->source == STDIO_FROM_FILE &&
               str_eq_ptr(a->name, b->name);
}

static int compile_one(struct spawn_plan *plan, bool has_socket, struct plan_stdio io[3])
{
        const struct exec_group *exec = plan->conf->exec;
        struct modes m = resolve_modes(exec, has_socket);
        int r;

        r = compile_input(plan, m.in, &io[0]);
        if (r == 0 && m.out != STDIO_INHERIT)
                r = compile_output(plan, m.out, &exec->standard_output, "stdout", &io[1]);
        else if (r == 0) {
                io[1].flags = O_WRONLY;
                io[1].source = io[0].source == STDIO_FROM_NULL || io[0].source == STDIO_FROM_DATA
                                       ? STDIO_FROM_NULL
                                       : STDIO_FROM_INPUT;
        }
        if (r == 0 && m.err != STDIO_INHERIT)
                r = compile_output(plan, m.err, &exec->standard_error, "stderr", &io[2]);
        else if (r == 0)
                io[2].source = STDIO_FROM_OUTPUT;
        if (r < 0)
                return r;
        if (is_same_file(&io[0], &io[1])) { // one open file for both, as in systemd
                io[0].flags = O_RDWR | (io[1].flags & ~O_ACCMODE);
                io[1].source = STDIO_FROM_INPUT;
        }
        if (is_same_file(&io[1], &io[2]) ||
            (io[1].source == io[2].source && io[1].source == STDIO_FROM_LOG))
                io[2].source = STDIO_FROM_OUTPUT;
        return 0;
}

int plan_compile_stdio(struct spawn_plan *plan)
{
        int r = 0;

        for (size_t has = 0; has < 2 && r == 0; has++)
                r = compile_one(plan, has, plan->stdio[has]);
        for (size_t has = 0; has < 2 && r == 0; has++)
                for (size_t i = 0; i < 3; i++) {
                        enum stdio_source source = plan->stdio[has][i].source;

                        // Opening a FIFO or a terminal can block.
                        if (source == STDIO_FROM_FILE || source == STDIO_FROM_TTY)
                                plan->needs |= STEP_OWN_MEMORY;
                        plan->has_stdio_socket |= source == STDIO_FROM_SOCKET;
                        plan->has_stdio_log |= source == STDIO_FROM_LOG;
                }
        return r;
}

// ---- steps -------------------------------------------------------------------------------------

// Moves fd, which was opened for this purpose only, to its place.
CHILD_CODE static int move_fd(int fd, int to)
{
        int r;

        if (fd < 0 || fd == to)
                return fd < 0 ? fd : sys_fcntl(fd, F_SETFD, 0);
        r = sys_place_fd(fd, to);
        sys_close(fd);
        return r;
}

// Connects to a stream socket; the listener may also shut down one direction.
static int connect_file(const char *path, int access, struct fail *why)
{
        CLEANUP(fd) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        int r = fd < 0 ? -errno : fs_connect(fd, path, why);

        if (r < 0)
                return r;
        if (access != O_RDWR)
                (void)shutdown(fd, access == O_RDONLY ? SHUT_WR : SHUT_RD);
        return TAKE_FD(fd);
}

// Opening can block, so the step runs in a process with its own memory, and may call any function.
static int open_path(struct launch *l, const struct plan_stdio *io)
{
        static struct fail why; // l->detail refers to it after the return
        int fd = fs_open(io->name, io->flags | O_NOCTTY, 0666, &why);

        if (fd == -ENXIO && io->source == STDIO_FROM_FILE) // it is a socket
                fd = connect_file(io->name, io->flags & O_ACCMODE, &why);
        if (why.error)
                l->detail = why.detail;
        return fd;
}

// Only stdin makes a terminal the controlling one; this waits until another session releases it.
static int open_tty(struct launch *l, const struct plan_stdio *io, bool is_input)
{
        struct timespec pause = {.tv_nsec = TTY_RETRY_NSEC};
        int fd = open_path(l, io), r;

        if (fd < 0 || !is_input)
                return fd;
        for (;;) {
                r = (int)SYS_CALL(SYS_ioctl, fd, TIOCSCTTY, io->is_forced ? 1L : 0L);
                if (r != -EPERM || io->is_forced || io->is_tried_once)
                        break;
                (void)SYS_CALL(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &pause, NULL);
        }
        if (r < 0) {
                sys_close(fd);
                return r;
        }
        return fd;
}

// A memfd with the bytes of StandardInputText= and StandardInputData=.
CHILD_CODE static int open_data(const struct exec_group *exec)
{
        const struct data_value *data = &exec->standard_input_data;
        int fd = (int)SYS_CALL(SYS_memfd_create, "stdin", 1 /* MFD_CLOEXEC */);

        for (size_t done = 0; fd >= 0 && done < data->size;) {
                long r = sys_write(fd, data->data + done, data->size - done);

                if (r < 0)
                        return (int)r; // fd is closed when the child exits
                done += (size_t)r;
        }
        if (fd >= 0)
                (void)SYS_CALL(SYS_lseek, fd, 0, SEEK_SET);
        return fd;
}

// inetd's programs expect a blocking socket.
CHILD_CODE static int place_socket(int fd, int to)
{
        int flags = sys_fcntl(fd, F_GETFL, 0);

        if (flags < 0)
                return flags;
        if (flags & O_NONBLOCK)
                (void)sys_fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
        return sys_place_fd(fd, to);
}

CHILD_CODE static int set_stream(struct launch *l, int to)
{
        const struct plan_stdio *io = &l->plan->stdio[l->has_socket][to];
        int given = l->stdio_fds[to];

        l->detail = io->name;
        switch (io->source) {
        case STDIO_FROM_SOCKET:
                return place_socket(given, to);
        case STDIO_FROM_LOG:
        case STDIO_FROM_NAMED:
                if (given >= 0)
                        return sys_place_fd(given, to);
                break;
        case STDIO_FROM_INPUT:
                return sys_place_fd(0, to);
        case STDIO_FROM_OUTPUT:
                return sys_place_fd(1, to);
        case STDIO_FROM_FILE:
                return move_fd(open_path(l, io), to);
        case STDIO_FROM_TTY:
                return move_fd(open_tty(l, io, to == 0), to);
        case STDIO_FROM_DATA:
                return move_fd(open_data(l->plan->conf->exec), to);
        case STDIO_FROM_NULL:
        default:
                break;
        }
        return move_fd(sys_openat(AT_FDCWD, "/dev/null",
                                  (to == 0 ? O_RDONLY : O_WRONLY) | O_NOCTTY | O_CLOEXEC, 0),
                       to);
}

CHILD_CODE int step_input(struct launch *l)
{
        return set_stream(l, 0);
}

CHILD_CODE int step_output(struct launch *l)
{
        return set_stream(l, 1);
}

CHILD_CODE int step_error(struct launch *l)
{
        return set_stream(l, 2);
}
