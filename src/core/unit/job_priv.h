// Shared by the files of the job engine. Only core/unit/job*.c include it.
#pragma once

#include "base/map.h"
#include "core/unit/job.h"

struct job_queue {
        struct manager *manager;
        struct list_node jobs; // struct job.node, oldest first
        struct u64map *by_id;
        size_t n;
        uint32_t last_id, last_walk;
};

// Queues the job to be looked at: can it run now?
void job_queue_run(struct job *j);
// The run queue's callback (job_run.c).
void job_on_run(struct work *w);
void job_arm_timer(struct job *j);
// Does the job wait, directly or through other waiting jobs, for itself? Then none of these would
// ever run.
bool job_waits_for_itself(struct job *j);
// The job is replaced by another request: no other job fails because of that.
void job_replace(struct job *j);

// ---- job_log.c
void job_log_begin(struct job *j); // logged once for each start, stop or reload
void job_log_end(const struct unit *u, enum job_type type, enum job_result result);
