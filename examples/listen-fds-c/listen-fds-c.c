// A service that is handed its listening sockets: it never binds, so it needs no privilege for low
// ports, and may be restarted, or end when it is idle, while clients wait in the queue.
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

enum { SOCKETS_MAX = 8, IDLE_MS = 10000 };

static void serve(int listener, unsigned number)
{
        char answer[128];
        int fd = accept(listener, NULL, NULL);
        if (fd < 0)
                return; // the client has gone again

        int size = snprintf(answer, sizeof(answer), "listen-fds-c: connection %u of process %d\n",
                            number, (int)getpid());
        if (send(fd, answer, (size_t)size, MSG_NOSIGNAL) < 0)
                fprintf(stderr, "cannot answer: %s\n", strerror(errno));
        close(fd);
}

int main(void)
{
        struct pollfd fds[SOCKETS_MAX];
        unsigned n_served = 0;

        int n = sd_listen_fds(1);
        if (n < 1 || n > SOCKETS_MAX) {
                fprintf(stderr, "wants 1 to %d sockets, got %d: start me through a socket unit\n",
                        SOCKETS_MAX, n);
                return 1;
        }
        for (int i = 0; i < n; i++)
                fds[i] = (struct pollfd){.fd = SD_LISTEN_FDS_START + i, .events = POLLIN};
        sd_notifyf(0, "READY=1\nSTATUS=Serving %d sockets", n);

        // Nobody for a while: end. The next client starts the service again.
        while (poll(fds, (nfds_t)n, IDLE_MS) > 0) {
                for (int i = 0; i < n; i++) {
                        if (fds[i].revents & POLLIN)
                                serve(fds[i].fd, ++n_served);
                }
        }
        sd_notify(0, "STOPPING=1");
        return 0;
}
