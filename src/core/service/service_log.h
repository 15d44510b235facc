// The output of services: one stream socket for each command that is started, read line by line,
// and logged with the unit or instance, the pid of the sender (by SO_PASSCRED), the identifier, and
// the level of a "<N>" prefix. A stream belongs to its command, so that whatever a descendant
// prints is logged as the instance's, even if that process is gone before the line is read
// (contrib/adr/0013). A service never waits for the log: excess lines are dropped and counted.
#pragma once

#include "core/service/run.h"

struct exec_command;
struct log_stream;
struct service_log;

int service_log_new(struct manager *m, struct service_log **ret); // 0 or -ENOMEM
// Logs what is there to be read, and incomplete lines. NULL is fine.
void service_log_free(struct service_log *l);
DEFINE_CLEANUP(service_log, struct service_log *, service_log_free)

// Whose output it is. All borrowed; run and the list live until log_stream_leave().
struct log_output {
        const char *unit;                   // the unit or template: shares a rate limit
        const struct run *run;              // names the lines; NULL: the unit does
        struct unit_conf *conf;             // a reference is taken
        const struct exec_command *command; // names the program; NULL: unknown
        sd_id128_t invocation;
};

// A stream for a command that is about to be started, added to the owner's list. Returns the
// command's end, which the caller closes after the start, or -errno. The stream ends when all
// processes that have its other end have closed it.
int log_stream_open(struct service_log *l, const struct log_output *o, struct log_stream **list);
// A process has exited: reads the remaining output of the list's streams, and ends its last line.
void log_stream_flush(struct log_stream *first, pid_t pid);
// The owner is over: what its processes have written is logged, an incomplete line included, and
// the list is empty. Orphans that hold a stream may go on writing.
void log_stream_leave(struct log_stream **list);
