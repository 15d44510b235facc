// Tests of condition*.c that need more than the status of one path. All return 1: true, 0: false,
// -errno; param is the text after ! and |.
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

// stat(2), and whether the file system is mounted for writing. The administrator names the path, so
// links on it are followed whoever owns them. -EREMOTE: see base/fs_open.h; other -errno.
int condition_look(const char *path, int flags, struct stat *ret); // O_NOFOLLOW: of the link itself
int condition_is_writable(const char *path);

// Parses an operator (< <= = == != >= > $= !$=) at *p and advances *p; number: see below.
// allow_glob: accepts $= and !$=. -EINVAL: there is none.
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
// Compares two version strings: digits by value, letters as text, "~" sorts before everything.
int compare_versions(const char *a, const char *b);
