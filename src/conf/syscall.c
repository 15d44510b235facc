#include "conf/syscall.h"

#include "base/parse.h"
#include "base/str.h"

#include <seccomp.h>

#define NUMBERS_MAX 1024  // of the native architecture; the kernel's tables end far below
#define NAME_MAX_SIZE 64  // of a system call
#define GROUP_DEPTH_MAX 4 // of groups inside groups: the table's deepest has 3
#define ERRORS_MAX 4095   // the largest error number that a system call can return

// ---- system calls and their groups -------------------------------------------------------------

static const struct {
        const char *name, *members;
} groups[] = {
#define SYSCALL_GROUP(name, members) {name, members},
#include "conf/syscall_groups.def"
#undef SYSCALL_GROUP
};

int syscall_number(const char *name, int *ret)
{
        int number = seccomp_syscall_resolve_name(name);

        if (number == __NR_SCMP_ERROR)
                return -ENOENT;
        *ret = number;
        return 0;
}

char *syscall_name(int number)
{
        return seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number);
}

// @known: libseccomp has no list of its names, so each number is asked for.
static int each_known(int (*each)(void *arg, int number), void *arg)
{
        int r = 0;

        for (int number = 0; r >= 0 && number < NUMBERS_MAX; number++) {
                CLEANUP(free) char *name = syscall_name(number);

                if (name)
                        r = each(arg, number);
        }
        return r < 0 ? r : 0;
}

static int walk(const char *name, unsigned depth, int (*each)(void *arg, int number), void *arg);

static int walk_members(const char *p, unsigned depth, int (*each)(void *arg, int number),
                        void *arg)
{
        char member[NAME_MAX_SIZE];
        int number, r = 0;

        while (r >= 0 && *p) {
                size_t n = strcspn(p, " ");

                if (n >= sizeof(member))
                        return -ENAMETOOLONG;
                memcpy(member, p, n);
                member[n] = '\0';
                p += n + strspn(p + n, " ");
                if (member[0] == '@')
                        r = walk(member, depth + 1, each, arg);
                else if (syscall_number(member, &number) == 0)
                        r = each(arg, number);
        }
        return r < 0 ? r : 0;
}

static int walk(const char *name, unsigned depth, int (*each)(void *arg, int number), void *arg)
{
        if (depth > GROUP_DEPTH_MAX)
                return -ELOOP;
        for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
                if (streq(groups[i].name, name))
                        return walk_members(groups[i].members, depth, each, arg);
        return -ENOENT;
}

int syscall_group_each(const char *name, int (*each)(void *arg, int number), void *arg)
{
        return streq(name, "@known") ? each_known(each, arg) : walk(name, 0, each, arg);
}

// ---- error numbers -----------------------------------------------------------------------------

// Second names of numbers, which strerrorname_np() does not give.
static const struct {
        const char *name;
        int error;
} synonyms[] = {
        {"EWOULDBLOCK", EWOULDBLOCK},
        {"EDEADLOCK", EDEADLOCK},
        {"ENOTSUP", ENOTSUP},
};

const char *syscall_error_name(int error)
{
        return error == SYSCALL_ERROR_KILL ? "kill" : strerrorname_np(error);
}

int syscall_error_parse(const char *text, int *ret)
{
        uint32_t number;

        if (streq(text, "kill")) {
                *ret = SYSCALL_ERROR_KILL;
                return 0;
        }
        if (parse_u32(text, &number) == 0) {
                if (number < 1 || number > ERRORS_MAX)
                        return -EINVAL;
                *ret = (int)number;
                return 0;
        }
        for (size_t i = 0; i < ARRAY_SIZE(synonyms); i++)
                if (streq(synonyms[i].name, text)) {
                        *ret = synonyms[i].error;
                        return 0;
                }
        for (int error = 1; error <= ERRORS_MAX; error++) {
                const char *name = strerrorname_np(error);

                if (name && streq(name, text)) {
                        *ret = error;
                        return 0;
                }
        }
        return -EINVAL;
}

// ---- architectures -----------------------------------------------------------------------------

static const struct {
        const char *name;
        uint32_t token;
} architectures[] = {
        {"native", SCMP_ARCH_NATIVE},
        {"x86", SCMP_ARCH_X86},
        {"x86-64", SCMP_ARCH_X86_64},
        {"x32", SCMP_ARCH_X32},
        {"arm", SCMP_ARCH_ARM},
        {"arm64", SCMP_ARCH_AARCH64},
        {"mips", SCMP_ARCH_MIPS},
        {"mips64", SCMP_ARCH_MIPS64},
        {"mips64-n32", SCMP_ARCH_MIPS64N32},
        {"mips-le", SCMP_ARCH_MIPSEL},
        {"mips64-le", SCMP_ARCH_MIPSEL64},
        {"mips64-le-n32", SCMP_ARCH_MIPSEL64N32},
        {"parisc", SCMP_ARCH_PARISC},
        {"parisc64", SCMP_ARCH_PARISC64},
        {"ppc", SCMP_ARCH_PPC},
        {"ppc64", SCMP_ARCH_PPC64},
        {"ppc64-le", SCMP_ARCH_PPC64LE},
        {"riscv64", SCMP_ARCH_RISCV64},
        {"s390", SCMP_ARCH_S390},
        {"s390x", SCMP_ARCH_S390X},
};

int syscall_architecture(const char *name, uint32_t *ret)
{
        for (size_t i = 0; i < ARRAY_SIZE(architectures); i++)
                if (streq(architectures[i].name, name)) {
                        *ret = architectures[i].token;
                        return 0;
                }
        return -EINVAL;
}
