#include "conf/lint.h"

#include "base/strv.h"
#include "unit/conf_fixture.h"

// Each row: files, separated by lines with their names, and the complaints about the first file.
static const struct {
        const char *files[5];
        const char *said; // NULL: nothing
        bool is_error;
} rows[] = {
        {{"a.service", "[Service]\nExecStart=/bin/true\n"}, NULL, false},
        {{"a.service", "[Service]\nExecStart=/nonexistent/x\n"}, "/nonexistent/x", false},
        {{"a.service", "[Service]\nExecStart=-/nonexistent/x\n"}, NULL, false},
        {{"a.service", "[Service]\nExecStart=/etc/passwd\n"}, "/etc/passwd", false},
        {{"a.service", "[Service]\nNonsense=1\nExecStart=/bin/true\n"}, "a.service:2: ", false},
        {{"a.socket", "[Socket]\nListenStream=1\n", "a.service",
          "[Service]\nExecStart=/bin/true\n"},
         NULL,
         false},
        {{"a.socket", "[Socket]\nListenStream=1\n"}, "a.service", true},
        {{"a.socket", "[Socket]\nListenStream=1\nAccept=yes\n"}, "a@.service", true},
        {{"a.socket", "[Socket]\nListenStream=1\nAccept=yes\n", "a@.service",
          "[Service]\nExecStart=/bin/cat\nStandardInput=socket\n"},
         NULL,
         false},
        {{"a.socket", "[Socket]\nAccept=yes\n"}, "Nothing to listen on", true},
        {{"a.target", "[Unit]\nWants=none.service\n"}, NULL, false},
        {{"a.target", "[Unit]\nRequires=none.service\n"}, "no such unit", true},
        {{"a.target", "[Unit]\nRequires=b.target\nConflicts=b.target\n", "b.target", "[Unit]\n"},
         "contradicts Conflicts=b.target",
         true},
        {{"a.service", "[Service]\nExecStart=/bin/true\nUser=no-such-user\n"},
         "User=no-such-user: this machine has no such user",
         false},
        {{"a.service", "[Service]\nExecStart=/bin/true\nSupplementaryGroups=no-such-group\n"},
         "no such group",
         false},
        {{"a.socket", "[Socket]\nListenStream=1\nAccept=yes\n", "a.service",
          "[Service]\nExecStart=/bin/true\n"},
         "there is a service without @",
         true},
        {{"a.socket", "[Socket]\nListenStream=127.0.0.1:1\nListenStream=127.0.0.1:1\n", "a.service",
          "[Service]\nExecStart=/bin/true\n"},
         "a.socket:3: 127.0.0.1:1 is already listened on, by line 2",
         true},
        {{"a.socket", "[Socket]\nListenStream=127.0.0.1:1\nListenDatagram=127.0.0.1:1\n",
          "a.service", "[Service]\nExecStart=/bin/true\n"},
         NULL,
         false},
        {{"a.socket", "[Socket]\nListenStream=[::]:1\nListenStream=0.0.0.0:1\n", "a.service",
          "[Service]\nExecStart=/bin/true\n"},
         "is already listened on",
         true},
        {{"a.socket", "[Socket]\nBindIPv6Only=yes\nListenStream=[::]:1\nListenStream=0.0.0.0:1\n",
          "a.service", "[Service]\nExecStart=/bin/true\n"},
         NULL,
         false},
        {{"a.socket", "[Socket]\nListenStream=1\nAccept=yes\n", "a@.service",
          "[Service]\nExecStart=/bin/cat\nStandardInput=socket\nExecStartPre=/bin/echo x\n"},
         "ExecStartPre=: the output of this command goes to the client",
         false},
        {{"a.socket", "[Socket]\nListenStream=1\nAccept=yes\n", "a@.service",
          "[Service]\nExecStart=/bin/cat\nStandardInput=socket\nStandardOutput=journal\n"
          "ExecStartPre=/bin/echo x\n"},
         NULL,
         false},
        {{"a.socket", "[Socket]\nListenStream=1\nAccept=yes\n", "a@.service",
          "[Service]\nExecStart=/bin/cat\nStandardInput=socket\nRestart=on-failure\n"},
         "Restart= has no effect",
         false},
        {{"a.socket", "[Socket]\nListenStream=1\nX-ConnectionLog=full\n", "a.service",
          "[Service]\nExecStart=/bin/true\n"},
         "X-ConnectionLog= has no effect with Accept=no",
         false},
        {{"a.socket", "[Socket]\nListenStream=1\nX-LogPeer=masked\n", "a.service",
          "[Service]\nExecStart=/bin/true\n"},
         "X-LogPeer= has no effect with Accept=no",
         false},
        {{"a.socket",
          "[Socket]\nListenStream=1\nAccept=yes\nX-LogPeer=masked\nX-ConnectionLog=full\n",
          "a@.service", "[Service]\nExecStart=/bin/cat\n"},
         NULL,
         false},
        {{"a.socket", "[Socket]\nListenFIFO=/run/x\n", "a.service",
          "[Service]\nExecStart=/bin/cat\nStandardInput=socket\n"},
         "would read what it writes",
         false},
        {{"a@.socket", "[Socket]\nListenStream=/run/a-%i.sock\nService=a@%i.service\n",
          "a@.service", "[Service]\nExecStart=/bin/true\nUser=%i\n"},
         NULL,
         false},
        {{"a@.socket", "[Socket]\nListenStream=/run/a-%i.sock\nService=b@%i.service\n"},
         "b@",
         true},
};

static void test_rows(void **state)
{
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                CLEANUP(complaints) struct complaints said;
                CLEANUP(lint) struct lint *lint = NULL;
                const char *path[] = {at("e"), NULL};
                const struct lint_options options = {.unit_path = (char *const *)path,
                                                     .diag = complaints_init(&said)};
                CLEANUP(free) char *first = NULL;

                for (size_t k = 0; rows[i].files[k]; k += 2) {
                        CLEANUP(free) char *file = str_printf("e/%s", rows[i].files[k]);

                        put_file(file, rows[i].files[k + 1]);
                        if (!first)
                                first = strdup(at(file));
                }
                assert_int_equal(lint_new(&options, &lint), 0);
                assert_int_equal(lint_file(lint, first), 0);
                const char *text = buf_text(&said.text);

                if (rows[i].said ? !strstr(text, rows[i].said) : *text)
                        fail_msg("row %zu: %s", i, text);
                if ((said.diag.errors > 0) != rows[i].is_error)
                        fail_msg("row %zu: %u errors\n%s", i, said.diag.errors, text);
                assert_int_equal(fs_remove_tree(at("e")), 0);
        }
}

static void test_names(void **state)
{
        CLEANUP(complaints) struct complaints said;
        CLEANUP(lint) struct lint *lint = NULL;
        const char *path[] = {at("e"), NULL};
        const struct lint_options options = {.unit_path = (char *const *)path,
                                             .diag = complaints_init(&said)};

        put_file("e/a.service", "[Service]\nExecStart=/bin/true\nNonsense=1\n");
        put_file("e/b.socket", "[Socket]\nListenStream=1\nService=a.service\nRubbish=1\n");
        put_file("e/notes.txt", "x");
        assert_int_equal(lint_new(&options, &lint), 0);
        assert_int_equal(lint_file(lint, at("e/notes.txt")), -EINVAL);
        assert_int_equal(lint_all(lint), 2);
        assert_non_null(strstr(buf_text(&said.text), "a.service:3: "));
        assert_non_null(strstr(buf_text(&said.text), "b.socket:4: "));
        assert_int_equal(said.diag.errors, 0);
}

// One address in two units, and a template that cannot be completed: the others are checked.
static void test_folder(void **state)
{
        CLEANUP(complaints) struct complaints said;
        CLEANUP(lint) struct lint *lint = NULL;
        const char *path[] = {at("f"), NULL};
        const struct lint_options options = {.unit_path = (char *const *)path,
                                             .diag = complaints_init(&said)};

        put_file("f/a.service", "[Service]\nExecStart=/bin/true\n");
        put_file("f/a.socket", "[Socket]\nListenStream=/run/x\n");
        put_file("f/b.socket", "[Socket]\n\nListenStream=/run/x\nService=a.service\n");
        put_file("f/c@.socket", "[Socket]\nListenStream=/run/%i\nService=%i.service\n");
        put_file("f/z.service", "[Service]\nExecStart=/bin/true\nNonsense=1\n");
        assert_int_equal(lint_new(&options, &lint), 0);
        assert_int_equal(lint_all(lint), 5);
        assert_non_null(strstr(buf_text(&said.text), "b.socket:3: /run/x is already listened on"));
        assert_non_null(strstr(buf_text(&said.text), "a.socket, unit a.socket"));
        assert_non_null(strstr(buf_text(&said.text), "z.service:3: "));
        assert_int_equal(said.diag.errors, 1);
}

static const struct CMUnitTest tests[] = {TOP_TEST(test_rows), TOP_TEST(test_names),
                                          TOP_TEST(test_folder)};
HARNESS_MAIN(tests)
