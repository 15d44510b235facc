#include "conf/cfgfile.h"

#include "base/strv.h"
#include "conf/cfgfile_scan.h"
#include "unit/conf_fixture.h"

pid_t __real_fork(void);
pid_t __wrap_fork(void);

// Allocations fail in this process only: the child's count would be one of its own.
pid_t __wrap_fork(void)
{
        pid_t pid = __real_fork();

        if (pid == 0)
                oom_pause();
        return pid;
}

// "block name=value;name=value" for each block, in order.
static char *describe(const struct cfgfile *c)
{
        struct buf b = BUF_NULL;
        const struct cfgfile_block *block;
        size_t position = 0;
        char *text = NULL;

        while ((block = cfgfile_next(c, &position))) {
                buf_printf(&b, "%s", block->name);
                for (size_t i = 0; i < block->n_lines; i++)
                        buf_printf(&b, " %u:%s=[%s]", block->lines[i].line, block->lines[i].name,
                                   block->lines[i].value);
                buf_putc(&b, '\n');
        }
        assert_int_equal(buf_take(&b, &text), 0);
        return text;
}

static const struct {
        const char *text, *blocks;
} good[] = {
        {"", ""},
        {"socket \"echo\" {\n  ListenStream = {\"7\", \"[::1]:7\"}\n  Accept = yes\n  ListenStream = 8\n}\n",
         "echo.socket 2:ListenStream=[7] 2:ListenStream=[[::1]:7] 3:Accept=[yes] 4:ListenStream=[8]\n"},
        {"service 'echo@' { ExecStart = '/bin/sh -c \"echo \\x20 ${HOME} 100%\"' }",
         "echo@.service 1:ExecStart=[/bin/sh -c \"echo \\x20 ${HOME} 100%\"]\n"},
        {"service a.service {\nX-Foo = 1\nNo_Such = '  x '\nEnvironment = \"\"\n}",
         "a.service 2:X-Foo=[1] 3:No_Such=[x] 4:Environment=[]\n"},
        {"target x {}\nsocket y { }\n", "y.socket\nx.target\n"},
        {"target x {}\ntarget x { Wants = a.service }", "x.target 2:Wants=[a.service]\n"},
        {"# one\nsocket a { // two\n/* three\n */ ListenStream = # four\n 5\n}",
         "a.socket 5:ListenStream=[5]\n"},
        {"socket a {\nSymlinks += /a//b\nDescription = 'a\\\nb'\nListenStream=1\n}",
         "a.socket 2:Symlinks=[/a//b] 4:Description=[ab] 5:ListenStream=[1]\n"},
        {"socket a {\r\nListenStream = 1\r\nAccept=yes\r\n}\r\n",
         "a.socket 2:ListenStream=[1] 3:Accept=[yes]\n"},
        {"service a { ExecStart = -/bin/true\n WatchdogSec=\"\\$x \\\"\\x41\" }",
         "a.service 1:ExecStart=[-/bin/true] 2:WatchdogSec=[$x \"A]\n"},
        {"LogLevel = debug\nsocket a { ListenStream = 1 }\nCompat = systemd",
         "a.socket 2:ListenStream=[1]\n"},
};

static void test_good(void **state)
{
        for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
                CLEANUP(complaints) struct complaints c;
                CLEANUP(cfgfile) struct cfgfile *file = NULL;
                CLEANUP(free) char *have = NULL;
                int r;

                print_message("%s\n", good[i].text);
                put_file("usher.conf", good[i].text);
                r = cfgfile_load(at("usher.conf"), TRUST_ALL, NULL, complaints_init(&c), &file);
                assert_string_equal(buf_text(&c.text), "");
                assert_int_equal(r, 0);
                have = describe(file);
                assert_string_equal(have, good[i].blocks);
        }
}

static const struct {
        const char *text, *complaint;
} bad[] = {
        {"socket a {\nListenStream = \"x${HOME}\"\n}",
         "e usher.conf:2: ${...} in double quotes would be replaced by usher's own environment: write the value in single quotes.\n"},
        {"socket a {\nListenStream = ${HOME}\n}",
         "e usher.conf:2: ${...} is allowed only in single quotes.\n"},
        {"\nsocket a {\nAccept = yes\n",
         "e usher.conf:2: The brace that opens here is not closed.\n"},
        {"socket a { Accept = yes }\n}", "e usher.conf:2: This brace closes nothing.\n"},
        {"socket a {\nAccept = 'yes }\n",
         "e usher.conf:2: A line ends inside the quotes: close them, or put a backslash at the end.\n"},
        {"socket a {\nAccept = \"yes }",
         "e usher.conf:2: The string that begins here is not closed.\n"},
        {"/* x\n\n", "e usher.conf:1: The comment that begins here has no end.\n"},
        {"socket a {\nListenStream = *:80\n}",
         "e usher.conf:2: A value with one of + * ( ) needs quotes.\n"},
        {"socket a {\nListenStream = {}\n}",
         "e usher.conf:2: An empty list has no effect: to reset, write Name = \"\".\n"},
        {"socket a {\nListenStream = a\"b\"\n}",
         "e usher.conf:2: Put the quotes around the whole value.\n"},
        {"socket a {\nListenStream = {1 2}\n}",
         "e usher.conf:2: Syntax error: unexpected token '2'\n"},
        {"socket a {\nAccept = yes no\n}",
         "e usher.conf:2: No block (socket, service, target), and nothing is assigned to it: 'no'\n"},
        {"\ntimer x {\n}",
         "e usher.conf:2: No block (socket, service, target), and nothing is assigned to it: 'timer'\n"},
        {"socket {\n}", "e usher.conf:1: Syntax error: missing title for section 'socket'\n"},
        {"socket 'a b' {\nAccept = 1\n}", "e usher.conf:2: 'a b.socket' is no valid unit name.\n"},
        {"service x.socket {\nA = 1\n}", NULL}, // x.socket.service: odd, but a name
        {"socket a {\nA = \"1\\n2\"\n}",
         "e usher.conf:2: A value of A= has a line break or is not UTF-8.\n"},
        {"socket a {\nA = \"\\xff\"\n}",
         "e usher.conf:2: A value of A= has a line break or is not UTF-8.\n"},
        {"socket a {\nA = \xff\n}", "e usher.conf:2: This line is not UTF-8.\n"},
        {"LogLevel = loud\n",
         "e usher.conf:1: Invalid value for LogLevel=: 'loud' (an example: debug)\n"},
        {"\nLoglevel = debug\n",
         "e usher.conf:2: Unknown setting 'Loglevel'. Did you mean LogLevel=?\n"},
        {"socket a {\nA = b \"\" c\n}", "e usher.conf:2: Syntax error at this line or below.\n"},
        {"a { b { c { d { e { f { g { h { i {", "e usher.conf:1: Braces are nested too deeply.\n"},
};

static void test_bad(void **state)
{
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                CLEANUP(complaints) struct complaints c;
                CLEANUP(cfgfile) struct cfgfile *file = NULL;
                bool is_error = bad[i].complaint && bad[i].complaint[0] == 'e';
                int r;

                print_message("%s\n", bad[i].text);
                put_file("usher.conf", bad[i].text);
                r = cfgfile_load(at("usher.conf"), TRUST_ALL, NULL, complaints_init(&c), &file);
                assert_string_equal(buf_text(&c.text), bad[i].complaint ? bad[i].complaint : "");
                assert_int_equal(r, is_error ? -EBADMSG : 0);
        }
}

static void test_nul_byte(void **state)
{
        static const char text[] = "LogLevel = info\nsocket a {\0}\n";
        CLEANUP(cfgfile_scan) struct cfgfile_scan scan;

        assert_int_equal(cfgfile_scan(text, sizeof(text) - 1, &scan), 0);
        assert_string_equal(scan.fault, "A NUL byte in the file.");
        assert_int_equal(scan.fault_line, 2);
}

static void test_settings_and_dropins(void **state)
{
        CLEANUP(complaints) struct complaints c;
        CLEANUP(cfgfile) struct cfgfile *file = NULL;
        CLEANUP(settings) struct settings s;
        const struct cfgfile_block *block;
        CLEANUP(free) char *path = NULL;

        put_file("usher.conf", "DefaultTimeoutStartSec = 10s\nUnitPath = '/a /b'\n"
                               "socket a { ListenStream = 1 }");
        put_file("usher.conf.d/20.conf",
                 "DefaultTimeoutStartSec = 30s\nsocket a { ListenStream = 3 }");
        put_file("usher.conf.d/10.conf",
                 "DefaultTimeoutStartSec = 20s\nsocket a { ListenStream = 2 }"
                 "\nUnitPath = {/c, /d}");
        put_file("usher.conf.d/note.txt", "nonsense");
        put_link("usher.conf.d/00.conf", "/dev/null");
        settings_init(&s);
        assert_int_equal(cfgfile_load(at("usher.conf"), TRUST_ALL, &s, complaints_init(&c), &file),
                         0);
        assert_string_equal(buf_text(&c.text), "");
        assert_int_equal(s.default_timeout_start, 30 * USEC_PER_SEC);
        path = strv_join(s.unit_path, " ");
        assert_string_equal(path, "/a /b /c /d");
        assert_int_equal(strv_length(cfgfile_paths(file)), 3);
        block = cfgfile_find(file, "a.socket");
        assert_int_equal(block->n_lines, 3);
        assert_string_equal(block->lines[1].value, "2");
        assert_string_equal(block->lines[2].file, at("usher.conf.d/20.conf"));
        assert_string_equal(block->file, at("usher.conf"));
        assert_string_equal(block->dir, top);
}

static void test_missing_and_unreadable(void **state)
{
        CLEANUP(complaints) struct complaints c;
        CLEANUP(cfgfile) struct cfgfile *file = NULL, *none = NULL;

        assert_int_equal(
                cfgfile_load(at("usher.conf"), TRUST_ALL, NULL, complaints_init(&c), &file), 0);
        assert_int_equal(strv_length(cfgfile_paths(file)), 0);
        assert_int_equal(mkdir(at("usher.conf"), 0755), 0);
        assert_int_equal(cfgfile_load(at("usher.conf"), TRUST_ALL, NULL, &c.diag, &none), -EISDIR);
        assert_string_equal(buf_text(&c.text), "e usher.conf: Cannot be read: Is a directory\n");
}

static void test_many_values(void **state)
{
        CLEANUP(complaints) struct complaints c;
        CLEANUP(cfgfile) struct cfgfile *file = NULL;
        CLEANUP(buf) struct buf text = BUF_NULL;

        for (unsigned i = 0; i < 200; i++) {
                buf_printf(&text, "socket s%u {\n", i);
                for (unsigned n = 0; n < 50; n++)
                        buf_printf(&text, "ListenStream = %u\n", n + 1);
                buf_puts(&text, "}\n");
        }
        put_file("usher.conf", buf_text(&text));
        assert_int_equal(
                cfgfile_load(at("usher.conf"), TRUST_ALL, NULL, complaints_init(&c), &file), 0);
        for (unsigned i = 0; i < 200; i++) {
                char name[32];
                const struct cfgfile_block *block;

                snprintf(name, sizeof(name), "s%u.socket", i);
                block = cfgfile_find(file, name);
                assert_int_equal(block->n_lines, 50);
                assert_string_equal(block->lines[49].value, "50");
                assert_int_equal(block->lines[0].line, i * 52 + 2);
        }
}

static int load_once(void *arg)
{
        CLEANUP(cfgfile) struct cfgfile *file = NULL;
        CLEANUP(settings) struct settings s;

        settings_init(&s);
        return cfgfile_load(arg, TRUST_ALL, &s, NULL, &file);
}

static void test_oom(void **state)
{
        CLEANUP(free) char *path = strdup(at("usher.conf"));

        put_file("usher.conf", "UnitPath = /a\nsocket a { ListenStream = {1, 2, 3} }\ntarget b {}");
        put_file("usher.conf.d/x.conf", "socket a { Accept = 1 }");
        oom_prove(load_once, path);
}

static const struct CMUnitTest tests[] = {
        TOP_TEST(test_good),
        TOP_TEST(test_bad),
        cmocka_unit_test(test_nul_byte),
        TOP_TEST(test_settings_and_dropins),
        TOP_TEST(test_missing_and_unreadable),
        TOP_TEST(test_many_values),
        TOP_TEST(test_oom),
};
HARNESS_MAIN(tests)
