// Properties that come straight from the directive table: their names, types and values as systemd
// has them on the bus (org.freedesktop.systemd1(5)).
#include "base/fs.h"
#include "base/str.h"
#include "base/strv.h"
#include "bus/bus_priv.h"
#include "conf/directive.h"
#include "conf/syscall.h"

#include <limits.h>
#include <sched.h>
#include <sys/prctl.h>

// How properties of some kinds are formed; those of other kinds have the type kind->signature.
enum shape {
        SHAPE_NONE, // no property, or one with its own entry in the table
        SHAPE_PLAIN,
        SHAPE_CHOICE,
        SHAPE_CHOICE_NUMBER,
        SHAPE_TRISTATE,
        SHAPE_LIMIT,
        SHAPE_EXIT_SET,
        SHAPE_ENVIRONMENT_FILES,
        SHAPE_DATA,
        SHAPE_DIRECTORIES,
        SHAPE_WORKING_DIRECTORY,
        SHAPE_STDIO,
        SHAPE_CPUS,
        SHAPE_SYSCALLS,
        SHAPE_FAMILIES,
};

static const struct {
        const char *kind;
        enum shape shape;
        const char *signature;
} shapes[] = {
        {"ports", SHAPE_NONE, NULL},
        {"conditions", SHAPE_NONE, NULL},
        {"commands", SHAPE_NONE, NULL},
        {"unit_name", SHAPE_NONE, NULL},
        {"unit_names", SHAPE_NONE, NULL},
        {"choice", SHAPE_CHOICE, "s"},
        {"tristate", SHAPE_TRISTATE, "b"},
        {"rlimit", SHAPE_LIMIT, "t"},
        {"exit_set", SHAPE_EXIT_SET, "(aiai)"},
        {"environment_files", SHAPE_ENVIRONMENT_FILES, "a(sb)"},
        {"data", SHAPE_DATA, "ay"},
        {"directories", SHAPE_DIRECTORIES, "as"},
        {"working_directory", SHAPE_WORKING_DIRECTORY, "s"},
        {"stdio", SHAPE_STDIO, "s"},
        {"cpus", SHAPE_CPUS, "ay"},
        {"syscalls", SHAPE_SYSCALLS, "(bas)"},
        {"address_families", SHAPE_FAMILIES, "(bas)"},
};

// Values that are words in unit files but numbers on the bus.
static const char *const number_choices[] = {
        "SocketProtocol", "IOSchedulingClass", "CPUSchedulingPolicy",
        "SyslogFacility", "SyslogLevel",       "LogLevelMax",
};

static enum shape shape_of(const struct directive *d, const char **ret_signature)
{
        *ret_signature = NULL;
        if (d->how != DIRECTIVE_ACTED || d->is_more || d->group == GROUP_INSTALL ||
            (d->flags & DIRECTIVE_HIDDEN) || !d->kind)
                return SHAPE_NONE;
        for (size_t i = 0; i < ARRAY_SIZE(number_choices); i++)
                if (streq(number_choices[i], d->name)) {
                        *ret_signature = "i";
                        return SHAPE_CHOICE_NUMBER;
                }
        for (size_t i = 0; i < ARRAY_SIZE(shapes); i++)
                if (streq(shapes[i].kind, d->kind->name)) {
                        *ret_signature = shapes[i].signature;
                        return shapes[i].shape;
                }
        *ret_signature = d->kind->signature;
        return *ret_signature ? SHAPE_PLAIN : SHAPE_NONE;
}

const char *bus_directive_signature(const struct directive *d)
{
        const char *signature;

        shape_of(d, &signature);
        return signature;
}

bool bus_directive_is_limit(const struct directive *d)
{
        const char *signature;

        return shape_of(d, &signature) == SHAPE_LIMIT;
}

// "TimeoutStartSec" is TimeoutStartUSec, "EnvironmentFile" is EnvironmentFiles, "X-Foo" is XFoo.
int bus_directive_property(const struct directive *d, char **ret)
{
        size_t n = strlen(d->name);
        bool is_span = n > 3 && streq(d->name + n - 3, "Sec") && !streq(d->name, "TimerSlackNSec");
        char *name = is_span ? str_printf("%.*sUSec", (int)(n - 3), d->name)
                     : streq(d->name, "EnvironmentFile")
                             ? strdup("EnvironmentFiles")
                             : str_printf("%s%s", d->name[1] == '-' ? "X" : "",
                                          d->name[1] == '-' ? d->name + 2 : d->name);

        if (!name)
                return -ENOMEM;
        *ret = name;
        return 0;
}

// ---- values

int bus_append_strv(sd_bus_message *reply, char *const *v)
{
        return sd_bus_message_append_strv(reply, (char **)v);
}

int bus_append_status(sd_bus_message *reply, const char *text)
{
        CLEANUP(free) char *safe = str_escape(text ? text : "");

        return safe ? sd_bus_message_append(reply, "s", safe) : -ENOMEM;
}

static int append_bits(sd_bus_message *reply, const uint8_t *bits, int n)
{
        int r = sd_bus_message_open_container(reply, 'a', "i");

        for (int i = 0; r >= 0 && i < n; i++)
                if (bits[i / 8] & (1U << (i % 8)))
                        r = sd_bus_message_append(reply, "i", i);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int append_exit_set(sd_bus_message *reply, const struct exit_set *set)
{
        int r = sd_bus_message_open_container(reply, 'r', "aiai");

        if (r >= 0)
                r = append_bits(reply, set->codes, 8 * (int)sizeof(set->codes));
        if (r >= 0)
                r = append_bits(reply, set->signals, 8 * (int)sizeof(set->signals));
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int append_environment_files(sd_bus_message *reply, const struct environment_file_list *list)
{
        int r = sd_bus_message_open_container(reply, 'a', "(sb)");

        for (size_t i = 0; r >= 0 && i < list->n; i++)
                r = sd_bus_message_append(reply, "(sb)", list->items[i].path,
                                          list->items[i].missing_ok);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int append_directories(sd_bus_message *reply, const struct managed_directory_list *list)
{
        int r = sd_bus_message_open_container(reply, 'a', "s");

        for (size_t i = 0; r >= 0 && i < list->n; i++)
                r = sd_bus_message_append(reply, "s", list->items[i].path);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int append_working_directory(sd_bus_message *reply, const struct working_directory *w)
{
        CLEANUP(free)
        char *text = str_printf("%s%s", w->missing_ok ? "!" : "",
                                w->is_home ? "~"
                                : w->path  ? w->path
                                           : "");

        return text ? sd_bus_message_append(reply, "s", text) : -ENOMEM;
}

// Appends the word alone, since the property contains neither a path nor a descriptor's name.
static const char *stdio_word(const struct directive *d, const struct stdio_value *v)
{
        static const char *const words[_STDIO_MAX] = {
                [STDIO_NULL] = "null",
                [STDIO_INHERIT] = "inherit",
                [STDIO_TTY] = "tty",
                [STDIO_TTY_FORCE] = "tty-force",
                [STDIO_TTY_FAIL] = "tty-fail",
                [STDIO_JOURNAL] = "journal",
                [STDIO_KMSG] = "kmsg",
                [STDIO_SOCKET] = "socket",
                [STDIO_FD] = "fd",
                [STDIO_DATA] = "data",
                [STDIO_FILE] = "file",
                [STDIO_APPEND] = "append",
                [STDIO_TRUNCATE] = "truncate",
        };

        if (v->mode == STDIO_DEFAULT)
                return d->arg == 0 ? "null" : d->arg == 1 ? "journal" : "inherit";
        if (v->console)
                return v->mode == STDIO_JOURNAL ? "journal+console" : "kmsg+console";
        return words[v->mode];
}

static int append_limit(sd_bus_message *reply, const struct directive *d,
                        const struct rlimit_value *v, bool is_soft)
{
        struct rlimit own = {RLIM_INFINITY, RLIM_INFINITY};

        if (!v->is_set)
                (void)getrlimit((__rlimit_resource_t)d->arg, &own);
        rlim_t value =
                v->is_set ? (is_soft ? v->soft : v->hard) : (is_soft ? own.rlim_cur : own.rlim_max);

        return sd_bus_message_append(reply, "t",
                                     value == RLIM_INFINITY ? UINT64_MAX : (uint64_t)value);
}

// Appends whether the list is an allow list, and its words.
static int append_list(sd_bus_message *reply, bool is_allow_list, char *const *words)
{
        int r = sd_bus_message_open_container(reply, 'r', "bas");

        if (r >= 0)
                r = sd_bus_message_append(reply, "b", is_allow_list);
        if (r >= 0)
                r = bus_append_strv(reply, words);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int append_syscalls(sd_bus_message *reply, const struct syscall_filter *f)
{
        CLEANUP(strv) char **words = NULL;
        int r = syscall_filter_words(f, false, &words);

        return r < 0 ? r : append_list(reply, f->is_allow_list, words);
}

static int append_families(sd_bus_message *reply, const struct address_families *f)
{
        CLEANUP(strv) char **words = NULL;
        int r = address_families_words(f, &words);

        return r < 0 ? r : append_list(reply, f->is_allow_list, words);
}

static int append_plain(sd_bus_message *reply, const struct directive *d, const void *field)
{
        int number;

        switch (d->kind->signature[0]) {
        case 'a':
                return bus_append_strv(reply, *(char *const *const *)field);
        case 's':
                return sd_bus_message_append(reply, "s", *(char *const *)field);
        case 'b':
                return sd_bus_message_append(reply, "b", *(const bool *)field);
        case 't':
        case 'x':
                return sd_bus_message_append_basic(reply, d->kind->signature[0], field);
        case 'u':
                return sd_bus_message_append_basic(reply, 'u', field);
        default:
                number = *(const int *)field;
                return sd_bus_message_append(reply, "i", number == INT_MIN ? 0 : number);
        }
}

static int append_choice(sd_bus_message *reply, const struct directive *d, int value,
                         bool as_number)
{
        if (as_number)
                return sd_bus_message_append(reply, "i", value);
        return sd_bus_message_append(reply, "s",
                                     choices_name((const struct choices *)d->arg, value));
}

static int append_own_core_filter(sd_bus_message *reply)
{
        CLEANUP(free) char *text = NULL;
        uint64_t filter = 0x33; // the kernel's default (core(5))

        if (fs_read_file("/proc/self/coredump_filter", 64, &text, NULL) == 0)
                filter = strtoull(text, NULL, 16);
        return sd_bus_message_append(reply, "t", filter);
}

// Appends the effective value of a directive that is not set, if there is one. 1: appended; 0:
// there is none; -errno.
static int append_implied(sd_bus_message *reply, const struct directive *d,
                          const struct unit_conf *conf, bool is_user, const void *field)
{
        int r = 0;

        if (streq(d->name, "RestartKillSignal") && *(const int *)field == 0)
                r = sd_bus_message_append(reply, "i", conf->kill->kill_signal);
        else if (streq(d->name, "TimerSlackNSec") && *(const uint64_t *)field == UINT64_MAX)
                r = sd_bus_message_append(reply, "t", (uint64_t)prctl(PR_GET_TIMERSLACK));
        else if (streq(d->name, "JobRunningTimeoutSec") && *(const usec_t *)field == USEC_INFINITY)
                r = sd_bus_message_append(reply, "t", conf->unit->job_timeout_sec);
        else if (streq(d->name, "CPUSchedulingPolicy") && *(const int *)field == CHOICE_UNSET)
                r = sd_bus_message_append(reply, "i", SCHED_OTHER);
        else if (streq(d->name, "IOSchedulingClass") && *(const int *)field == CHOICE_UNSET)
                r = sd_bus_message_append(reply, "i", IO_CLASS_BEST_EFFORT);
        else if (streq(d->name, "CoredumpFilter") && *(const uint64_t *)field == CORE_FILTER_UNSET)
                r = append_own_core_filter(reply);
        else if (streq(d->name, "KeyringMode") && *(const int *)field == CHOICE_UNSET)
                r = sd_bus_message_append(reply, "s",
                                          conf->service && !is_user ? "private" : "inherit");
        else
                return 0;
        return r < 0 ? r : 1;
}

int bus_append_directive(sd_bus_message *reply, const struct directive *d,
                         const struct unit_conf *conf, bool is_user, bool is_soft)
{
        const void *field = directive_value(d, conf);
        const struct data_value *data = field;
        const struct cpu_list *cpus = field;
        const char *signature;

        if (!field)
                return -ENOENT;
        enum shape shape = shape_of(d, &signature);
        int r = shape == SHAPE_NONE ? 0 : append_implied(reply, d, conf, is_user, field);

        if (r != 0)
                return r;
        switch (shape) {
        case SHAPE_NONE:
                return -ENOENT;
        case SHAPE_PLAIN:
                return append_plain(reply, d, field);
        case SHAPE_CHOICE:
        case SHAPE_CHOICE_NUMBER:
                return append_choice(reply, d, *(const int *)field, shape == SHAPE_CHOICE_NUMBER);
        case SHAPE_TRISTATE:
                return sd_bus_message_append(reply, "b", *(const int *)field > 0);
        case SHAPE_LIMIT:
                return append_limit(reply, d, field, is_soft);
        case SHAPE_EXIT_SET:
                return append_exit_set(reply, field);
        case SHAPE_ENVIRONMENT_FILES:
                return append_environment_files(reply, field);
        case SHAPE_DATA:
                return sd_bus_message_append_array(reply, 'y', data->data, data->size);
        case SHAPE_DIRECTORIES:
                return append_directories(reply, field);
        case SHAPE_WORKING_DIRECTORY:
                return append_working_directory(reply, field);
        case SHAPE_STDIO:
                return sd_bus_message_append(reply, "s", stdio_word(d, field));
        case SHAPE_CPUS:
                return sd_bus_message_append_array(reply, 'y', cpus->bytes, cpus->size);
        case SHAPE_SYSCALLS:
                return append_syscalls(reply, field);
        case SHAPE_FAMILIES:
                return append_families(reply, field);
        }
        return -ENOENT;
}

// ---- commands

static int append_flags(sd_bus_message *reply, unsigned flags)
{
        static const struct {
                unsigned flag;
                const char *name;
        } names[] = {
                {EXEC_IGNORE_FAILURE, "ignore-failure"}, {EXEC_FULLY_PRIVILEGED, "privileged"},
                {EXEC_NO_SETUID, "no-setuid"},           {EXEC_AMBIENT_MAGIC, "ambient"},
                {EXEC_NO_ENV_EXPAND, "no-env-expand"},
        };
        int r = sd_bus_message_open_container(reply, 'a', "s");

        for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(names); i++)
                if (flags & names[i].flag)
                        r = sd_bus_message_append(reply, "s", names[i].name);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int append_command(sd_bus_message *reply, const struct exec_command *command, bool extended,
                          const struct exec_status *status)
{
        struct exec_status none = {0};
        int r = sd_bus_message_open_container(reply, 'r',
                                              extended ? "sasasttttuii" : "sasbttttuii");

        if (!status)
                status = &none;
        if (r >= 0)
                r = sd_bus_message_append(reply, "s", command->path);
        if (r >= 0)
                r = bus_append_strv(reply, command->argv);
        if (r >= 0)
                r = extended ? append_flags(reply, command->flags)
                             : sd_bus_message_append(reply, "b",
                                                     (command->flags & EXEC_IGNORE_FAILURE) != 0);
        if (r >= 0)
                r = sd_bus_message_append(reply, "ttttuii", status->start_rt, status->start,
                                          status->exit_rt, status->exit, (uint32_t)status->pid,
                                          status->code, status->status);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

int bus_append_commands(sd_bus_message *reply, const struct command_list *list, bool extended,
                        const struct exec_status *status)
{
        int r = sd_bus_message_open_container(reply, 'a',
                                              extended ? "(sasasttttuii)" : "(sasbttttuii)");

        for (size_t i = 0; r >= 0 && i < list->n; i++)
                r = append_command(reply, &list->items[i], extended,
                                   i + 1 == list->n ? status : NULL);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}
