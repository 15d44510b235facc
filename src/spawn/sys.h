// Raw system calls for a child between clone and exec. They return -errno and access neither errno
// nor any other thread-local state, which such a child may share with the supervisor.
#pragma once

#include "base/def.h"

#include <fcntl.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
#define SYS_HAS_CLONE 1 // sys_clone_run() exists

static inline long sys_call6(long nr, long a, long b, long c, long d, long e, long f)
{
        long ret;
        register long r10 __asm__("r10") = d;
        register long r8 __asm__("r8") = e;
        register long r9 __asm__("r9") = f;

        __asm__ volatile("syscall"
                         : "=a"(ret)
                         : "0"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                         : "rcx", "r11", "memory");
        return ret;
}

// clone3() whose child runs fn(arg) on the stack given in args; fn must not return.
static inline long sys_clone_run(void *args, size_t size, void (*fn)(void *), void *arg)
{
        long ret;
        register long r8 __asm__("r8") = (long)fn;
        register long r9 __asm__("r9") = (long)arg;

        __asm__ volatile("syscall\n\t"
                         "test %%rax, %%rax\n\t"
                         "jnz 1f\n\t"
                         "xor %%ebp, %%ebp\n\t" // marks the end of the stack for debuggers
                         "mov %%r9, %%rdi\n\t"
                         "call *%%r8\n\t"
                         "ud2\n"
                         "1:"
                         : "=a"(ret), "+r"(r8), "+r"(r9)
                         : "0"((long)SYS_clone3), "D"(args), "S"(size)
                         : "rcx", "r11", "memory");
        return ret;
}
#elif defined(__aarch64__)
#define SYS_HAS_CLONE 1

static inline long sys_call6(long nr, long a, long b, long c, long d, long e, long f)
{
        register long x8 __asm__("x8") = nr;
        register long x0 __asm__("x0") = a;
        register long x1 __asm__("x1") = b;
        register long x2 __asm__("x2") = c;
        register long x3 __asm__("x3") = d;
        register long x4 __asm__("x4") = e;
        register long x5 __asm__("x5") = f;

        __asm__ volatile("svc 0"
                         : "+r"(x0)
                         : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                         : "memory");
        return x0;
}

static inline long sys_clone_run(void *args, size_t size, void (*fn)(void *), void *arg)
{
        register long x8 __asm__("x8") = SYS_clone3;
        register long x0 __asm__("x0") = (long)args;
        register long x1 __asm__("x1") = (long)size;
        register long x9 __asm__("x9") = (long)fn;
        register long x10 __asm__("x10") = (long)arg;

        __asm__ volatile("svc 0\n\t"
                         "cbnz x0, 1f\n\t"
                         "mov x29, xzr\n\t"
                         "mov x0, x10\n\t"
                         "blr x9\n\t"
                         "brk 1\n"
                         "1:"
                         : "+r"(x0)
                         : "r"(x8), "r"(x1), "r"(x9), "r"(x10)
                         : "memory");
        return x0;
}
#else
#define SYS_HAS_CLONE 0 // only fork: the child has its own memory, and so its own errno

static inline long sys_call6(long nr, long a, long b, long c, long d, long e, long f)
{
        long ret = syscall(nr, a, b, c, d, e, f);

        return ret < 0 ? -errno : ret;
}
#endif

#define SYS_CALL_(nr, a, b, c, d, e, f, ...) \
        sys_call6(nr, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
// SYS_CALL(number, up to six arguments): result, or -errno.
#define SYS_CALL(nr, ...) SYS_CALL_(nr, ##__VA_ARGS__, 0, 0, 0, 0, 0, 0)

static inline int sys_openat(int dir, const char *path, int flags, mode_t mode)
{
        return (int)SYS_CALL(SYS_openat, dir, path, flags, mode);
}

static inline int sys_close(int fd)
{
        return (int)SYS_CALL(SYS_close, fd);
}

static inline long sys_write(int fd, const void *data, size_t size)
{
        return SYS_CALL(SYS_write, fd, data, size);
}

// dup2() that accepts from == to (then it only clears close-on-exec).
static inline int sys_place_fd(int from, int to)
{
        if (from == to)
                return (int)SYS_CALL(SYS_fcntl, from, F_SETFD, 0);
        return (int)SYS_CALL(SYS_dup3, from, to, 0);
}

static inline int sys_fcntl(int fd, int command, long arg)
{
        return (int)SYS_CALL(SYS_fcntl, fd, command, arg);
}

static inline pid_t sys_getpid(void)
{
        return (pid_t)SYS_CALL(SYS_getpid);
}

#define SYS_SIGNALS_MAX 64

// The kernel's structure; libc's differs, and its sigaction() rejects two signals.
struct sys_sigaction {
        void (*handler)(int);
        unsigned long flags;
        void (*restorer)(void);
        uint64_t mask;
};

static inline int sys_sigaction(int signo, const struct sys_sigaction *action,
                                struct sys_sigaction *ret_old)
{
        return (int)SYS_CALL(SYS_rt_sigaction, signo, action, ret_old, sizeof(uint64_t));
}

__attribute__((noreturn)) static inline void sys_exit(int status)
{
        (void)SYS_CALL(SYS_exit_group, status);
        (void)SYS_CALL(SYS_exit, status); // a filter of system calls forbids the other one
        for (;;)
                __builtin_trap();
}
