// Conditions about the machine: its kind, its kernel, its security features.
#include "base/fd.h"
#include "base/fs.h"
#include "base/parse.h"
#include "base/proc.h"
#include "base/str.h"
#include "base/strv.h"
#include "core/condition/condition_priv.h"

#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <systemd/sd-id128.h>

#define SMALL_FILE 65536

static int exists(const char *path)
{
        return access(path, F_OK) == 0;
}

// ---- virtualization

// The container manager that runs this system, in systemd-detect-virt(1)'s words; NULL: no
// container.
static const char *find_container(void)
{
        static const char *const known[] = {"systemd-nspawn", "lxc",   "lxc-libvirt", "docker",
                                            "podman",         "rkt",   "wsl",         "proot",
                                            "pouch",          "openvz"};
        CLEANUP(free) char *value = NULL;

        if (exists("/proc/vz") && !exists("/proc/bc"))
                return "openvz";
        // PID 1 reads its own environment; any other process reads the file in /run, or PID 1's
        // environment.
        if (getpid() == 1 && getenv("container"))
                value = strdup(getenv("container"));
        else if (fs_read_file("/run/systemd/container", 64, &value, NULL) < 0 &&
                 proc_get_environ(1, "container", &value) < 0)
                value = NULL;
        if (value && *str_strip(value)) {
                const char *name = str_strip(value);

                for (size_t i = 0; i < ARRAY_SIZE(known); i++)
                        if (streq(name, known[i]))
                                return known[i];
                return "container-other";
        }
        if (exists("/run/.containerenv"))
                return "podman";
        return exists("/.dockerenv") ? "docker" : NULL;
}

static const char *find_vm(void)
{
        static const struct {
                const char *in_dmi, *id;
        } vendors[] = {
                {"KVM", "kvm"},
                {"OpenStack", "kvm"},
                {"KubeVirt", "kvm"},
                {"Amazon EC2", "amazon"},
                {"QEMU", "qemu"},
                {"VMware", "vmware"},
                {"VMW", "vmware"},
                {"innotek GmbH", "oracle"},
                {"VirtualBox", "oracle"},
                {"Oracle Corporation", "oracle"},
                {"Xen", "xen"},
                {"Bochs", "bochs"},
                {"Parallels", "parallels"},
                {"BHYVE", "bhyve"},
                {"Hyper-V", "microsoft"},
                {"Google", "google"},
                {"Apple Virtualization", "apple"},
        };
        static const char *const files[] = {
                "/sys/class/dmi/id/product_name", "/sys/class/dmi/id/sys_vendor",
                "/sys/class/dmi/id/board_vendor", "/sys/class/dmi/id/bios_vendor",
                "/sys/class/dmi/id/product_version"};
        CLEANUP(free) char *cpu = NULL;

        for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
                CLEANUP(free) char *text = NULL;

                if (fs_read_file(files[i], SMALL_FILE, &text, NULL) < 0)
                        continue;
                for (size_t k = 0; k < ARRAY_SIZE(vendors); k++)
                        if (str_after_prefix(text, vendors[k].in_dmi))
                                return vendors[k].id;
        }
        if (exists("/proc/xen") || exists("/sys/hypervisor/type"))
                return "xen";
        if (fs_read_file("/proc/cpuinfo", 1 << 20, &cpu, NULL) == 0 && strstr(cpu, " hypervisor"))
                return "vm-other";
        return NULL;
}

static bool is_private_users(void)
{
        CLEANUP(free) char *map = NULL;
        unsigned long inside, outside, count;

        if (fs_read_file("/proc/self/uid_map", SMALL_FILE, &map, NULL) < 0)
                return false;
        return sscanf(map, "%lu %lu %lu", &inside, &outside, &count) == 3 &&
               !(inside == 0 && outside == 0 && count == UINT32_MAX);
}

int condition_test_virtualization(const char *param)
{
        const char *container, *vm;
        bool wanted;

        if (streq(param, "private-users"))
                return is_private_users();
        container = find_container();
        if (streq(param, "container"))
                return container != NULL;
        vm = container ? NULL : find_vm();
        if (streq(param, "vm"))
                return vm != NULL;
        if (parse_bool(param, &wanted) == 0)
                return wanted == (container || vm);
        return (container && streq(param, container)) || (vm && streq(param, vm));
}

// ---- kernel

int condition_test_architecture(const char *param)
{
        static const struct {
                const char *machine, *name;
        } known[] = {
                {"x86_64", "x86-64"},    {"i686", "x86"},    {"i586", "x86"},
                {"i486", "x86"},         {"i386", "x86"},    {"aarch64", "arm64"},
                {"armv6l", "arm"},       {"armv7l", "arm"},  {"armv8l", "arm"},
                {"ppc64le", "ppc64-le"}, {"ppc64", "ppc64"}, {"riscv64", "riscv64"},
                {"riscv32", "riscv32"},  {"s390x", "s390x"}, {"loongarch64", "loongarch64"},
                {"mips64", "mips64"},    {"mips", "mips"},
        };
        struct utsname uts;

        if (uname(&uts) < 0)
                return -errno;
        if (streq(param, "native")) // usher is native code
                return 1;
        for (size_t i = 0; i < ARRAY_SIZE(known); i++)
                if (streq(uts.machine, known[i].machine))
                        return streq(param, known[i].name);
        return streq(param, uts.machine);
}

int condition_test_kernel_command_line(const char *param)
{
        CLEANUP(free) char *line = NULL;
        int r = fs_read_file("/proc/cmdline", SMALL_FILE, &line, NULL);

        return r < 0 ? r : proc_parse_boot_parameter(line, param);
}

// A list of patterns, or of operators with a version each; all must match.
static int test_versions(const char *text, const char *version)
{
        CLEANUP(strv) char **words = NULL;
        int r = parse_words(text, PARSE_WORD_UNQUOTE, &words);
        int pending = -1;

        if (r < 0)
                return r;
        STRV_FOREACH (word, words) {
                const char *rest = str_strip(*word);
                int op = pending >= 0 ? pending : compare_parse(&rest, true);

                pending = -1;
                rest += strspn(rest, " 	");
                if (op >= 0 && *rest == '\0') {
                        pending = op; // the next word is the version
                        continue;
                }
                bool matches = fnmatch(rest, version, 0) == 0;

                if (op < 0 || op == COMPARE_GLOB ? !matches
                    : op == COMPARE_NOT_GLOB
                            ? matches
                            : !compare_holds((enum compare)op, compare_versions(version, rest)))
                        return 0;
        }
        return pending < 0 ? 1 : -EINVAL;
}

int condition_test_kernel_version(const char *param)
{
        struct utsname uts;

        return uname(&uts) < 0 ? -errno : test_versions(param, uts.release);
}

int condition_test_version(const char *param)
{
        const char *rest = str_after_prefix(param, "kernel ");

        if (rest)
                return condition_test_kernel_version(rest);
        // usher has no systemd and no glibc of its own to compare with, so these names behave as on
        // a machine without them.
        if (str_after_prefix(param, "systemd ") || str_after_prefix(param, "glibc "))
                return 0;
        return condition_test_kernel_version(param);
}

int condition_test_module(const char *param)
{
        CLEANUP(free) char *path = str_printf("/sys/module/%s", param);

        if (!path)
                return -ENOMEM;
        if (strchr(param, '/') || !*param)
                return 0;
        for (char *c = path; *c; c++)
                if (*c == '-')
                        *c = '_';
        return exists(path);
}

// ---- host

// The value of a field of os-release; *ret NULL: it is not set.
static int get_os_field(const char *key, size_t key_size, char **ret)
{
        CLEANUP(free) char *text = NULL, *name = str_ndup(key, key_size);
        int r = fs_read_file("/etc/os-release", SMALL_FILE, &text, NULL);

        if (r == -ENOENT)
                r = fs_read_file("/usr/lib/os-release", SMALL_FILE, &text, NULL);
        if (r == 0)
                r = name ? parse_shell_variable(text, name, ret) : -ENOMEM;
        return MIN(r, 0);
}

static int test_os_word(const char *word)
{
        CLEANUP(free) char *value = NULL;
        size_t key_size = strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                       "0123456789_");
        const char *rest = word + key_size;
        int op = compare_parse(&rest, true);
        int r = op < 0 || key_size == 0 ? -EINVAL : get_os_field(word, key_size, &value);

        if (r < 0)
                return r;
        const char *have = value ? value : "";

        // "=" compares text; "==" and the others compare versions.
        switch (op) {
        case COMPARE_GLOB:
                return fnmatch(rest, have, 0) == 0;
        case COMPARE_NOT_GLOB:
                return fnmatch(rest, have, 0) != 0;
        case COMPARE_EQUAL:
                if (word[key_size + 1] != '=')
                        return streq(rest, have);
                return compare_versions(have, rest) == 0;
        default:
                return compare_holds((enum compare)op, compare_versions(have, rest));
        }
}

int condition_test_os_release(const char *param)
{
        CLEANUP(strv) char **words = NULL;
        int r = parse_words(param, PARSE_WORD_UNQUOTE, &words);

        STRV_FOREACH (word, words) {
                if (r < 0)
                        break;
                r = test_os_word(*word);
                if (r == 0)
                        return 0;
        }
        return r < 0 ? r : 1;
}

int condition_test_host(const char *param)
{
        sd_id128_t wanted, machine;
        struct utsname uts;

        if (sd_id128_from_string(param, &wanted) >= 0) {
                int r = sd_id128_get_machine(&machine);

                return r < 0 ? r : sd_id128_equal(wanted, machine);
        }
        return uname(&uts) < 0 ? -errno : fnmatch(param, uts.nodename, FNM_CASEFOLD) == 0;
}

// ---- security and state

int condition_test_security(const char *param)
{
        CLEANUP(free) char *text = NULL;

        if (streq(param, "selinux"))
                return exists("/sys/fs/selinux/enforce");
        if (streq(param, "apparmor"))
                return fs_read_file("/sys/module/apparmor/parameters/enabled", 16, &text, NULL) ==
                               0 &&
                       text[0] == 'Y';
        if (streq(param, "tomoyo"))
                return exists("/sys/kernel/security/tomoyo/version");
        if (streq(param, "smack"))
                return exists("/sys/fs/smackfs");
        if (streq(param, "ima"))
                return exists("/sys/kernel/security/ima");
        if (streq(param, "audit"))
                return exists("/proc/self/loginuid");
        if (streq(param, "uefi-secureboot")) {
                size_t size = 0;

                return fs_read_file("/sys/firmware/efi/efivars/SecureBoot-"
                                    "8be4df61-93ca-11d2-aa0d-00e098032b8c",
                                    16, &text, &size) == 0 &&
                       size == 5 && text[4] == 1;
        }
        if (streq(param, "tpm2"))
                return exists("/dev/tpmrm0");
        return 0;
}

int condition_test_first_boot(const char *param)
{
        bool wanted;
        int r = parse_bool(param, &wanted);

        return r < 0 ? r : wanted == (exists("/run/systemd/first-boot") > 0);
}

int condition_test_needs_update(const char *param)
{
        CLEANUP(free) char *path = str_printf("%s/.updated", param);
        struct stat usr, stamp;

        if (!path)
                return -ENOMEM;
        // Nothing needs an update if nothing can be written.
        if (condition_is_writable(param) == 0)
                return 0;
        if (lstat("/usr/", &usr) < 0 || condition_look(path, O_NOFOLLOW, &stamp) < 0)
                return 1;
        return usr.st_mtim.tv_sec != stamp.st_mtim.tv_sec
                       ? usr.st_mtim.tv_sec > stamp.st_mtim.tv_sec
                       : usr.st_mtim.tv_nsec > stamp.st_mtim.tv_nsec;
}

int condition_test_encrypted(const char *param)
{
        CLEANUP(free) char *uuid = NULL, *path = NULL;
        struct stat st;
        int r = condition_look(param, 0, &st);

        if (r < 0)
                return r == -ENOENT ? 0 : r;
        path = str_printf("/sys/dev/block/%u:%u/dm/uuid", major(st.st_dev), minor(st.st_dev));
        if (!path)
                return -ENOMEM;
        return fs_read_file(path, 256, &uuid, NULL) == 0 && str_after_prefix(uuid, "CRYPT-");
}
