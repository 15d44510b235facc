#include "daemon/listen_fds.h"

#include "base/fd.h"

#include <systemd/sd-daemon.h>

int listen_fds_take(int **ret, size_t *ret_n)
{
        int n = sd_listen_fds(1), *fds;
        size_t n_fds = 0;

        if (n < 0)
                return n;
        fds = n > 0 ? calloc((size_t)n, sizeof(int)) : NULL;
        if (n > 0 && !fds)
                return -ENOMEM;
        for (int i = 0; i < n; i++) {
                int fd = fd_move_up(SD_LISTEN_FDS_START + i);

                if (fd >= 0)
                        fds[n_fds++] = fd;
        }
        *ret = fds;
        *ret_n = n_fds;
        return 0;
}
