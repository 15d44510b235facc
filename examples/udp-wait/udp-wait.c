// A datagram service in the way of inetd's "wait": the socket itself is standard input. The
// datagram that started the process waits in it; the process serves all that come and ends when
// none does.
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { IDLE_MS = 5000, DATAGRAM_MAX = 65536 };

int main(void)
{
        static char data[DATAGRAM_MAX];
        struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};

        while (poll(&input, 1, IDLE_MS) > 0) {
                struct sockaddr_storage peer;
                socklen_t peer_size = sizeof(peer);
                ssize_t size = recvfrom(STDIN_FILENO, data, sizeof(data), MSG_DONTWAIT,
                                        (struct sockaddr *)&peer, &peer_size);
                if (size < 0)
                        continue; // dropped for its checksum after poll saw it
                for (ssize_t i = 0, j = size - 1; i < j; i++, j--) {
                        char c = data[i];
                        data[i] = data[j];
                        data[j] = c;
                }
                sendto(STDIN_FILENO, data, (size_t)size, 0, (struct sockaddr *)&peer, peer_size);
        }
        return 0;
}
