// Whether the folders of the path are unchanged since they were read.
#include "base/clock.h"
#include "conf/search_index.h"

#include <sys/stat.h>

// The longest tick of the kernel's clock for files. A folder that was changed shortly before it was
// read may have been changed again since, with the same time.
#define CTIME_TICK (20 * USEC_PER_MSEC)

struct search_stamp {
        dev_t dev;
        ino_t ino; // 0: it did not exist
        struct timespec changed;
};

static struct search_stamp stamp_of(const char *path)
{
        struct stat st;

        if (stat(path, &st) < 0)
                return (struct search_stamp){0};
        return (struct search_stamp){st.st_dev, st.st_ino, st.st_ctim};
}

int search_stamp_dirs(struct search *s)
{
        s->stamps = calloc(s->n_dirs + 1, sizeof(*s->stamps));
        if (!s->stamps)
                return -ENOMEM;
        s->read = clock_now_realtime();
        for (size_t i = 0; i < s->n_dirs; i++)
                s->stamps[i] = stamp_of(s->dirs[i]);
        return 0;
}

bool search_is_fresh(const struct search *s)
{
        for (size_t i = 0; i < s->n_dirs; i++) {
                const struct search_stamp *then = &s->stamps[i];
                struct search_stamp now = stamp_of(s->dirs[i]);
                usec_t changed = (usec_t)now.changed.tv_sec * USEC_PER_SEC +
                                 (usec_t)now.changed.tv_nsec / NSEC_PER_USEC;

                if (now.dev != then->dev || now.ino != then->ino ||
                    now.changed.tv_sec != then->changed.tv_sec ||
                    now.changed.tv_nsec != then->changed.tv_nsec ||
                    (now.ino != 0 && changed + CTIME_TICK >= s->read))
                        return false;
        }
        return true;
}
