#include "base/inquiry.h"

#include "base/fd.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define ANSWER_SIZE_MAX (256u << 10)
#define END_MARK '.' // the last byte: nothing was cut off

struct inquiry {
        pid_t pid; // 0: waited for
        int fd;
        bool is_read;
        int error;
        char *data;
        const char *next, *end; // in data
};

// ---- in the process ----------------------------------------------------------------------------

void inquiry_put_field(struct buf *answer, const char *text)
{
        buf_put(answer, text ? text : "", strlen(text ? text : "") + 1);
}

__attribute__((noreturn)) static void run(int fd,
                                          void (*work)(struct buf *answer, const void *question),
                                          const void *question)
{
        CLEANUP(buf) struct buf b = BUF_NULL;
        sigset_t none;

        // The time limit: whatever a name service does, the other end sees the end of file.
        (void)signal(SIGALRM, SIG_DFL);
        (void)signal(SIGPIPE, SIG_DFL);
        (void)alarm(INQUIRY_TIMEOUT_SEC);
        sigemptyset(&none);
        (void)sigprocmask(SIG_SETMASK, &none, NULL);
        (void)fd_close_from(3, &fd, 1);
        work(&b, question);
        buf_putc(&b, END_MARK);
        if (!b.error)
                (void)fd_write_all(fd, b.data, b.size);
        _exit(0);
}

// ---- outside -----------------------------------------------------------------------------------

int inquiry_start(void (*work)(struct buf *answer, const void *question), const void *question,
                  struct inquiry **ret)
{
        CLEANUP(inquiry) struct inquiry *h = calloc(1, sizeof(*h));
        sigset_t all, before;
        int pipe_fds[2];

        if (!h)
                return -ENOMEM;
        h->fd = -1;
        if (pipe2(pipe_fds, O_CLOEXEC) < 0)
                return -errno;
        sigfillset(&all);
        sigprocmask(SIG_SETMASK, &all, &before); // no handler of ours may run in the process
        h->pid = fork();
        if (h->pid == 0)
                run(pipe_fds[1], work, question);
        int error = errno;

        sigprocmask(SIG_SETMASK, &before, NULL);
        fd_close(pipe_fds[1]);
        if (h->pid < 0) {
                h->pid = 0;
                fd_close(pipe_fds[0]);
                return -error;
        }
        h->fd = fd_move_up(pipe_fds[0]);
        if (h->fd < 0)
                return h->fd;
        *ret = TAKE(h);
        return 0;
}

int inquiry_fd(const struct inquiry *h)
{
        return h->fd;
}

// While waitpid() says that it is our child and alive, its pid cannot be another's.
static void end_process(struct inquiry *h)
{
        if (h->pid > 0 && waitpid(h->pid, NULL, WNOHANG) == 0) {
                (void)kill(h->pid, SIGKILL);
                (void)waitpid(h->pid, NULL, 0);
        }
        h->pid = 0;
}

void inquiry_free(struct inquiry *h)
{
        if (!h)
                return;
        end_process(h);
        fd_close(h->fd);
        free(h->data);
        free(h);
}

// What the process wrote, of which data is the inquiry's own.
static int take_answer(struct inquiry *h, size_t size)
{
        if (size == 0 || h->data[size - 1] != END_MARK)
                return -ETIMEDOUT;
        h->next = h->data;
        h->end = h->data + size - 1;
        return 0;
}

int inquiry_read(struct inquiry *h)
{
        size_t size;

        if (h->is_read)
                return h->error;
        int r = fd_read_all(h->fd, ANSWER_SIZE_MAX, &h->data, &size);

        if (r == -EINTR || r == -EAGAIN)
                return r;
        h->is_read = true;
        end_process(h);
        return h->error = r < 0 ? r : take_answer(h, size);
}

int inquiry_new_answered(const char *answer, size_t size, struct inquiry **ret)
{
        CLEANUP(inquiry) struct inquiry *h = calloc(1, sizeof(*h));

        if (!h)
                return -ENOMEM;
        h->fd = -1;
        h->is_read = true;
        h->data = malloc(size + 1);
        if (!h->data)
                return -ENOMEM;
        memcpy(h->data, answer, size);
        h->error = take_answer(h, size);
        *ret = TAKE(h);
        return 0;
}

const char *inquiry_next_field(struct inquiry *h)
{
        const char *field = h->next;

        if (field == h->end || !memchr(field, '\0', (size_t)(h->end - field)))
                return NULL;
        h->next += strlen(field) + 1;
        return field;
}
