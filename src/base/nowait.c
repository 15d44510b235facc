#include "base/nowait.h"

#include "base/fd.h"

#include <errno.h>
#include <signal.h>
#include <sys/time.h>

// Again and again: the first signal may come just before the call begins to wait.
#define MOMENT_USEC 1000

static void on_alarm(int signo UNUSED)
{
}

void nowait_begin(void)
{
        static const struct itimerval often = {{0, MOMENT_USEC}, {0, MOMENT_USEC}};
        static bool has_handler;

        if (!has_handler) {
                struct sigaction action = {.sa_handler = on_alarm}; // no SA_RESTART

                has_handler = sigaction(SIGALRM, &action, NULL) == 0;
        }
        if (has_handler)
                (void)setitimer(ITIMER_REAL, &often, NULL);
}

void nowait_end(void)
{
        static const struct itimerval never;
        int error = errno;

        (void)setitimer(ITIMER_REAL, &never, NULL);
        errno = error;
}

int nowait_close(int fd)
{
        if (fd < 0)
                return -1;
        nowait_begin();
        (void)fd_close(fd);
        nowait_end();
        return -1;
}
