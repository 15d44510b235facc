#include "base/owner.h"

#include "base/fd.h"

#include <fcntl.h>
#include <stdio.h>

#define MAP_SIZE_MAX (340 * 33 + 1) // lines of three numbers, and a NUL (user_namespaces(7))

bool owner_map_has(const char *map, uid_t uid)
{
        unsigned long inside, outside, count;
        int n;

        while (sscanf(map, "%lu %lu %lu%n", &inside, &outside, &count, &n) == 3) {
                if (uid >= inside && uid - inside < count)
                        return true;
                map += n;
        }
        return false;
}

// Allocates nothing; a file that cannot be read makes the owner a stranger. True: text is filled.
static bool read_proc(const char *path, char *text, size_t size)
{
        CLEANUP(fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? -1 : read(fd, text, size - 1);

        if (n < 0)
                return false;
        text[n] = '\0';
        return true;
}

static bool is_unmapped(uid_t uid)
{
        char overflow[16], map[MAP_SIZE_MAX];

        return read_proc("/proc/sys/kernel/overflowuid", overflow, sizeof(overflow)) &&
               strtoul(overflow, NULL, 10) == uid &&
               read_proc("/proc/self/uid_map", map, sizeof(map)) && !owner_map_has(map, uid);
}

bool owner_kernel_protects_names(void)
{
        char text[8];

        return read_proc("/proc/sys/fs/protected_hardlinks", text, sizeof(text)) && text[0] == '1';
}

bool owner_is_trusted(uid_t uid)
{
        return uid == 0 || uid == geteuid() || is_unmapped(uid);
}

bool owner_may_be_planted(const struct stat *folder, const struct stat *file)
{
        bool is_shared = folder->st_mode & (S_IWGRP | S_IWOTH);

        if (S_ISDIR(file->st_mode) || file->st_nlink <= 1)
                return false;
        return is_shared || (folder->st_uid != file->st_uid && !owner_is_trusted(folder->st_uid));
}
