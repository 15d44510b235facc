#include "base/inquiry.h"

#include "base/fd.h"
#include "base/local.h"
#include "base/nowait.h"
#include "base/parse.h"
#include "base/proc.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

// The answer as it is sent: an FDS_MARK with each batch of descriptors, a DATA_MARK, the fields,
// and an END_MARK, without which the answer is not complete.
#define FDS_MARK 'F'
#define DATA_MARK 'D'
#define END_MARK '.'
#define FDS_BATCH 250 // fewer than the kernel's SCM_MAX_FD
#define ANSWER_SIZE_MAX (8u << 20)

struct inquiry {
        inquiry_work work; // NULL: the process was made, or need not be
        const void *question;
        char *where;
        uint64_t mount;
        pid_t pid;      // 0: there is none, it has ended, or it is the caller's
        int pidfd;      // -1: the kernel has none
        uint64_t start; // identifies the process together with its pid
        int fd;
        int lent; // -1: none
        bool is_read;
        int error;
        struct buf data;
        size_t next, end; // of the fields, in data; both 0: none has come
        int *fds;
        size_t n_fds, next_fd;
};

// ---- making an answer --------------------------------------------------------------------------

void inquiry_put_field(struct inquiry_answer *answer, const char *text)
{
        buf_put(&answer->fields, text ? text : "", strlen(text ? text : "") + 1);
}

void inquiry_put_number(struct inquiry_answer *answer, int64_t number)
{
        buf_printf(&answer->fields, "%lld", (long long)number);
        buf_putc(&answer->fields, '\0');
}

void inquiry_put_fd(struct inquiry_answer *answer, int fd)
{
        if (answer->n_fds < ARRAY_SIZE(answer->fds))
                answer->fds[answer->n_fds++] = fd;
        else
                fd_close(fd);
}

static void answer_done(struct inquiry_answer *answer)
{
        buf_done(&answer->fields);
        while (answer->n_fds > 0)
                fd_close(answer->fds[--answer->n_fds]);
}

// ---- in the process ----------------------------------------------------------------------------

static int answer_fd = -1; // elsewhere: -1
static bool is_begun;

// A failure ends the process: without an END_MARK the receiver discards the answer.
static void send_some(struct inquiry_answer *a)
{
        const char fds_mark = FDS_MARK, data_mark = DATA_MARK;
        int r = a->fields.error;

        for (size_t sent = 0; r == 0 && !is_begun && sent < a->n_fds; sent += FDS_BATCH)
                r = fd_send(answer_fd, &fds_mark, 1, a->fds + sent,
                            MIN(a->n_fds - sent, FDS_BATCH));
        if (r == 0 && !is_begun)
                r = fd_write_all(answer_fd, &data_mark, 1);
        is_begun = true;
        if (r == 0)
                r = fd_write_all(answer_fd, a->fields.data, a->fields.size);
        if (r < 0)
                _exit(1);
        buf_clear(&a->fields);
}

void inquiry_flush(struct inquiry_answer *answer)
{
        if (answer_fd >= 0)
                send_some(answer);
}

__attribute__((noreturn)) static void run(int fd, const struct inquiry *h, unsigned limit)
{
        const int kept[] = {fd, h->lent};
        static struct inquiry_answer answer;
        sigset_t none;

        // Whatever a name service does, the other end sees the end of file. A supervisor that was
        // killed needs no answer.
        (void)signal(SIGALRM, SIG_DFL);
        (void)signal(SIGPIPE, SIG_DFL);
        (void)alarm(limit);
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        sigemptyset(&none);
        (void)sigprocmask(SIG_SETMASK, &none, NULL);
        (void)fd_close_from(3, kept, h->lent >= 0 ? 2 : 1);
        (void)local_only_set(false);
        answer_fd = fd;
        h->work(&answer, h->question);
        buf_putc(&answer.fields, END_MARK);
        send_some(&answer);
        _exit(0);
}

// ---- outside -----------------------------------------------------------------------------------

static struct inquiry *new_inquiry(inquiry_work work, const void *question)
{
        struct inquiry *h = calloc(1, sizeof(*h));

        if (h)
                *h = (struct inquiry){
                        .work = work, .question = question, .fd = -1, .lent = -1, .pidfd = -1};
        return h;
}

static void note_identity(struct inquiry *h)
{
        int fd = fd_move_up((int)syscall(SYS_pidfd_open, h->pid, 0));

        h->pidfd = MAX(fd, -1);
        if (fd < 0 && proc_get_start_time(h->pid, &h->start) < 0)
                h->start = 0;
}

static int launch(struct inquiry *h, unsigned limit)
{
        sigset_t all, before;
        int ends[2];

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
                return -errno;
        sigfillset(&all);
        sigprocmask(SIG_SETMASK, &all, &before); // no handler of ours may run in the process
        h->pid = fork();
        if (h->pid == 0)
                run(ends[1], h, limit);
        int error = errno;

        sigprocmask(SIG_SETMASK, &before, NULL);
        fd_close(ends[1]);
        if (h->pid < 0) {
                h->pid = 0;
                fd_close(ends[0]);
                return -error;
        }
        h->work = NULL;
        note_identity(h);
        h->fd = fd_move_up(ends[0]);
        return MIN(h->fd, 0);
}

void inquiry_lend(struct inquiry *h, int fd)
{
        h->lent = fd;
}

int inquiry_launch(struct inquiry *h)
{
        return h->work ? launch(h, h->where ? 0 : INQUIRY_TIMEOUT_SEC) : 0;
}

int inquiry_new(inquiry_work work, const void *question, const char *where, struct inquiry **ret)
{
        CLEANUP(inquiry) struct inquiry *h = new_inquiry(work, question);

        if (!h || (where && !(h->where = strdup(where))))
                return -ENOMEM;
        *ret = TAKE(h);
        return 0;
}

int inquiry_start(inquiry_work work, const void *question, struct inquiry **ret)
{
        CLEANUP(inquiry) struct inquiry *h = new_inquiry(work, question);
        int r = h ? launch(h, INQUIRY_TIMEOUT_SEC) : -ENOMEM;

        if (r == 0)
                *ret = TAKE(h);
        return r;
}

// Keeps an answer that was made in this process.
static int keep_answer(struct inquiry *h, struct inquiry_answer *a)
{
        int r = a->fields.error;

        if (r == 0 && a->n_fds > 0) {
                h->fds = calloc(a->n_fds, sizeof(int));
                r = h->fds ? 0 : -ENOMEM;
        }
        if (r < 0)
                return r;
        h->work = NULL;
        h->is_read = true;
        h->data = a->fields;
        a->fields = BUF_NULL;
        h->end = h->data.size;
        for (size_t i = 0; i < a->n_fds; i++) {
                int fd = fd_move_up(a->fds[i]);

                a->fds[i] = -1;
                if (fd < 0)
                        return fd;
                h->fds[h->n_fds++] = fd;
        }
        return 0;
}

static int keep_refusal(struct inquiry *h)
{
        h->where = strdup(local_refusal(&h->mount));
        return h->where ? 1 : -ENOMEM;
}

int inquiry_try(inquiry_work work, const void *question, struct inquiry **ret)
{
        CLEANUP(inquiry) struct inquiry *h = new_inquiry(work, question);
        CLEANUP(free) struct inquiry_answer *answer = calloc(1, sizeof(*answer));
        bool was_only;
        int r;

        if (!h || !answer)
                return -ENOMEM;
        was_only = local_only_set(true);
        work(answer, question);
        r = local_was_refused() ? keep_refusal(h) : keep_answer(h, answer);
        (void)local_only_set(was_only);
        answer_done(answer);
        if (r >= 0)
                *ret = TAKE(h);
        return r;
}

const char *inquiry_where(const struct inquiry *h)
{
        return h->where ? h->where : "";
}

uint64_t inquiry_mount(const struct inquiry *h)
{
        return h->mount;
}

pid_t inquiry_release(struct inquiry *h)
{
        pid_t pid = h->pid;

        h->pid = 0;
        h->pidfd = fd_close(h->pidfd);
        return pid;
}

int inquiry_fd(const struct inquiry *h)
{
        return h->fd;
}

// Another part of the program may have reaped it, so that its pid may be reused by now.
static void end_process(struct inquiry *h)
{
        uint64_t start;

        if (h->pid > 0 && h->pidfd >= 0)
                (void)syscall(SYS_pidfd_send_signal, h->pidfd, SIGKILL, NULL, 0);
        else if (h->pid > 0 && proc_get_start_time(h->pid, &start) == 0 && start == h->start)
                (void)kill(h->pid, SIGKILL);
        h->pid = 0;
        h->pidfd = fd_close(h->pidfd);
}

void inquiry_free(struct inquiry *h)
{
        if (!h)
                return;
        end_process(h);
        fd_close(h->fd);
        while (h->next_fd < h->n_fds)
                (void)nowait_close_file(h->fds[h->next_fd++]);
        free(h->fds);
        free(h->where);
        buf_done(&h->data);
        free(h);
}

// ---- the answer --------------------------------------------------------------------------------

static int add_fd(struct inquiry *h, int fd)
{
        int up = nowait_move_up(fd);
        int *more = up < 0 ? NULL : reallocarray(h->fds, h->n_fds + 1, sizeof(int));

        if (!more) {
                (void)nowait_close_file(up);
                return up < 0 ? up : -ENOMEM;
        }
        h->fds = more;
        more[h->n_fds++] = up;
        return 0;
}

static int take_fds(struct inquiry *h, struct msghdr *message)
{
        int r = message->msg_flags & MSG_CTRUNC ? -EMFILE : 0;

        for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
                size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

                if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
                        continue;
                for (size_t i = 0; i < n; i++) {
                        int fd, error;

                        memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
                        error = add_fd(h, fd);
                        r = r < 0 ? r : error;
                }
        }
        return r;
}

// 1: data arrived, 0: end of file, -EAGAIN, other -errno.
static int receive(struct inquiry *h)
{
        union {
                struct cmsghdr header;
                char space[CMSG_SPACE(FDS_BATCH * sizeof(int))];
        } control;
        char part[32768];
        struct iovec iov = {.iov_base = part, .iov_len = sizeof(part)};
        struct msghdr message = {.msg_iov = &iov,
                                 .msg_iovlen = 1,
                                 .msg_control = &control,
                                 .msg_controllen = sizeof(control)};
        ssize_t n = recvmsg(h->fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

        if (n <= 0)
                return n == 0 || errno == ECONNRESET ? 0 : errno == EINTR ? 1 : -errno;
        buf_put(&h->data, part, (size_t)n);
        int r = take_fds(h, &message);

        if (r == 0)
                r = h->data.error;
        return r < 0 ? r : h->data.size > ANSWER_SIZE_MAX ? -EFBIG : 1;
}

// Accepts the fields that have arrived; the first begins at begin.
static void take_some_fields(struct inquiry *h, size_t begin)
{
        if (h->next == 0)
                h->next = begin;
        h->end = h->data.size;
}

static int take_fields(struct inquiry *h, size_t begin)
{
        take_some_fields(h, begin);
        if (h->end <= begin || h->data.data[h->end - 1] != END_MARK)
                return -ETIMEDOUT;
        h->end--;
        return 0;
}

// The offset of the fields; 0: none has arrived.
static size_t find_fields(const struct inquiry *h)
{
        size_t n_marks = strspn(buf_text(&h->data), (const char[]){FDS_MARK, '\0'});

        return buf_text(&h->data)[n_marks] == DATA_MARK ? n_marks + 1 : 0;
}

int inquiry_read(struct inquiry *h)
{
        int r = 1;

        if (h->is_read)
                return h->error;
        if (h->work)
                return -EAGAIN; // is not launched
        while (r == 1)
                r = receive(h);
        size_t begin = find_fields(h);

        if (begin > 0)
                take_some_fields(h, begin);
        if (r == -EAGAIN)
                return r;
        h->is_read = true;
        end_process(h);
        if (r == 0)
                r = begin > 0 ? take_fields(h, begin) : -ETIMEDOUT;
        return h->error = r;
}

const char *inquiry_next_field(struct inquiry *h)
{
        const char *field = buf_text(&h->data) + h->next;

        if (!memchr(field, '\0', h->end - h->next))
                return NULL;
        h->next += strlen(field) + 1;
        return field;
}

int inquiry_next_number(struct inquiry *h, int64_t *ret)
{
        const char *field = inquiry_next_field(h);

        return field && parse_i64(field, ret) == 0 ? 0 : -EBADMSG;
}

int inquiry_next_fd(struct inquiry *h)
{
        return h->next_fd < h->n_fds ? h->fds[h->next_fd++] : -1;
}

int inquiry_new_answered(const char *answer, size_t size, struct inquiry **ret)
{
        CLEANUP(inquiry) struct inquiry *h = new_inquiry(NULL, NULL);

        if (!h)
                return -ENOMEM;
        buf_put(&h->data, answer, size);
        if (h->data.error)
                return h->data.error;
        h->is_read = true;
        h->error = take_fields(h, 0);
        *ret = TAKE(h);
        return 0;
}
