// Shared by the tests of the log: the test reads what is written to file descriptor 2 and to the
// sockets of the journal and of syslog.
#pragma once

#include "base/log.h"

#include "base/buf.h"
#include "base/fd.h"
#include "base/str.h"
#include "unit/harness.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>

#define PIPE_SIZE 8192

static struct {
        int saved_stderr;
        int reader;  // what stderr leads to
        int journal; // what the socket of journal or syslog leads to, -1: there is none
        bool has_no_proc, is_syslog;
        unsigned n_connects;
        char journal_path[64];
} fake = {.saved_stderr = -1, .reader = -1, .journal = -1};

int __real_connect(int fd, const struct sockaddr *address, socklen_t size);
int __wrap_connect(int fd, const struct sockaddr *address, socklen_t size);
int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);

int __wrap_connect(int fd, const struct sockaddr *address, socklen_t size)
{
        struct sockaddr_un un = {.sun_family = AF_UNIX};

        assert_string_equal(((const struct sockaddr_un *)address)->sun_path,
                            fake.is_syslog ? "/dev/log" : "/run/systemd/journal/socket");
        fake.n_connects++;
        strcpy(un.sun_path, fake.journal_path);
        return __real_connect(fd, (struct sockaddr *)&un, sizeof(un));
}

int __wrap_open(const char *path, int flags, ...)
{
        if (fake.has_no_proc && str_after_prefix(path, "/proc/")) {
                errno = ENOENT;
                return -1;
        }
        return __real_open(path, flags, 0);
}

static inline void put_on_stderr(int reader, int writer)
{
        fake.reader = reader;
        assert_int_equal(dup2(writer, STDERR_FILENO), STDERR_FILENO);
        close(writer);
}

static inline void use_pipe(void)
{
        int fds[2];

        assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
        assert_true(fcntl(fds[1], F_SETPIPE_SZ, PIPE_SIZE) == PIPE_SIZE);
        assert_int_equal(fd_set_nonblock(fds[0], true), 0);
        put_on_stderr(fds[0], fds[1]);
}

static inline int setup(void **state)
{
        fake.saved_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, FD_LOW_WINDOW);
        snprintf(fake.journal_path, sizeof(fake.journal_path), "/tmp/usher-test-log-%d", getpid());
        unsetenv("JOURNAL_STREAM");
        log_set_level(LOG_INFO);
        log_set_time(LOG_TIME_NO);
        use_pipe();
        return log_set_target(LOG_TARGET_STDERR, LOG_FORMAT_TEXT);
}

static inline int teardown(void **state)
{
        dup2(fake.saved_stderr, STDERR_FILENO);
        fake.saved_stderr = fd_close(fake.saved_stderr);
        fake.reader = fd_close(fake.reader);
        fake.journal = fd_close(fake.journal);
        fake.has_no_proc = fake.is_syslog = false;
        log_set_time(LOG_TIME_AUTO);
        log_set_user(false);
        unlink(fake.journal_path);
        unsetenv("JOURNAL_STREAM");
        log_set_hook(NULL, NULL);
        log_close();
        return 0;
}

static inline const char *read_log(void)
{
        static char text[200000];
        ssize_t n = 0, size = 0;

        while ((n = read(fake.reader, text + size, sizeof(text) - 1 - (size_t)size)) > 0)
                size += n;
        text[size] = '\0';
        return text;
}

static inline void print_line(const char *unit, pid_t pid, const char *identifier, int priority,
                              const char *line, size_t size)
{
        const struct log_source from = {.unit = unit, .pid = pid, .identifier = identifier};

        log_service_line(&from, priority, line, size);
}

static inline void start_journal(void)
{
        struct sockaddr_un un = {.sun_family = AF_UNIX};

        unlink(fake.journal_path);
        strcpy(un.sun_path, fake.journal_path);
        fake.journal = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        assert_int_equal(bind(fake.journal, (struct sockaddr *)&un, sizeof(un)), 0);
}

static inline void set_journal_stream(void)
{
        struct stat st;
        char text[64];

        assert_int_equal(fstat(STDERR_FILENO, &st), 0);
        snprintf(text, sizeof(text), "%llu:%llu", (unsigned long long)st.st_dev,
                 (unsigned long long)st.st_ino);
        setenv("JOURNAL_STREAM", text, 1);
}

static inline void assert_journal(const char *expected)
{
        char text[20000];
        ssize_t n = recv(fake.journal, text, sizeof(text) - 1, 0);

        assert_true(n >= 0);
        text[n] = '\0';
        assert_string_equal(text, expected);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
