// Conditions about the resources of the machine and the supervisor: processors, memory, power, ids,
// capabilities, pressure.
#include "base/fs.h"
#include "base/local.h"
#include "base/parse.h"
#include "base/proc_parse.h"
#include "base/str.h"
#include "base/strv.h"
#include "core/condition/condition_priv.h"
#include "spawn/ids.h"

#include <dirent.h>
#include <fnmatch.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <stdio.h>
#include <strings.h>
#include <sys/prctl.h>

#define SMALL_FILE 65536

static int get_cgroup(char **ret)
{
        CLEANUP(free) char *text = NULL;
        int r = fs_read_file("/proc/self/cgroup", SMALL_FILE, &text, NULL);

        return r < 0 ? r : proc_parse_cgroup(text, ret);
}

// ---- processors and memory

int condition_test_cpus(const char *param)
{
        cpu_set_t set;
        const char *rest = param;
        int op = compare_parse(&rest, false);
        uint32_t wanted;
        int r = parse_u32(rest, &wanted);

        if (r < 0)
                return r;
        if (sched_getaffinity(0, sizeof(set), &set) < 0)
                return -errno;
        int have = CPU_COUNT(&set);

        return compare_holds(op < 0 ? COMPARE_GREATER_EQUAL : (enum compare)op,
                             (have > (int64_t)wanted) - (have < (int64_t)wanted));
}

int condition_test_memory(const char *param)
{
        const char *rest = param;
        int op = compare_parse(&rest, false);
        uint64_t wanted, have;
        int r = parse_size(rest, &wanted);
        long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);

        if (r < 0)
                return r;
        if (pages < 0 || page < 0)
                return -ENOSYS;
        have = (uint64_t)pages * (uint64_t)page;
        return compare_holds(op < 0 ? COMPARE_GREATER_EQUAL : (enum compare)op,
                             (have > wanted) - (have < wanted));
}

int condition_test_cpu_feature(const char *param)
{
        CLEANUP(free) char *text = NULL;
        CLEANUP(strv) char **words = NULL;
        int r = fs_read_file("/proc/cpuinfo", 8 << 20, &text, NULL);
        char *flags = r == 0 ? strstr(text, "\nflags") : NULL;

        if (r < 0)
                return r;
        if (!flags)
                return 0;
        flags++;
        flags[strcspn(flags, "\n")] = '\0';
        r = strv_split(flags, " \t:", &words);
        if (r < 0)
                return r;
        STRV_FOREACH (word, words)
                if (strcasecmp(*word, param) == 0)
                        return 1;
        return 0;
}

// ---- cgroup

int condition_test_controller(const char *param)
{
        CLEANUP(free) char *text = NULL, *cgroup = NULL, *path = NULL;
        CLEANUP(strv) char **have = NULL, **wanted = NULL;
        bool is_v2 = access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0;

        if (streq(param, "v2"))
                return is_v2;
        if (streq(param, "v1"))
                return !is_v2 && access("/sys/fs/cgroup", F_OK) == 0;
        int r = is_v2 ? get_cgroup(&cgroup) : -ENOENT;

        if (r < 0)
                return r == -ENOENT ? 0 : r;
        path = str_printf("/sys/fs/cgroup%s/cgroup.controllers", cgroup);
        if (!path)
                return -ENOMEM;
        r = fs_read_file(path, SMALL_FILE, &text, NULL);
        if (r == -ENOENT)
                r = fs_read_file("/sys/fs/cgroup/cgroup.controllers", SMALL_FILE, &text, NULL);
        if (r == 0)
                r = strv_split(text, " \n", &have);
        if (r == 0)
                r = strv_split(param, " \t", &wanted);
        if (r < 0)
                return r;
        STRV_FOREACH (word, wanted)
                if (!strv_contains(have, *word))
                        return 0;
        return 1;
}

// "10%", "10.5%/1min", "SLICE:10%": the pressure that the kernel reports is at or below this limit.
int condition_test_pressure(const char *resource, const char *param)
{
        CLEANUP(free) char *path = NULL, *text = NULL;
        const char *colon = strchr(param, ':');
        const char *mark = colon ? colon + 1 : param;
        double limit, value;
        char unit[8] = "5min";

        if (sscanf(mark, " %lf%% / %7[0-9a-z]", &limit, unit) < 1)
                return -EINVAL;
        // Which of the kernel's three averages is meant.
        const char *average = streq(unit, "10s")    ? "avg10="
                              : streq(unit, "1min") ? "avg60="
                              : streq(unit, "5min") ? "avg300="
                                                    : NULL;

        if (!average)
                return -EINVAL;
        if (colon)
                path = str_printf("/sys/fs/cgroup/%.*s/%s.pressure", (int)(colon - param), param,
                                  resource);
        else
                path = str_printf("/proc/pressure/%s", resource);
        if (!path)
                return -ENOMEM;
        // A kernel without PSI reports no pressure, so the condition holds.
        if (fs_read_file(path, SMALL_FILE, &text, NULL) < 0)
                return 1;
        const char *line = strstr(text, "full ");
        const char *at = strstr(line ? line : text, average);

        if (!at || sscanf(at + strlen(average), "%lf", &value) != 1)
                return -EINVAL;
        return value <= limit;
}

// ---- power and firmware

static int is_online(const char *supply)
{
        CLEANUP(free) char *type_path = str_printf("/sys/class/power_supply/%s/type", supply);
        CLEANUP(free) char *online_path = str_printf("/sys/class/power_supply/%s/online", supply);
        CLEANUP(free) char *type = NULL, *online = NULL;

        if (!type_path || !online_path)
                return -ENOMEM;
        if (fs_read_file(type_path, 64, &type, NULL) < 0 || !streq(str_strip(type), "Mains"))
                return -ENODEV;
        if (fs_read_file(online_path, 64, &online, NULL) < 0)
                return -ENODEV;
        return online[0] != '0';
}

int condition_test_ac_power(const char *param)
{
        bool wanted, has_mains = false, has_power = false;
        int r = parse_bool(param, &wanted);
        DIR *dir = r == 0 ? opendir("/sys/class/power_supply") : NULL;
        const struct dirent *entry;

        if (r < 0)
                return r;
        while (dir && (entry = readdir(dir))) {
                r = entry->d_name[0] == '.' ? -ENODEV : is_online(entry->d_name);
                has_mains |= r >= 0;
                has_power |= r > 0;
        }
        if (dir)
                closedir(dir);
        // A machine that reports no mains adapter is a desktop, which is always on mains power.
        return wanted == (has_power || !has_mains);
}

int condition_test_firmware(const char *param)
{
        const char *rest = str_after_prefix(param, "smbios-field(");
        CLEANUP(free) char *path = NULL, *field = NULL, *value = NULL, *wanted = NULL;

        if (streq(param, "uefi"))
                return access("/sys/firmware/efi", F_OK) == 0;
        if (streq(param, "device-tree"))
                return access("/sys/firmware/devicetree", F_OK) == 0;
        if (str_after_prefix(param, "device-tree-compatible("))
                return 0; // only with a device tree, which names each board in a file of its own
        if (!rest)
                return -EINVAL;
        size_t size = strcspn(rest, " <>=!$)");

        field = str_ndup(rest, size);
        rest += size;
        rest += strspn(rest, " ");
        int op = compare_parse(&rest, true);

        wanted = str_ndup(rest, strcspn(rest, ")"));
        path = field ? str_printf("/sys/class/dmi/id/%s", field) : NULL;
        if (!path || !wanted)
                return -ENOMEM;
        if (op < 0 || strchr(field, '/'))
                return -EINVAL;
        if (fs_read_file(path, SMALL_FILE, &value, NULL) < 0)
                return 0;
        const char *have = str_strip(value), *mark = str_strip(wanted);

        if (op == COMPARE_GLOB || op == COMPARE_NOT_GLOB)
                return (fnmatch(mark, have, 0) == 0) == (op == COMPARE_GLOB);
        return compare_holds((enum compare)op, compare_versions(have, mark));
}

// ---- ids and capabilities

// In the kernel's order (capabilities(7)).
static const char *const capabilities[] = {
        "chown",
        "dac_override",
        "dac_read_search",
        "fowner",
        "fsetid",
        "kill",
        "setgid",
        "setuid",
        "setpcap",
        "linux_immutable",
        "net_bind_service",
        "net_broadcast",
        "net_admin",
        "net_raw",
        "ipc_lock",
        "ipc_owner",
        "sys_module",
        "sys_rawio",
        "sys_chroot",
        "sys_ptrace",
        "sys_pacct",
        "sys_admin",
        "sys_boot",
        "sys_nice",
        "sys_resource",
        "sys_time",
        "sys_tty_config",
        "mknod",
        "lease",
        "audit_write",
        "audit_control",
        "setfcap",
        "mac_override",
        "mac_admin",
        "syslog",
        "wake_alarm",
        "block_suspend",
        "audit_read",
        "perfmon",
        "bpf",
        "checkpoint_restore",
};

int condition_test_capability(const char *param)
{
        const char *name = strncasecmp(param, "cap_", 4) == 0 ? param + 4 : param;

        for (unsigned long i = 0; i < ARRAY_SIZE(capabilities); i++)
                if (strcasecmp(name, capabilities[i]) == 0) {
                        int r = prctl(PR_CAPBSET_READ, i, 0, 0, 0);

                        return r < 0 ? -errno : r;
                }
        return -EINVAL;
}

int condition_test_user(const char *param, bool is_user)
{
        CLEANUP(ids_user) struct ids_user user = {0};
        const struct passwd *pw;
        uid_t uid;

        if (parse_uid(param, &uid) == 0)
                return uid == getuid() || uid == geteuid();
        if (streq(param, "@system"))
                return getuid() < 1000 || geteuid() < 1000;
        // The system's supervisor never asks a name service, because it may have to start that
        // service itself.
        if (!is_user || getuid() == 0)
                return streq(param, "root") && getuid() == 0;
        int r = ids_get_user(param, NULL, &user);

        if (r == IDS_FOUND)
                return user.uid == getuid();
        if (r == IDS_NEEDS_LOOKUP)
                r = local_check_service();
        if (r < 0)
                return r == -ESRCH ? 0 : r;
        pw = getpwuid(getuid());
        return pw && streq(pw->pw_name, param);
}

// 1, 0: there is none, -errno.
static int find_group(const char *name, gid_t *ret)
{
        const struct group *gr;
        int r = ids_get_group(name, NULL, ret);

        if (r == IDS_FOUND)
                return 1;
        if (r == IDS_NEEDS_LOOKUP)
                r = local_check_service();
        if (r < 0)
                return r == -ESRCH ? 0 : r;
        gr = getgrnam(name);
        if (gr)
                *ret = gr->gr_gid;
        return gr != NULL;
}

int condition_test_group(const char *param)
{
        gid_t gid;
        int n;

        if (parse_uid(param, &gid) < 0) {
                if (getpid() == 1 || getuid() == 0)
                        return streq(param, "root");
                int r = find_group(param, &gid);

                if (r <= 0)
                        return r;
        }
        if (gid == getgid() || gid == getegid())
                return 1;
        n = getgroups(0, NULL);
        CLEANUP(free) gid_t *groups = n > 0 ? calloc((size_t)n, sizeof(*groups)) : NULL;

        if (n > 0 && !groups)
                return -ENOMEM;
        n = n > 0 ? getgroups(n, groups) : n;
        for (int i = 0; i < n; i++)
                if (groups[i] == gid)
                        return 1;
        return 0;
}
