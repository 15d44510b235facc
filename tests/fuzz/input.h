// What the harnesses share: an input is taken apart from its front, into blocks of their exact
// size, so that a read behind one is seen; and a look at whether descriptors stay open.
#pragma once

#include "base/def.h"

#include <assert.h>
#include <fcntl.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
        const uint8_t *next;
        size_t left;
};

// 0 behind the end.
static inline unsigned input_byte(struct input *in)
{
        if (in->left == 0)
                return 0;
        in->left--;
        return *in->next++;
}

// Little endian, of n bytes.
static inline uint64_t input_number(struct input *in, unsigned n)
{
        uint64_t value = 0;

        for (unsigned i = 0; i < n; i++)
                value |= (uint64_t)input_byte(in) << (8 * i);
        return value;
}

// The next n bytes, or those that are left, and a NUL. New.
static inline char *input_bytes(struct input *in, size_t n, size_t *ret_size)
{
        char *copy;

        n = MIN(n, in->left);
        copy = malloc(n + 1);
        assert(copy);
        if (n > 0)
                memcpy(copy, in->next, n);
        copy[n] = '\0';
        in->next += n;
        in->left -= n;
        if (ret_size)
                *ret_size = n;
        return copy;
}

static inline char *input_rest(struct input *in, size_t *ret_size)
{
        return input_bytes(in, in->left, ret_size);
}

// The bytes up to a NUL, which is skipped, or the end. New.
static inline char *input_string(struct input *in)
{
        const uint8_t *end = in->left > 0 ? memchr(in->next, '\0', in->left) : NULL;
        char *copy = input_bytes(in, end ? (size_t)(end - in->next) : in->left, NULL);

        (void)input_byte(in);
        return copy;
}

// The lowest descriptor that is free: the same before and after, where none was left open.
static inline int lowest_fd(void)
{
        int fd = dup(STDIN_FILENO);

        if (fd < 0) // standard input is closed: so it is the lowest
                return errno == EBADF ? STDIN_FILENO : -1;
        close(fd);
        return fd;
}
