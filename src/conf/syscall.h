// Words of the directives that restrict system calls (systemd.exec(5)): names of calls and of their
// groups, error numbers, architectures, address families, namespaces. Numbers of calls are
// libseccomp's: the native architecture's where it has the call, and negative ones for calls that
// only others have.
#pragma once

#include "conf/types.h"

// "No error number of its own", and "the process is killed": the value that systemd shows on the
// bus for SystemCallErrorNumber=kill.
#define SYSCALL_ERROR_NONE (-1)
#define SYSCALL_ERROR_KILL (INT32_MAX - 1)

// Calls each for the number of every system call of a group ("@name"), members of groups inside it
// included; a call that is in two of them comes twice. 0; -ENOENT: there is no such group; what
// each returned, if that was negative: the walk ends there.
int syscall_group_each(const char *name, int (*each)(void *arg, int number), void *arg);
// Number of a call. 0, -ENOENT: libseccomp has no such name.
int syscall_number(const char *name, int *ret);
// Name of a call, to be freed; NULL: no memory.
char *syscall_name(int number);

// "EPERM", "1", "kill": 1..4095 or SYSCALL_ERROR_KILL. 0 or -EINVAL.
int syscall_error_parse(const char *text, int *ret);
// The name that is parsed back; NULL: the number has none.
const char *syscall_error_name(int error);

// Architecture by systemd's name ("native", "x86-64", "arm64", ...): libseccomp's token. 0,
// -EINVAL.
int syscall_architecture(const char *name, uint32_t *ret);

// The calls of the list by name, in order, with ":EPERM" where one has an error of its own. systemd
// shows none that a list of allowed calls has for its error: has_denied false leaves them out. 0 or
// -ENOMEM.
int syscall_filter_words(const struct syscall_filter *f, bool has_denied, char ***ret);
// Is this call in the list? *ret_error (may be NULL): its own error.
bool syscall_filter_has(const struct syscall_filter *f, int number, int *ret_error);

// The same for RestrictAddressFamilies=: "AF_INET", ...
int address_families_words(const struct address_families *f, char ***ret);
// The namespaces as one text ("net pid"), "yes" (none is allowed) or "no" (all are): as systemctl
// prints them. 0 or -ENOMEM.
struct buf;
int namespaces_put(struct buf *b, uint64_t allowed);
