// Work that may block, and its answer: fields of text, and descriptors. A short-lived child process
// does it, which may block where the supervisor must not (name services, file systems, the memory
// of other processes), and sends the answer through a socket. Work that rarely blocks is first
// tried in this process.
//
// Nothing here waits for the process, which may survive a SIGKILL: the program's reaper does.
#pragma once

#include "base/buf.h"

#include <sys/types.h>

#define INQUIRY_TIMEOUT_SEC 25 // not with a file system: then it ends itself without an answer
#define INQUIRY_FDS_MAX 768

// An answer in the making.
struct inquiry_answer {
        struct buf fields;
        int fds[INQUIRY_FDS_MAX];
        size_t n_fds;
};

// Puts its answer with inquiry_put_*() and returns. In a process of its own it runs in a copy of
// this program without signal handlers and with no descriptor but that of the answer.
typedef void (*inquiry_work)(struct inquiry_answer *answer, const void *question);

void inquiry_put_field(struct inquiry_answer *answer, const char *text); // NULL: ""
void inquiry_put_number(struct inquiry_answer *answer, int64_t number);  // also a field
// Takes ownership of fd. One beyond INQUIRY_FDS_MAX is closed and missing in the answer.
void inquiry_put_fd(struct inquiry_answer *answer, int fd);
// Sends what was put so far, in case the next step hangs. No descriptor may be put
// after that.
void inquiry_flush(struct inquiry_answer *answer);

struct inquiry;

// Starts a process that does the work. question need not outlive the call. 0 or -errno (-EAGAIN,
// -ENOMEM, -EMFILE: exhaustion).
int inquiry_start(inquiry_work work, const void *question, struct inquiry **ret);
// Does the work here, unless it comes to a file system that may not answer (base/local). Then a
// process has to do all of it again, so that doing it twice must be harmless. 0: the answer is
// there; 1: call inquiry_launch(), and do not change question until then; -errno.
int inquiry_try(inquiry_work work, const void *question, struct inquiry **ret);
// Does not do the work here at all, since it takes long: call inquiry_launch(), and do not change
// question until then. where: what it waits for, in words; NULL: no file system. 0 or -ENOMEM.
int inquiry_new(inquiry_work work, const void *question, const char *where, struct inquiry **ret);
// A descriptor that the process keeps open for its work; call it before inquiry_launch().
void inquiry_lend(struct inquiry *h, int fd);
// Starts the process unless it was started before. One that waits for a file system has no time
// limit of its own. Returns as inquiry_start() does.
int inquiry_launch(struct inquiry *h);
// What the process has to wait for, as in local_refusal(): in words, or "" if it is not a file
// system.
const char *inquiry_where(const struct inquiry *h);
uint64_t inquiry_mount(const struct inquiry *h);
// NULL is fine. A process that still runs is killed.
void inquiry_free(struct inquiry *h);
DEFINE_CLEANUP(inquiry, struct inquiry *, inquiry_free)
// The caller takes over the process, and must kill and reap it. A process that waits for a file
// system may survive a SIGKILL for any time. 0: there is none.
pid_t inquiry_release(struct inquiry *h);

// Becomes readable when a part of the answer arrives, or the process ends without one. Owned by the
// inquiry. -1: the answer is complete, or the process is not started yet.
int inquiry_fd(const struct inquiry *h);
// Receives what has arrived; never blocks. 0: the answer is complete; -EAGAIN: not yet; -ETIMEDOUT:
// there is no answer; -EFBIG, -ENOMEM, -EMFILE (descriptors were lost).
int inquiry_read(struct inquiry *h);
// The next field, or NULL if no more have arrived. The inquiry owns the string, which is valid
// until the next inquiry_read().
const char *inquiry_next_field(struct inquiry *h);
// The next field as a number. 0 or -EBADMSG.
int inquiry_next_number(struct inquiry *h, int64_t *ret);
// The next descriptor, close-on-exec and above the low window; the caller's. -1: there is none.
int inquiry_next_fd(struct inquiry *h);
// For tests: an inquiry whose process sent these fields, and a "." at the end. 0 or -ENOMEM.
int inquiry_new_answered(const char *answer, size_t size, struct inquiry **ret);
