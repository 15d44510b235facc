// The processes of a unit, as `status` shows them. The supervisor sends their names. A separate
// process reads the command lines, since such a read may block (base/proc.h); it is given at most a
// second.
#include "base/clock.h"
#include "base/inquiry.h"
#include "base/proc.h"
#include "base/str.h"
#include "ctl/ctl.h"

#include <poll.h>
#include <stdio.h>

#define READING_MAX USEC_PER_SEC
#define SHOWN_MAX 1024 // processes

struct shown_process {
        pid_t pid;
        char *name; // of the program, escaped
        char *line; // NULL: not read
};

struct process_list {
        struct shown_process items[SHOWN_MAX];
        size_t n;
};

// Runs in a separate process. A process is the supervisor's if it also has the same name.
static void read_lines(struct inquiry_answer *answer, const void *question)
{
        const struct process_list *list = question;

        for (size_t i = 0; i < list->n; i++) {
                CLEANUP(free) char *comm = NULL, *name = NULL, *line = NULL;

                if (proc_get_comm(list->items[i].pid, &comm) == 0)
                        name = str_escape(comm);
                if (name && streq(name, list->items[i].name))
                        (void)proc_get_cmdline(list->items[i].pid, &line);
                inquiry_put_field(answer, line);
                inquiry_flush(answer);
        }
}

static void take_lines(struct process_list *list)
{
        CLEANUP(inquiry) struct inquiry *inquiry = NULL;
        usec_t end = usec_add(clock_now(), READING_MAX);
        const char *line;

        if (inquiry_start(read_lines, list, &inquiry) < 0)
                return;
        while (inquiry_read(inquiry) == -EAGAIN) {
                struct pollfd p = {.fd = inquiry_fd(inquiry), .events = POLLIN};
                usec_t left = usec_sub(end, clock_now());

                if (left == 0 || poll(&p, 1, (int)(left / USEC_PER_MSEC) + 1) == 0)
                        break;
        }
        for (size_t i = 0; i < list->n && (line = inquiry_next_field(inquiry)); i++)
                if (line[0])
                        list->items[i].line = strdup(line);
}

static void get_list(struct ctl *c, const char *unit, struct process_list *list)
{
        sd_bus_message *reply = NULL;
        const char *group, *name;
        uint32_t pid;
        int r = client_call(c, "GetUnitProcesses", NULL, &reply, "s", unit);

        if (r >= 0)
                r = sd_bus_message_enter_container(reply, 'a', "(sus)");
        while (r >= 0 && list->n < SHOWN_MAX &&
               sd_bus_message_read(reply, "(sus)", &group, &pid, &name) > 0) {
                struct shown_process *p = &list->items[list->n];

                p->pid = (pid_t)pid;
                p->name = strdup(name);
                if (!p->name)
                        break;
                list->n++;
        }
        sd_bus_message_unref(reply);
}

void print_processes(struct ctl *c, const char *unit)
{
        CLEANUP(free) struct process_list *list = calloc(1, sizeof(*list));

        if (!list)
                return;
        get_list(c, unit, list);
        take_lines(list);
        for (size_t i = 0; i < list->n; i++) {
                struct shown_process *p = &list->items[i];

                printf("%s%d %s%s%s\n", i == 0 ? "  Processes: " : "             ", (int)p->pid,
                       p->line ? "" : "[", shown(p->line ? p->line : p->name), p->line ? "" : "]");
                free(p->name);
                free(p->line);
        }
}
