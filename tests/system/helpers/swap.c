// swap UID A B [A B...]: as that user, exchanges the names A and B of each pair, on and on, until
// it is terminated; then it prints how often it could. What it wants to hit lies between two system
// calls of another process.
#include "base/def.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>

static volatile sig_atomic_t is_over;

static void on_term(int signo UNUSED)
{
        is_over = 1;
}

int main(int argc, char **argv)
{
        unsigned long n = 0;
        uid_t uid;

        if (argc < 4 || argc % 2 != 0)
                return 2;
        uid = (uid_t)strtoul(argv[1], NULL, 10);
        signal(SIGTERM, on_term);
        if (setgid(uid) < 0 || setuid(uid) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) {
                perror("swap");
                return 1;
        }
        puts("ready");
        fflush(stdout);
        while (!is_over)
                for (int i = 2; i < argc; i += 2)
                        n += renameat2(AT_FDCWD, argv[i], AT_FDCWD, argv[i + 1], RENAME_EXCHANGE) ==
                             0;
        printf("%lu\n", n);
        return 0;
}
