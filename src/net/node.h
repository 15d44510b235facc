// The identity of a node in the file system.
#pragma once

#include <sys/types.h>

struct net_node {
        dev_t dev;
        ino_t ino; // 0: none, or not known
};
