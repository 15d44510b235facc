// The C types of parsed configuration values. Plain data, no behaviour: the kinds
// (conf/kind.h) parse, format, free and compare them.
#pragma once

#include "base/def.h"

#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

enum unit_type {
        UNIT_SERVICE,
        UNIT_SOCKET,
        UNIT_TARGET,
        // known only as names in dependencies: usher does not run them
        UNIT_SLICE,
        UNIT_MOUNT,
        UNIT_AUTOMOUNT,
        UNIT_SWAP,
        UNIT_DEVICE,
        UNIT_PATH,
        UNIT_TIMER,
        UNIT_SCOPE,
        _UNIT_TYPE_MAX,
        _UNIT_TYPE_INVALID = -EINVAL,
};

enum load_state {
        LOAD_STUB,
        LOAD_LOADED,
        LOAD_NOT_FOUND,
        LOAD_BAD_SETTING,
        LOAD_ERROR,
        LOAD_MERGED,
        LOAD_MASKED,
        _LOAD_STATE_MAX,
};

// If the instances of a template share one conf (connections of Accept=yes), instance specifiers
// (%i %I %n %N %f ...) stay in values as SPECIFIER_MARK followed by the letter, and the spawn plan
// fills them in at each start. All others are expanded at load.
#define SPECIFIER_MARK '\x01'

// ---- addresses ---------------------------------------------------------------------------------

union sockaddr_any {
        struct sockaddr sa;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
        struct sockaddr_un un;
        struct sockaddr_storage storage;
};

struct address {
        union sockaddr_any addr;
        socklen_t size;
        bool port_only; // written as a bare number: [::] where the kernel has IPv6, else 0.0.0.0
};

enum port_kind {
        PORT_SOCKET,  // ListenStream=, ListenDatagram=, ListenSequentialPacket=: see type, address
        PORT_FIFO,    // path
        PORT_SPECIAL, // path
        PORT_NETLINK, // address (AF_NETLINK), protocol
        PORT_MQUEUE,  // path
        PORT_NAME,    // host, service: the addresses are found when the socket starts
        _PORT_KIND_MAX,
};

struct port {
        enum port_kind kind;
        int type;     // SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET, SOCK_RAW; 0 for paths
        int protocol; // AF_NETLINK family; else 0 (SocketProtocol= is applied at bind)
        struct address address;
        char *host, *service; // X-ListenName=; host "*": any address
        char *path; // of an AF_UNIX node, FIFO, special file, queue; NULL otherwise (abstract, IP)
        char *text; // as systemd prints it: "[::]:80", "/run/x", "@name", "kobject-uevent 1"
        char *file; // its file, for messages
        unsigned line;
};

struct port_list {
        struct port *items;
        size_t n;
};

// OpenFile=: a file that is opened for a service, or a socket node that it is connected to.
enum open_file_flags {
        OPEN_FILE_READ_ONLY = 1 << 0,
        OPEN_FILE_APPEND = 1 << 1,
        OPEN_FILE_TRUNCATE = 1 << 2,
        OPEN_FILE_GRACEFUL = 1 << 3, // left out if it cannot be opened
};

struct open_file {
        char *path, *name; // name: in LISTEN_FDNAMES
        unsigned flags;
};

struct open_files {
        struct open_file *items;
        size_t n;
};

// A multicast group to be a member of.
struct multicast_group {
        sa_family_t family;
        union {
                struct in_addr in;
                struct in6_addr in6;
        } addr;
        char *interface; // NULL: the kernel's route decides
        char *text;
};

struct multicast_groups {
        struct multicast_group *items;
        size_t n;
};

// ---- commands ----------------------------------------------------------------------------------

enum exec_command_flags {
        EXEC_IGNORE_FAILURE = 1 << 0,   // -
        EXEC_ARGV0 = 1 << 1,            // @ (argv[0] is already in place)
        EXEC_NO_ENV_EXPAND = 1 << 2,    // :
        EXEC_FULLY_PRIVILEGED = 1 << 3, // +
        EXEC_NO_SETUID = 1 << 4,        // !
        EXEC_AMBIENT_MAGIC = 1 << 5,    // !!
};

struct exec_command {
        char *path;  // absolute, or a bare name that is looked up at spawn
        char **argv; // at least argv[0]; $VAR not yet expanded, specifiers expanded (except marks)
        enum exec_command_flags flags;
};

struct command_list {
        struct exec_command *items;
        size_t n;
};

// ---- the rest ----------------------------------------------------------------------------------

struct rlimit_value {
        bool is_set;
        rlim_t soft, hard; // RLIM_INFINITY as in the kernel
};

// SystemCallFilter=, SystemCallLog=: the meaning of the list, and its calls, by number
// (conf/syscall.h), each once.
enum syscall_list { SYSCALL_LIST_FILTER, SYSCALL_LIST_LOG };

struct syscall_item {
        int number;
        int error; // its own error, or SYSCALL_ERROR_*
};

struct syscall_filter {
        bool is_set;
        bool is_allow_list; // calls outside the list are forbidden (logged); else those in it
        struct syscall_item *items;
        size_t n, capacity;
};

// CPUAffinity=: bit n of the bytes for CPU n; whole words of 8 bytes.
struct cpu_list {
        uint8_t *bytes;
        size_t size;
};

#define CORE_FILTER_UNSET UINT64_MAX // CoredumpFilter=: as it is inherited

// RestrictAddressFamilies=: bit n for number n.
struct address_families {
        bool is_set;
        bool is_allow_list;
        uint64_t set;
};

// RestrictNamespaces=: the namespaces (CLONE_NEW...) that a service may make; NAMESPACES_UNSET: not
// set.
#define NAMESPACES_UNSET UINT64_MAX
#define NAMESPACES_ALL                                                                \
        (CLONE_NEWCGROUP | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID | \
         CLONE_NEWUSER | CLONE_NEWUTS)

// Exit codes and signals (SuccessExitStatus= and the like): bit sets.
struct exit_set {
        uint8_t codes[32];  // bit n: exit status n
        uint8_t signals[9]; // bit n: signal n
};

struct working_directory {
        char *path;      // NULL: "/" (or the home of the user if is_home is set)
        bool is_home;    // "~"
        bool missing_ok; // "-"
};

struct environment_file {
        char *path; // may be a glob
        bool missing_ok;
};

struct environment_file_list {
        struct environment_file *items;
        size_t n;
};

// Arbitrary bytes.
struct data_value {
        char *data;
        size_t size;
};

enum stdio_mode {
        STDIO_DEFAULT, // not set: null for input, journal for output, inherit for error (manager's
                       // defaults)
        STDIO_NULL,
        STDIO_INHERIT,
        STDIO_TTY,
        STDIO_TTY_FORCE,
        STDIO_TTY_FAIL,
        STDIO_JOURNAL, // also journal+console, syslog
        STDIO_KMSG,    // also kmsg+console
        STDIO_SOCKET,
        STDIO_FD,       // name in arg
        STDIO_DATA,     // input only: StandardInputText=, StandardInputData=
        STDIO_FILE,     // path in arg
        STDIO_APPEND,   // path in arg
        STDIO_TRUNCATE, // path in arg
        _STDIO_MAX,
};

struct stdio_value {
        enum stdio_mode mode;
        bool console; // with "+console"
        char *arg;
};

struct managed_directory {
        char *path;      // relative, below the tree of its kind
        char **symlinks; // further names
};

struct managed_directory_list {
        struct managed_directory *items;
        size_t n;
};

enum condition_type {
        CONDITION_PATH_EXISTS,
        CONDITION_PATH_EXISTS_GLOB,
        CONDITION_PATH_IS_DIRECTORY,
        CONDITION_PATH_IS_SYMBOLIC_LINK,
        CONDITION_PATH_IS_MOUNT_POINT,
        CONDITION_PATH_IS_READ_WRITE,
        CONDITION_PATH_IS_ENCRYPTED,
        CONDITION_DIRECTORY_NOT_EMPTY,
        CONDITION_FILE_NOT_EMPTY,
        CONDITION_FILE_IS_EXECUTABLE,
        CONDITION_NEEDS_UPDATE,
        CONDITION_FIRST_BOOT,
        CONDITION_KERNEL_COMMAND_LINE,
        CONDITION_KERNEL_VERSION,
        CONDITION_VERSION,
        CONDITION_KERNEL_MODULE_LOADED,
        CONDITION_VIRTUALIZATION,
        CONDITION_SECURITY,
        CONDITION_CAPABILITY,
        CONDITION_HOST,
        CONDITION_AC_POWER,
        CONDITION_ARCHITECTURE,
        CONDITION_FIRMWARE,
        CONDITION_ENVIRONMENT,
        CONDITION_USER,
        CONDITION_GROUP,
        CONDITION_CONTROL_GROUP_CONTROLLER,
        CONDITION_CPUS,
        CONDITION_MEMORY,
        CONDITION_CPU_FEATURE,
        CONDITION_OS_RELEASE,
        CONDITION_CREDENTIAL,
        CONDITION_MEMORY_PRESSURE,
        CONDITION_CPU_PRESSURE,
        CONDITION_IO_PRESSURE,
        _CONDITION_TYPE_MAX,
};

struct condition {
        enum condition_type type;
        bool trigger; // |
        bool negate;  // !
        char *param;
};

struct condition_list {
        struct condition *items;
        size_t n;
};
