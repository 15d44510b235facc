// A piece of work that may have to wait for others, and the answer that it gives: fields of text,
// and descriptors. A short-lived process of our own does it, which may block where the supervisor
// must not (name services, file systems, the memory of other processes), and sends the answer
// through a socket. Work that waits for nobody most of the time is tried in this process first.
//
// The process is never waited for here, since it may outlive a SIGKILL: its end is left to whoever
// waits for the program's children.
#pragma once

#include "base/buf.h"

#include <sys/types.h>

#define INQUIRY_TIMEOUT_SEC 25 // of inquiry_start(): it ends itself then, without an answer
#define INQUIRY_FDS_MAX 768

// An answer in the making.
struct inquiry_answer {
        struct buf fields;
        int fds[INQUIRY_FDS_MAX];
        size_t n_fds;
};

// Gives its answer with inquiry_put_field() and its sisters and returns. In a process of its own it
// runs in a copy of ours, where no handler of ours runs and nothing but the answer's descriptor is
// open.
typedef void (*inquiry_work)(struct inquiry_answer *answer, const void *question);

void inquiry_put_field(struct inquiry_answer *answer, const char *text); // NULL: ""
void inquiry_put_number(struct inquiry_answer *answer, int64_t number);  // a field, too
// Takes fd. One too many is closed, and the answer lacks it.
void inquiry_put_fd(struct inquiry_answer *answer, int fd);
// What was put so far goes out at once, in case what comes next hangs. No descriptor may be put
// after that.
void inquiry_flush(struct inquiry_answer *answer);

struct inquiry;

// Have it done by a process. question need not outlive the call. 0 or -errno (-EAGAIN, -ENOMEM,
// -EMFILE: exhaustion).
int inquiry_start(inquiry_work work, const void *question, struct inquiry **ret);
// Do it here, unless it comes to a file system that may not answer (base/local): then all of it has
// to be done again by a process, so it must be harmless when it is done twice. 0: the answer is
// there; 1: call inquiry_launch(), until when question has to stay as it is; -errno.
int inquiry_try(inquiry_work work, const void *question, struct inquiry **ret);
// A descriptor that the process has as well, for its work; before inquiry_launch().
void inquiry_lend(struct inquiry *h, int fd);
// Make the process, which has no time limit of its own; nothing where there was one. 0 or -errno,
// as inquiry_start().
int inquiry_launch(struct inquiry *h);
// What it has to wait for, as local_refusal() had it: in words ("" where that is not a file
// system), and the mount.
const char *inquiry_where(const struct inquiry *h);
uint64_t inquiry_mount(const struct inquiry *h);
// NULL is fine. A process that still runs is killed.
void inquiry_free(struct inquiry *h);
DEFINE_CLEANUP(inquiry, struct inquiry *, inquiry_free)
// From now on the process is the caller's, who has to kill it and to wait for it: one that waits
// for a file system may outlive a SIGKILL for ever. 0: there is none.
pid_t inquiry_release(struct inquiry *h);

// Readable when a part of the answer is there, or the process has ended without one. Owned by the
// inquiry. -1: the answer is there, or the process is not made yet.
int inquiry_fd(const struct inquiry *h);
// Take in what has come; never waits. 0 all is there, -EAGAIN there is more to come; -ETIMEDOUT
// there is no answer, -EFBIG, -ENOMEM, -EMFILE (descriptors got lost).
int inquiry_read(struct inquiry *h);
// The answer's next field, NULL after the last one (that has come). Strings are the inquiry's until
// more is taken in.
const char *inquiry_next_field(struct inquiry *h);
// The next field as a number. 0 or -EBADMSG.
int inquiry_next_number(struct inquiry *h, int64_t *ret);
// The next descriptor, close-on-exec and above the low window; the caller's. -1: there is none.
int inquiry_next_fd(struct inquiry *h);
// Tests: an inquiry whose process gave these fields, and a "." at the end. 0 or -ENOMEM.
int inquiry_new_answered(const char *answer, size_t size, struct inquiry **ret);
