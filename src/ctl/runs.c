// The supervisors of "usherd run", each of which has a folder with a random name.
#include "base/fd.h"
#include "base/str.h"
#include "conf/unit_path.h"
#include "ctl/ctl.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

// Any user can create a folder of such a name in /tmp, so its owner is checked.
static bool is_ours(const char *folder)
{
        struct stat st;

        return lstat(folder, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid();
}

// A supervisor that was killed leaves its folder behind.
static bool is_served(const char *folder)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        CLEANUP(fd) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        int n = snprintf(address.sun_path, sizeof(address.sun_path), "%s/systemd/private", folder);

        return fd >= 0 && n > 0 && (size_t)n < sizeof(address.sun_path) &&
               (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 || errno == EAGAIN);
}

static void print_run(const char *folder)
{
        CLEANUP(free) char *units = str_printf("%s/units", folder);
        DIR *dir = units ? opendir(units) : NULL;
        const struct dirent *entry;

        fprintf(stderr, "There is a \"usherd run\": usherctl --runtime-dir=%s", shown(folder));
        while (dir && (entry = readdir(dir)))
                if (str_at_suffix(entry->d_name, ".socket"))
                        fprintf(stderr, "  (%s)", shown(entry->d_name));
        fputc('\n', stderr);
        if (dir)
                closedir(dir);
}

void runs_print(void)
{
        const char *parent = unit_path_run_parent();
        DIR *dir = opendir(parent);
        const struct dirent *entry;

        while (dir && (entry = readdir(dir))) {
                if (!str_after_prefix(entry->d_name, UNIT_PATH_RUN_PREFIX))
                        continue;
                CLEANUP(free) char *folder = str_printf("%s/%s", parent, entry->d_name);

                if (folder && is_ours(folder) && is_served(folder))
                        print_run(folder);
        }
        if (dir)
                closedir(dir);
}
