// Each Condition*=, checked against files that the test creates and facts that hold on every
// machine.
#include "core/condition/condition.h"

#include "base/fs.h"
#include "base/str.h"
#include "conf/assign.h"
#include "unit/harness.h"

#include <stdio.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

static char dir[64];
static char *const environment[] = {(char *)"SET=value", (char *)"EMPTY=", NULL};
static const struct condition_context context = {.environment = environment};

static int setup(void **state)
{
        strcpy(dir, "/tmp/usher-condition-XXXXXX");
        if (!mkdtemp(dir))
                return -1;
        CLEANUP(free) char *full = str_printf("%s/full", dir), *empty = str_printf("%s/empty", dir);
        CLEANUP(free) char *run = str_printf("%s/run", dir), *link = str_printf("%s/link", dir);
        CLEANUP(free) char *folder = str_printf("%s/folder", dir);

        return fs_write_file_atomic(full, "x", 0644) < 0 ||
                               fs_write_file_atomic(empty, "", 0644) < 0 ||
                               fs_write_file_atomic(run, "#!/bin/sh\n", 0755) < 0 ||
                               symlink("full", link) < 0 || mkdir(folder, 0755) < 0
                       ? -1
                       : 0;
}

static int teardown(void **state)
{
        return fs_remove_tree(dir);
}

// The conditions of a unit with these lines; "@" stands for the test's folder.
static struct unit_conf *make_conf(const char *const *lines)
{
        struct specifier_context specifiers = {.unit_name = "test.target"};
        CLEANUP(conf_builder) struct conf_builder *b = NULL;
        struct unit_conf *conf;

        assert_int_equal(conf_builder_new("test.target", UNIT_TARGET, &specifiers, NULL, &b), 0);
        for (; *lines; lines += 2) {
                char value[256];
                const char *at = strchr(lines[1], '@');

                if (at)
                        snprintf(value, sizeof(value), "%.*s%s%s", (int)(at - lines[1]), lines[1],
                                 dir, at + 1);
                assert_int_equal(
                        conf_builder_assign(b, "Unit", lines[0], at ? value : lines[1], "FILE", 1),
                        0);
        }
        assert_int_equal(conf_builder_finish(b, &conf), 0);
        return conf;
}

static const struct {
        const char *name, *value;
        bool holds;
} rows[] = {
        {"ConditionPathExists", "@/full", true},
        {"ConditionPathExists", "@/none", false},
        {"ConditionPathExists", "!@/none", true},
        {"ConditionPathExistsGlob", "@/f*", true},
        {"ConditionPathExistsGlob", "@/z*", false},
        {"ConditionPathIsDirectory", "@/folder", true},
        {"ConditionPathIsDirectory", "@/full", false},
        {"ConditionPathIsSymbolicLink", "@/link", true},
        {"ConditionPathIsSymbolicLink", "@/full", false},
        {"ConditionPathIsMountPoint", "/", true},
        {"ConditionPathIsMountPoint", "@/folder", false},
        {"ConditionPathIsReadWrite", "@", true},
        {"ConditionPathIsReadWrite", "/proc/sys/kernel/none", false},
        {"ConditionDirectoryNotEmpty", "@", true},
        {"ConditionDirectoryNotEmpty", "@/folder", false},
        {"ConditionFileNotEmpty", "@/full", true},
        {"ConditionFileNotEmpty", "@/empty", false},
        {"ConditionFileIsExecutable", "@/run", true},
        {"ConditionFileIsExecutable", "@/full", false},
        {"ConditionEnvironment", "SET", true},
        {"ConditionEnvironment", "SET=value", true},
        {"ConditionEnvironment", "SET=other", false},
        {"ConditionEnvironment", "EMPTY", true},
        {"ConditionEnvironment", "UNSET", false},
        {"ConditionEnvironment", "!UNSET", true},
        {"ConditionKernelCommandLine", "no-such-word-here", false},
        {"ConditionKernelVersion", ">=3.0", true},
        {"ConditionKernelVersion", "<3.0", false},
        {"ConditionKernelVersion", "\">= 3.0\"", true},
        {"ConditionKernelVersion", "\">= 3.0 \" \" < 9999\"", true},
        {"ConditionKernelVersion", "\"< 3.0\"", false},
        {"ConditionKernelVersion", "\">= 9999\"", false},
        {"ConditionKernelVersion", ">= 3.0", true},
        {"ConditionArchitecture", "native", true},
        {"ConditionArchitecture", "no-such", false},
        {"ConditionUser", "0", false}, // filled in below: who runs the test
        {"ConditionUser", "nosuchuser-here", false},
        {"ConditionHost", "no-such-host-*", false},
        {"ConditionCPUs", ">=1", true},
        {"ConditionCPUs", ">100000", false},
        {"ConditionCPUs", ">=4294967295", false},
        {"ConditionMemory", ">=1M", true},
        {"ConditionMemory", ">1000T", false},
        {"ConditionSecurity", "no-such-module", false},
        {"ConditionCredential", "none", false},
        {"ConditionKernelModuleLoaded", "no_such_module", false},
};

static void test_rows(void **state)
{
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                const char *const lines[] = {rows[i].name, rows[i].value, NULL};
                CLEANUP(unit_conf) struct unit_conf *conf = make_conf(lines);
                bool holds = streq(rows[i].value, "0") ? getuid() == 0 : rows[i].holds;

                assert_int_equal(conf->unit->conditions.n, 1);
                int r = condition_test(&conf->unit->conditions.items[0], &context);

                if ((r > 0) != holds)
                        fail_msg("%s=%s: %d", rows[i].name, rows[i].value, r);
        }
}

// All of those without | and one of those with it.
static void test_lists(void **state)
{
        static const struct {
                const char *lines[9];
                enum condition_answer answer;
                const char *failed;
        } lists[] = {
                {{NULL}, CONDITIONS_HOLD, NULL},
                {{"ConditionPathExists", "/", "ConditionPathExists", "/dev"},
                 CONDITIONS_HOLD,
                 NULL},
                {{"ConditionPathExists", "/", "ConditionPathExists", "/none"},
                 CONDITIONS_FAILED,
                 "ConditionPathExists=/none"},
                {{"ConditionPathExists", "|/none", "ConditionPathExists", "|/"},
                 CONDITIONS_HOLD,
                 NULL},
                {{"ConditionPathExists", "|/none", "ConditionPathExists", "|!/"},
                 CONDITIONS_NO_TRIGGER,
                 "ConditionPathExists=|!/"},
                {{"ConditionPathExists", "|/", "ConditionPathExists", "/none"},
                 CONDITIONS_FAILED,
                 "ConditionPathExists=/none"},
                {{"ConditionPathExists", "/none", "ConditionPathExists", ""},
                 CONDITIONS_HOLD,
                 NULL},
        };

        for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
                CLEANUP(unit_conf) struct unit_conf *conf = make_conf(lists[i].lines);
                const struct condition *failed = NULL;
                int8_t states[4];
                char text[256];

                condition_list_test(&conf->unit->conditions, &context, states);
                assert_int_equal(condition_list_judge(&conf->unit->conditions, states, &failed),
                                 lists[i].answer);
                if (lists[i].failed)
                        assert_string_equal(
                                condition_format(failed, "Condition", text, sizeof(text)),
                                lists[i].failed);
        }
}

#define DIR_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

static const struct CMUnitTest tests[] = {DIR_TEST(test_rows), DIR_TEST(test_lists)};
HARNESS_MAIN(tests)
