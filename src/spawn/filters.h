// The filters of system calls that a unit asks for, as programs for the kernel: one for the
// restrictions that each concern system calls of their own, one for SystemCallLog=, one for
// SystemCallFilter=. The kernel asks all of them, and the strictest answer counts.
//
// Compiling takes milliseconds, so plans whose filters are the same share one set, and the last
// sets stay for plans to come: those of connections live no longer than their instance.
#pragma once

#include "base/list.h"
#include "conf/unit_conf.h"

#include <linux/filter.h>

#define FILTERS_MAX 3

struct filter_set {
        unsigned refs;
        struct list_node node;
        struct unit_conf *conf;                  // reference: what it was compiled from
        struct sock_fprog programs[FILTERS_MAX]; // in the order of loading
        size_t n;
        // They end a process that does what a child does up to its exec. A process that ends so
        // takes a core file of its memory, which must not be the supervisor's.
        bool ends_child;
};

// 1 and *ret, a reference: the filters of conf; 0: it asks for none, or the kernel has none; -errno
// (of libseccomp, which has no further ones than the kernel).
int filters_get(struct unit_conf *conf, struct filter_set **ret);
void filters_unref(struct filter_set *set); // NULL is fine
void filters_forget(void);                  // the sets that no plan uses
