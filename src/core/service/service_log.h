// What services print: one stream socket for each service or template, read line by line, unit and
// pid in front (the sender's pid by SO_PASSCRED), levels as "<N>" prefixes. A service never waits
// for the log: what is too much is dropped and counted.
#pragma once

#include "core/service/run.h"

struct log_stream;
struct service_log;

int service_log_new(struct manager *m, struct service_log **ret); // 0 or -ENOMEM
void service_log_free(struct service_log *l);                     // NULL is fine
DEFINE_CLEANUP(service_log, struct service_log *, service_log_free)

// The stream of a unit, or of a template for all its connections: made at first use. The reference
// is the caller's. 0 or -errno.
int log_stream_open(struct service_log *l, const char *unit, const struct unit_conf *conf,
                    struct log_stream **ret);
// Without references a stream lives on a while: until all writers are gone, and their text is read.
void log_stream_unref(struct log_stream *s);   // NULL is fine
int log_stream_fd(const struct log_stream *s); // what the service gets as stdout; borrowed
// A process has ended: read what it has left, and end its last line.
void log_stream_flush(struct log_stream *s, pid_t pid);
