// Tests of condition*.c that need more than a look at one path. All: 1 true, 0 false, -errno; param
// is the text behind ! and |.
#pragma once

#include "core/condition/condition.h"

#include <sys/stat.h>

int condition_test_virtualization(const char *param);
int condition_test_security(const char *param);
int condition_test_architecture(const char *param);
int condition_test_host(const char *param);
int condition_test_kernel_command_line(const char *param);
int condition_test_kernel_version(const char *param);
int condition_test_version(const char *param);
int condition_test_os_release(const char *param);
int condition_test_capability(const char *param);
int condition_test_user(const char *param, bool is_user);
int condition_test_group(const char *param);
int condition_test_cpus(const char *param);
int condition_test_memory(const char *param);
int condition_test_cpu_feature(const char *param);
int condition_test_controller(const char *param);
int condition_test_ac_power(const char *param);
int condition_test_firmware(const char *param);
int condition_test_pressure(const char *resource, const char *param);
int condition_test_needs_update(const char *param);
int condition_test_first_boot(const char *param);
int condition_test_module(const char *param);
int condition_test_encrypted(const char *param);

// stat(2), and is the file system mounted for writing; a path is the administrator's, whoever owns
// the links on its way. -EREMOTE as base/fs_open.h says; other -errno.
int condition_look(const char *path, int flags, struct stat *ret); // O_NOFOLLOW: of a link itself
int condition_is_writable(const char *path);

// An operator (< <= = == != >= > $= !$=) at the start of *p: number as below; moves on. allow_glob:
// $= is known. -EINVAL: none is there.
enum compare {
        COMPARE_LESS,
        COMPARE_LESS_EQUAL,
        COMPARE_EQUAL,
        COMPARE_NOT_EQUAL,
        COMPARE_GREATER_EQUAL,
        COMPARE_GREATER,
        COMPARE_GLOB,
        COMPARE_NOT_GLOB,
};
int compare_parse(const char **p, bool allow_glob);
// Does an order (negative, 0, positive) satisfy the operator?
bool compare_holds(enum compare op, int order);
// Order of two version strings: digits by value, letters as text, "~" before everything.
int compare_versions(const char *a, const char *b);
