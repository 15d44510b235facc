// The first byte says whether messages are expected and how the rest falls into reads. However it
// falls, the pieces end at the same places, and nothing is taken of what is too large.
#include "bus/intake.h"

#include <assert.h>

#define LIMIT 256
#define PIECES_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// Where pieces end; the last entry is what came of it.
static size_t cut(const uint8_t *data, size_t size, bool is_running, size_t read,
                  ssize_t ends[PIECES_MAX + 1])
{
        struct intake in = {.limit = LIMIT, .is_running = is_running};
        size_t n = 0, at = 0, begin = 0;

        while (at < size && n < PIECES_MAX) {
                ssize_t r = intake_take(&in, data + at, MIN(read, size - at));

                if (r < 0) {
                        ends[n++] = r;
                        return n;
                }
                assert(r > 0 && (size_t)r <= MIN(read, size - at));
                at += (size_t)r;
                assert(!is_running || at - begin <= LIMIT);
                if (intake_is_open(&in))
                        continue;
                ends[n++] = (ssize_t)at;
                begin = at;
        }
        return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        ssize_t whole[PIECES_MAX + 1], parts[PIECES_MAX + 1];

        if (size == 0)
                return 0;
        bool is_running = data[0] & 1;
        size_t read = (size_t)(data[0] >> 1) + 1;
        size_t n = cut(data + 1, size - 1, is_running, SIZE_MAX, whole);

        assert(n == cut(data + 1, size - 1, is_running, read, parts));
        assert(memcmp(whole, parts, n * sizeof(*whole)) == 0);
        return 0;
}
