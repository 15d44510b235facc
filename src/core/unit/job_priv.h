// What the files of the job engine share. Nobody outside core/unit/job*.c includes it.
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

// Have the job looked at soon: may it run now?
void job_queue_run(struct job *j);
// The run queue's callback (job_run.c).
void job_on_run(struct work *w);
void job_arm_timer(struct job *j);
// Does the job wait for one that waits, over however many, for the job? None would ever run.
bool job_waits_for_itself(struct job *j);
// Another request takes its place: no other job fails because of that.
void job_replace(struct job *j);

// ---- job_log.c
void job_log_begin(struct job *j); // once for each start, stop or reload
void job_log_end(const struct unit *u, enum job_type type, enum job_result result);
