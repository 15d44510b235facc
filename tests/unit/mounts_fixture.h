// A table of mounts for tests: the kernel's, with changes.
#pragma once

#include "base/buf.h"
#include "base/fd.h"
#include "base/mounts.h"
#include "base/str.h"
#include "unit/harness.h"

#include <fcntl.h>

// The kernel's table with each `old` replaced ("-", "-": nothing), and lines more. mounts_done()
// goes back to the kernel's.
static inline void mounts_fixture_set(const char *old, const char *new, const char *more)
{
        CLEANUP(buf) struct buf b = BUF_NULL;
        CLEANUP(free) char *text = NULL;
        CLEANUP(fd) int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);

        assert_int_equal(fd_read_all(fd, 16u << 20, &text, NULL), 0);
        for (const char *p = text; *p;) {
                const char *rest = str_after_prefix(p, old);

                if (rest)
                        buf_puts(&b, new);
                else
                        buf_putc(&b, *p);
                p = rest ? rest : p + 1;
        }
        buf_puts(&b, more);
        assert_int_equal(mounts_set_table(buf_text(&b)), 0);
}

// A mount of this type on path, on top of all others.
static inline void mounts_fixture_add(const char *path, const char *type)
{
        CLEANUP(free)
        char *line = str_printf("999999 1 0:99 / %s rw - %s server:/x rw\n", path, type);

        assert_non_null(line);
        mounts_fixture_set("-", "-", line);
}
