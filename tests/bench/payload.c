// The least service that there can be: a static program of some hundred bytes without a C library,
// so that what is measured is the server and not the loader. What it does is chosen when it is
// compiled:
//   (nothing)        six bytes to standard output, and the end: a connection of Accept=yes
//   PAYLOAD_listener accepts one connection on descriptor 3, six bytes to it, and the end:
//   Accept=no PAYLOAD_forever  the same, again and again PAYLOAD_stay     waits until standard
//   input ends
#include <sys/syscall.h>

#if defined(__x86_64__)
static long call(long number, long a, long b, long c)
{
        long r;

        __asm__ volatile("syscall"
                         : "=a"(r)
                         : "a"(number), "D"(a), "S"(b), "d"(c), "r"((long){0})
                         : "rcx", "r11", "memory");
        return r;
}
#elif defined(__aarch64__)
static long call(long number, long a, long b, long c)
{
        register long x8 __asm__("x8") = number;
        register long x0 __asm__("x0") = a;
        register long x1 __asm__("x1") = b;
        register long x2 __asm__("x2") = c;

        __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
        return x0;
}
#else
#error "the payload of the benchmark knows no system calls of this architecture"
#endif

static const char hello[] = "hello\n";

void _start(void);
void _start(void)
{
#if defined(PAYLOAD_listener) || defined(PAYLOAD_forever)
        long fd;

        do {
                fd = call(SYS_accept, 3, 0, 0);
                call(SYS_write, fd, (long)hello, sizeof(hello) - 1);
                call(SYS_close, fd, 0, 0);
#ifdef PAYLOAD_listener
                break;
#endif
        } while (fd >= 0);
#elif defined(PAYLOAD_stay)
        char buffer[64];

        while (call(SYS_read, 0, (long)buffer, sizeof(buffer)) > 0)
                ;
#else
        call(SYS_write, 1, (long)hello, sizeof(hello) - 1);
#endif
        call(SYS_exit_group, 0, 0, 0);
        for (;;)
                ;
}
