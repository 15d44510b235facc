// For the tests of conf: a folder of unit files that is written from a few lines, and a diagnostics
// sink that records the complaints.
#pragma once

#include "base/buf.h"
#include "base/fs.h"
#include "base/str.h"
#include "conf/diag.h"
#include "unit/harness.h"

#include <stdio.h>
#include <sys/stat.h>

static char top[] = "/tmp/usher-test-conf-XXXXXX";

static inline int setup_top(void **state)
{
        strcpy(top + sizeof(top) - 7, "XXXXXX");
        return mkdtemp(top) ? 0 : -1;
}

static inline int teardown_top(void **state)
{
        return fs_remove_tree(top);
}

#define TOP_TEST(f) cmocka_unit_test_setup_teardown(f, setup_top, teardown_top)

// A path below the test's own folder; eight may be in use at a time.
static inline const char *at(const char *name)
{
        static char paths[8][4096];
        static unsigned next;
        char *path = paths[next++ % 8];

        snprintf(path, sizeof(paths[0]), "%s/%s", top, name);
        return path;
}

static inline void put_file(const char *name, const char *text)
{
        const char *path = at(name);

        assert_int_equal(fs_mkdir_parents(path, 0755), 0);
        assert_int_equal(fs_write_file_atomic(path, text, 0644), 0);
}

static inline void put_link(const char *name, const char *target)
{
        const char *path = at(name);

        assert_int_equal(fs_mkdir_parents(path, 0755), 0);
        assert_int_equal(symlink(target, path), 0);
}

// Everything that was complained about, a line each: "n", "w" or "e", then as diag_format() has it,
// with the test's folder left out of paths.
struct complaints {
        struct diag diag;
        struct buf text;
};

static inline void complaints_emit(struct diag *diag, const struct diag_entry *entry)
{
        struct complaints *c = diag->data;
        char line[4096], *found;
        size_t length = strlen(top);

        diag_format(entry, line, sizeof(line));
        while ((found = strstr(line, top)))
                memmove(found, found + length + 1, strlen(found + length + 1) + 1);
        oom_pause();
        buf_printf(&c->text, "%c %s\n", "nwe"[entry->class], line);
        oom_resume();
}

static inline struct diag *complaints_init(struct complaints *c)
{
        *c = (struct complaints){.diag.emit = complaints_emit};
        c->diag.data = c;
        return &c->diag;
}

static inline void cleanup_complaints(struct complaints *c)
{
        buf_done(&c->text);
}
