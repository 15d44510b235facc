#include "core/condition/condition.h"

#include "base/fd.h"
#include "base/fs.h"
#include "base/fs_glob.h"
#include "base/fs_open.h"
#include "base/str.h"
#include "base/strv.h"
#include "core/condition/condition_priv.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>

static const char *const names[_CONDITION_TYPE_MAX] = {
        [CONDITION_PATH_EXISTS] = "PathExists",
        [CONDITION_PATH_EXISTS_GLOB] = "PathExistsGlob",
        [CONDITION_PATH_IS_DIRECTORY] = "PathIsDirectory",
        [CONDITION_PATH_IS_SYMBOLIC_LINK] = "PathIsSymbolicLink",
        [CONDITION_PATH_IS_MOUNT_POINT] = "PathIsMountPoint",
        [CONDITION_PATH_IS_READ_WRITE] = "PathIsReadWrite",
        [CONDITION_PATH_IS_ENCRYPTED] = "PathIsEncrypted",
        [CONDITION_DIRECTORY_NOT_EMPTY] = "DirectoryNotEmpty",
        [CONDITION_FILE_NOT_EMPTY] = "FileNotEmpty",
        [CONDITION_FILE_IS_EXECUTABLE] = "FileIsExecutable",
        [CONDITION_NEEDS_UPDATE] = "NeedsUpdate",
        [CONDITION_FIRST_BOOT] = "FirstBoot",
        [CONDITION_KERNEL_COMMAND_LINE] = "KernelCommandLine",
        [CONDITION_KERNEL_VERSION] = "KernelVersion",
        [CONDITION_VERSION] = "Version",
        [CONDITION_KERNEL_MODULE_LOADED] = "KernelModuleLoaded",
        [CONDITION_VIRTUALIZATION] = "Virtualization",
        [CONDITION_SECURITY] = "Security",
        [CONDITION_CAPABILITY] = "Capability",
        [CONDITION_HOST] = "Host",
        [CONDITION_AC_POWER] = "ACPower",
        [CONDITION_ARCHITECTURE] = "Architecture",
        [CONDITION_FIRMWARE] = "Firmware",
        [CONDITION_ENVIRONMENT] = "Environment",
        [CONDITION_USER] = "User",
        [CONDITION_GROUP] = "Group",
        [CONDITION_CONTROL_GROUP_CONTROLLER] = "ControlGroupController",
        [CONDITION_CPUS] = "CPUs",
        [CONDITION_MEMORY] = "Memory",
        [CONDITION_CPU_FEATURE] = "CPUFeature",
        [CONDITION_OS_RELEASE] = "OSRelease",
        [CONDITION_CREDENTIAL] = "Credential",
        [CONDITION_MEMORY_PRESSURE] = "MemoryPressure",
        [CONDITION_CPU_PRESSURE] = "CPUPressure",
        [CONDITION_IO_PRESSURE] = "IOPressure",
};

const char *condition_format(const struct condition *c, const char *prefix, char *buf, size_t size)
{
        snprintf(buf, size, "%s%s=%s%s%s", prefix, names[c->type], c->trigger ? "|" : "",
                 c->negate ? "!" : "", c->param);
        return buf;
}

// ---- paths

int condition_look(const char *path, int flags, struct stat *ret)
{
        CLEANUP(fd) int fd = fs_open_trusting(path, flags | O_PATH, FS_EVERYBODY, NULL, NULL);

        return fd < 0 ? fd : fstat(fd, ret) < 0 ? -errno : 0;
}

int condition_is_writable(const char *path)
{
        CLEANUP(fd) int fd = fs_open_trusting(path, O_PATH, FS_EVERYBODY, NULL, NULL);
        struct statvfs sv;

        return fd < 0 ? fd : fstatvfs(fd, &sv) < 0 ? -errno : !(sv.f_flag & ST_RDONLY);
}

static int test_glob(const char *pattern)
{
        glob_t found = {0};
        int r = fs_glob(pattern, GLOB_NOSORT, &found);

        globfree(&found);
        if (r == GLOB_NOSPACE)
                return -ENOMEM;
        return r == 0;
}

static int test_mount_point(const char *path)
{
        // In a chroot, too, where the kernel sees a folder like any other.
        if (streq(path, "/"))
                return 1;
        CLEANUP(free) char *parent = str_printf("%s/..", path);
        CLEANUP(fd) int fd = fs_open_trusting(path, O_PATH | O_NOFOLLOW, FS_EVERYBODY, NULL, NULL);
        unsigned mask = STATX_TYPE | STATX_INO | STATX_MNT_ID;
        struct statx here;
        struct stat above;

        if (!parent)
                return -ENOMEM;
        if (fd < 0)
                return fd == -ENOENT ? 0 : fd;
        if (statx(fd, "", AT_EMPTY_PATH, mask, &here) < 0)
                return -errno;
        if (here.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT)
                return (here.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
        if (!S_ISDIR(here.stx_mode))
                return 0;
        int r = condition_look(parent, 0, &above);

        return r < 0 ? r
                     : makedev(here.stx_dev_major, here.stx_dev_minor) != above.st_dev ||
                               here.stx_ino == above.st_ino;
}

static int test_directory_not_empty(const char *path)
{
        CLEANUP(fd)
        int fd = fs_open_trusting(path, O_RDONLY | O_DIRECTORY | O_NONBLOCK, FS_EVERYBODY, NULL,
                                  NULL);
        DIR *dir = fd < 0 ? NULL : fdopendir(fd);
        const struct dirent *entry;
        int r = 0;

        if (!dir)
                return fd >= 0 ? -errno : fd == -ENOENT || fd == -ENOTDIR ? 0 : fd;
        (void)TAKE_FD(fd);
        while (r == 0 && (entry = readdir(dir)))
                r = strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
        closedir(dir);
        return r;
}

static int test_exists(const char *path)
{
        struct stat st;

        return condition_look(path, 0, &st) == 0;
}

static int test_directory(const char *path)
{
        struct stat st;

        return condition_look(path, 0, &st) == 0 && S_ISDIR(st.st_mode);
}

static int test_symbolic_link(const char *path)
{
        struct stat st;

        return condition_look(path, O_NOFOLLOW, &st) == 0 && S_ISLNK(st.st_mode);
}

static int test_read_write(const char *path)
{
        int r = condition_is_writable(path);

        return r == -ENOENT ? 0 : r;
}

static int test_file_not_empty(const char *path)
{
        struct stat st;

        return condition_look(path, 0, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0;
}

static int test_file_is_executable(const char *path)
{
        struct stat st;

        return condition_look(path, 0, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 0111) != 0;
}

// ---- the supervisor's own

static int test_environment(const char *param, char *const *environment)
{
        const char *equals = strchr(param, '=');

        if (equals)
                return strv_contains(environment, param);
        return strv_env_get(environment, param) != NULL;
}

static int test_credential(const char *name, char *const *environment)
{
        const char *dir = strv_env_get(environment, "CREDENTIALS_DIRECTORY");
        CLEANUP(free) char *path = NULL;
        struct stat st;

        if (!dir || strchr(name, '/') || streq(name, ".."))
                return 0;
        path = fs_path_join(dir, name);
        return path ? condition_look(path, 0, &st) == 0 : -ENOMEM;
}

// ---- all of them

static int test_memory_pressure(const char *param)
{
        return condition_test_pressure("memory", param);
}

static int test_cpu_pressure(const char *param)
{
        return condition_test_pressure("cpu", param);
}

static int test_io_pressure(const char *param)
{
        return condition_test_pressure("io", param);
}

// The tests that need no facts about the supervisor: 1, 0, or -errno.
static int (*const tests[_CONDITION_TYPE_MAX])(const char *param) = {
        [CONDITION_PATH_EXISTS] = test_exists,
        [CONDITION_PATH_EXISTS_GLOB] = test_glob,
        [CONDITION_PATH_IS_DIRECTORY] = test_directory,
        [CONDITION_PATH_IS_SYMBOLIC_LINK] = test_symbolic_link,
        [CONDITION_PATH_IS_MOUNT_POINT] = test_mount_point,
        [CONDITION_PATH_IS_READ_WRITE] = test_read_write,
        [CONDITION_PATH_IS_ENCRYPTED] = condition_test_encrypted,
        [CONDITION_DIRECTORY_NOT_EMPTY] = test_directory_not_empty,
        [CONDITION_FILE_NOT_EMPTY] = test_file_not_empty,
        [CONDITION_FILE_IS_EXECUTABLE] = test_file_is_executable,
        [CONDITION_NEEDS_UPDATE] = condition_test_needs_update,
        [CONDITION_FIRST_BOOT] = condition_test_first_boot,
        [CONDITION_KERNEL_COMMAND_LINE] = condition_test_kernel_command_line,
        [CONDITION_KERNEL_VERSION] = condition_test_kernel_version,
        [CONDITION_VERSION] = condition_test_version,
        [CONDITION_KERNEL_MODULE_LOADED] = condition_test_module,
        [CONDITION_VIRTUALIZATION] = condition_test_virtualization,
        [CONDITION_SECURITY] = condition_test_security,
        [CONDITION_CAPABILITY] = condition_test_capability,
        [CONDITION_HOST] = condition_test_host,
        [CONDITION_AC_POWER] = condition_test_ac_power,
        [CONDITION_ARCHITECTURE] = condition_test_architecture,
        [CONDITION_FIRMWARE] = condition_test_firmware,
        [CONDITION_GROUP] = condition_test_group,
        [CONDITION_CONTROL_GROUP_CONTROLLER] = condition_test_controller,
        [CONDITION_CPUS] = condition_test_cpus,
        [CONDITION_MEMORY] = condition_test_memory,
        [CONDITION_CPU_FEATURE] = condition_test_cpu_feature,
        [CONDITION_OS_RELEASE] = condition_test_os_release,
        [CONDITION_MEMORY_PRESSURE] = test_memory_pressure,
        [CONDITION_CPU_PRESSURE] = test_cpu_pressure,
        [CONDITION_IO_PRESSURE] = test_io_pressure,
};

int condition_test(const struct condition *c, const struct condition_context *context)
{
        int r;

        if (c->type == CONDITION_ENVIRONMENT)
                r = test_environment(c->param, context->environment);
        else if (c->type == CONDITION_CREDENTIAL)
                r = test_credential(c->param, context->own_environment);
        else if (c->type == CONDITION_USER)
                r = condition_test_user(c->param, context->is_user);
        else
                r = tests[c->type](c->param);
        return r < 0 ? r : (r > 0) == !c->negate;
}

void condition_list_test(const struct condition_list *list, const struct condition_context *context,
                         int8_t *states)
{
        bool is_decided = false;

        for (size_t i = 0; i < list->n; i++) {
                const struct condition *c = &list->items[i];

                states[i] = is_decided                       ? CONDITION_UNTESTED
                            : condition_test(c, context) > 0 ? CONDITION_MET
                                                             : CONDITION_UNMET;
                is_decided |= !c->trigger && states[i] == CONDITION_UNMET;
        }
}

enum condition_answer condition_list_judge(const struct condition_list *list, const int8_t *states,
                                           const struct condition **ret_failed)
{
        const struct condition *last_trigger = NULL;
        bool is_triggered = false;

        for (size_t i = 0; i < list->n; i++) {
                const struct condition *c = &list->items[i];
                bool holds = states[i] == CONDITION_MET;

                if (c->trigger) {
                        is_triggered |= holds;
                        last_trigger = c;
                } else if (!holds) {
                        *ret_failed = c;
                        return CONDITIONS_FAILED;
                }
        }
        if (!last_trigger || is_triggered)
                return CONDITIONS_HOLD;
        *ret_failed = last_trigger;
        return CONDITIONS_NO_TRIGGER;
}
