// The command line of usherd.
#include "daemon/options.h"

#include "base/strv.h"
#include "unit/harness.h"

#include <getopt.h>
#include <stdio.h>
#include <unistd.h>

#define WORDS_MAX 12

static enum options_verdict parse(const char *const *words, struct options *ret)
{
        static char *argv[WORDS_MAX + 2];
        int argc = 0, r;

        argv[argc++] = (char *)"usherd";
        for (; words[argc - 1]; argc++)
                argv[argc] = (char *)words[argc - 1];
        argv[argc] = NULL;
        optind = 0; // start again
        print_message("%s...\n", words[0] ? words[0] : "nothing");
        r = options_parse(argc, argv, ret);
        assert_true(r >= 0);
        return (enum options_verdict)r;
}

static void test_verdicts(void **state)
{
        static const struct {
                const char *words[WORDS_MAX];
                enum options_verdict verdict;
        } rows[] = {
                {{NULL}, OPTIONS_RUN},
                {{"--user", "--log-level=debug", "/srv/units"}, OPTIONS_RUN},
                {{"a.socket", "--target=b.service"}, OPTIONS_RUN},
                {{"--target=b"}, OPTIONS_USAGE},
                {{"--log-level=loud"}, OPTIONS_USAGE},
                {{"--log-format=xml"}, OPTIONS_USAGE},
                {{"--log-target=printer"}, OPTIONS_USAGE},
                {{"--compat=upstart"}, OPTIONS_USAGE},
                {{"--no-such-option"}, OPTIONS_USAGE},
                {{"--target"}, OPTIONS_USAGE},
                {{"--systemd-units", "a.socket"}, OPTIONS_RUN},
                {{"--accept", "/srv/units"}, OPTIONS_USAGE},
                {{"run", "-l", "7", "--", "/bin/cat"}, OPTIONS_RUN},
                {{"run", "-l", "7", "/bin/cat", "-A"}, OPTIONS_RUN},
                {{"run", "--", "/bin/cat"}, OPTIONS_USAGE},
                {{"run", "-l", "7"}, OPTIONS_USAGE},
                {{"run", "-l", "7", "--"}, OPTIONS_USAGE},
                {{"run", "-l", "1:2:3", "--", "/bin/cat"}, OPTIONS_USAGE},
                {{"--units=/srv", "run", "-l", "7", "--", "/bin/cat"}, OPTIONS_USAGE},
                {{"--target=a.socket", "run", "-l", "7", "--", "/bin/cat"}, OPTIONS_USAGE},
                {{"run", "-a", "-d", "-l", "7", "--", "/bin/cat"}, OPTIONS_USAGE},
                {{"run", "-l", "7", "--fdname=a", "--fdname=b", "--", "/bin/cat"}, OPTIONS_USAGE},
                {{"run", "-l", "7", "-l", "8", "--fdname=a", "--fdname=b", "--", "/bin/cat"},
                 OPTIONS_RUN},
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                CLEANUP(options) struct options o;

                assert_int_equal(parse(rows[i].words, &o), rows[i].verdict);
        }
        CLEANUP(options) struct options o;

        // What boots a machine is for who is its first process.
        assert_int_equal(parse((const char *const[]){"--systemd-units", NULL}, &o),
                         getpid() == 1 ? OPTIONS_RUN : OPTIONS_USAGE);
}

static void test_values(void **state)
{
        static const char *const units[] = {"--units=/a", "/b/",       "c.socket", "--user",
                                            "--",         "d.service", NULL};
        static const char *const run[] = {
                "--log-format=json", "run",       "-l", "7", "-a", "--inetd",
                "--name=x",          "/bin/echo", "-l", "8", NULL};
        CLEANUP(options) struct options o, r;

        assert_int_equal(parse(units, &o), OPTIONS_RUN);
        assert_string_equal(o.units[0], "/a");
        assert_string_equal(o.units[1], "/b");
        assert_null(o.units[2]);
        assert_string_equal(o.names[0], "c.socket");
        assert_string_equal(o.names[1], "d.service");
        assert_true(o.is_user && o.has_operand && !o.is_run);
        assert_int_equal(o.log_level, -1);

        assert_int_equal(parse(run, &r), OPTIONS_RUN);
        assert_true(r.is_run && r.accept && r.inetd);
        assert_int_equal(strv_length(r.listen), 1);
        assert_string_equal(r.name, "x");
        // What stands behind the command is the command's.
        assert_string_equal(r.command[0], "/bin/echo");
        assert_string_equal(r.command[1], "-l");
        assert_string_equal(r.command[2], "8");
        assert_null(r.command[3]);
}

static const struct CMUnitTest tests[] = {cmocka_unit_test(test_verdicts),
                                          cmocka_unit_test(test_values)};
HARNESS_MAIN(tests)
