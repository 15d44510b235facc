// Time. Policy code takes the time as an argument; its callers use these functions.
#pragma once

#include "base/def.h"

#include <time.h>

usec_t clock_now(void);          // CLOCK_MONOTONIC
usec_t clock_now_realtime(void); // CLOCK_REALTIME
usec_t clock_now_boottime(void); // CLOCK_BOOTTIME
usec_t clock_cpu(void);          // CLOCK_THREAD_CPUTIME_ID: CPU time of this thread
// a + b, a - b, without wrap-around: infinity stays infinity, never below 0.
usec_t usec_add(usec_t a, usec_t b);
usec_t usec_sub(usec_t a, usec_t b);
// "1min 30s", "100ms", "0", "infinity" as systemd prints time spans; buf at least USEC_SPAN_MAX.
#define USEC_SPAN_MAX 64
const char *usec_format_span(usec_t t, usec_t accuracy, char *buf, size_t size);
