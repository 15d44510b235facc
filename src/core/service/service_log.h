// The output of services: one stream socket for each service or template, read line by line, logged
// with unit and pid (the sender's pid by SO_PASSCRED) and the level of a "<N>" prefix. A service
// never waits for the log: excess lines are dropped and counted.
#pragma once

#include "core/service/run.h"

struct log_stream;
struct service_log;

int service_log_new(struct manager *m, struct service_log **ret); // 0 or -ENOMEM
void service_log_free(struct service_log *l);                     // NULL is fine
DEFINE_CLEANUP(service_log, struct service_log *, service_log_free)

// The stream of a unit, or of a template for all its connections: created when first used. The
// caller owns the reference. 0 or -errno.
int log_stream_open(struct service_log *l, const char *unit, const struct unit_conf *conf,
                    struct log_stream **ret);
// An unreferenced stream is kept for a while: until all writers have closed and their text is read.
void log_stream_unref(struct log_stream *s);   // NULL is fine
int log_stream_fd(const struct log_stream *s); // stdout of the service; borrowed
// A process has exited: reads its remaining output, and ends its last line.
void log_stream_flush(struct log_stream *s, pid_t pid);
