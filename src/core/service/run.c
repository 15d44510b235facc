// The changes to a run that more than one file of the service machine makes.
#include "core/service/run.h"

#include "base/clock.h"
#include "core/service/service.h"
#include "core/unit/manager.h"
#include "spawn/plan.h"

void run_init(struct run *run, struct manager *m, struct unit_conf *conf)
{
        run->manager = m;
        run->conf = unit_conf_ref(conf);
        run->main.pidfd = run->control.pidfd = -1;
}

void run_set_conf(struct run *run, struct unit_conf *conf)
{
        if (run->conf == conf)
                return;
        unit_conf_unref(run->conf);
        run->conf = unit_conf_ref(conf);
        run_drop_plan(run);
}

void run_share_plan(struct run *run, struct spawn_plan *plan)
{
        run_drop_plan(run);
        run->plan = spawn_plan_ref(plan);
}

void run_drop_plan(struct run *run)
{
        spawn_plan_unref(TAKE(run->plan));
}

static void set_main_status(struct run *run, struct exec_status status)
{
        if (run->service)
                run->service->main_status = status;
}

int run_reset_life(struct run *run)
{
        int r = manager_random_id(run->manager, &run->invocation_id);

        if (r < 0)
                return r;
        run->result = SERVICE_SUCCESS;
        run->main_code = run->main_status = 0;
        run->main_index = run->control_index = 0;
        run->main_pid_known = run->forbid_restart = false;
        run->main_ignores_failure = run->control_ignores_failure = false;
        set_main_status(run, (struct exec_status){0});
        return 0;
}

// ---- the result

void run_set_result(struct run *run, enum service_result result)
{
        if (run->result == SERVICE_SUCCESS)
                run->result = result;
}

void run_clear_result(struct run *run)
{
        run->result = SERVICE_SUCCESS;
}

void run_forbid_restart(struct run *run, bool is_forbidden)
{
        run->forbid_restart = is_forbidden;
}

// ---- the main process

void run_set_main(struct run *run)
{
        assert(run->main.pid > 0);
        run->main_pid_known = true;
        set_main_status(run, (struct exec_status){.pid = run->main.pid,
                                                  .start = clock_now(),
                                                  .start_rt = clock_now_realtime()});
}

void run_end_main(struct run *run, const siginfo_t *info)
{
        struct exec_status *status = run->service ? &run->service->main_status : NULL;

        run->main_code = (uint8_t)info->si_code;
        run->main_status = (uint8_t)info->si_status;
        if (!status)
                return;
        status->pid = info->si_pid;
        status->code = info->si_code;
        status->status = info->si_status;
        status->exit = clock_now();
        status->exit_rt = clock_now_realtime();
}

void run_forget_main(struct run *run)
{
        run->main_pid_known = false;
}

// ---- its processes

void run_note_process(struct run *run)
{
        run->is_empty = false;
}

void run_note_strays(struct run *run, bool has_some)
{
        run->is_empty = !has_some && run->main.pid == 0 && run->control.pid == 0;
}

// ---- its commands

void run_begin_main(struct run *run)
{
        run->main_index = run->control_index = 0;
}

void run_next_main(struct run *run)
{
        run->main_index++;
}

void run_begin_control(struct run *run)
{
        run->control_index = 0;
}

void run_next_control(struct run *run)
{
        run->control_index++;
}

void run_set_commands(struct run *run, uint16_t main_index, uint16_t control_index)
{
        run->main_index = main_index;
        run->control_index = control_index;
}

void run_note_main_command(struct run *run, bool ignores_failure)
{
        run->main_ignores_failure = ignores_failure;
}

void run_note_control_command(struct run *run, bool ignores_failure)
{
        run->control_ignores_failure = ignores_failure;
}
