// The few definitions that every file may use: cleanup attributes, transfer of ownership, array
// sizes.
#pragma once

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef uint64_t
        usec_t; // microseconds; points in time are CLOCK_MONOTONIC unless the name says otherwise
#define USEC_INFINITY ((usec_t)UINT64_MAX)
#define USEC_PER_SEC ((usec_t)1000000)
#define USEC_PER_MSEC ((usec_t)1000)
#define NSEC_PER_USEC ((uint64_t)1000)

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))
#define UNUSED __attribute__((unused))

#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

// The struct that embeds member at address ptr.
#define CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

// CLEANUP(NAME): the variable is passed to cleanup_NAME() when it leaves its scope. Each module
// that has something to release defines cleanup_NAME with DEFINE_CLEANUP below its destructor.
#define CLEANUP(name) __attribute__((cleanup(cleanup_##name)))
#define DEFINE_CLEANUP(name, type, func)           \
        static inline void cleanup_##name(type *p) \
        {                                          \
                if (*p)                            \
                        func(*p);                  \
        }

// Transfers ownership of a pointer: gives the variable's value and sets the variable to NULL.
#define TAKE(p)                                   \
        ({                                        \
                __typeof__(p) *take_p_ = &(p);    \
                __typeof__(p) take_v_ = *take_p_; \
                *take_p_ = NULL;                  \
                take_v_;                          \
        })

// Transfers ownership of a file descriptor: gives its number and sets the variable to -1.
#define TAKE_FD(fd)                     \
        ({                              \
                int *take_p_ = &(fd);   \
                int take_v_ = *take_p_; \
                *take_p_ = -1;          \
                take_v_;                \
        })

// At the beginning of a function: asserts that the function is not on the stack already, with
// whatever arguments. Counted for the whole process.
#define NOT_NESTED()                                    \
        static bool is_inside_;                         \
        assert(!is_inside_);                            \
        CLEANUP(not_nested) bool *leave_ = &is_inside_; \
        *leave_ = true

static inline void cleanup_not_nested(bool **p)
{
        **p = false;
}

static inline void cleanup_free(void *p)
{
        free(*(void **)p);
}
