#include "unit/log_fixture.h"

static void test_levels(void **state)
{
        static const struct {
                const char *name;
                int level;
        } cases[] = {
                {"emerg", 0}, {"err", 3},     {"error", 3},  {"debug", 7},      {"0", 0},
                {"7", 7},     {"8", -EINVAL}, {"", -EINVAL}, {"Info", -EINVAL}, {"77", -EINVAL},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                assert_int_equal(log_level_from_name(cases[i].name), cases[i].level);
        assert_string_equal(log_level_name(LOG_NOTICE), "notice");
        log_set_level(LOG_WARNING);
        assert_int_equal(log_get_level(), LOG_WARNING);
        log_write(LOG_NOTICE, "not this");
        log_unit("a.socket", LOG_INFO, 0, "nor this");
        log_write(LOG_WARNING, "but this");
        assert_string_equal(read_log(), "but this\n");
}

static void test_text(void **state)
{
        errno = EXDEV;
        log_write(LOG_INFO, "Plain %d", 1);
        assert_int_equal(errno, EXDEV); // a log line changes nothing
        log_unit("a.socket", LOG_ERR, EACCES, "Cannot bind");
        log_unit("a.socket", LOG_ERR, -EACCES, "Cannot bind");
        log_write(LOG_INFO, "two\nlines\x1b[31m");
        print_line("b.service", 12, "prog", LOG_INFO, "said\n", 5);
        print_line("b.service", 12, NULL, LOG_INFO, "a\0b\r\xff", 5);
        print_line("b.service", 12, NULL, LOG_INFO, "\0", 1);
        print_line("b.service", 12, NULL, LOG_INFO, "", 0);
        assert_string_equal(read_log(), "Plain 1\n"
                                        "a.socket: Cannot bind: Permission denied\n"
                                        "a.socket: Cannot bind: Permission denied\n"
                                        "two\\x0alines\\x1b[31m\n"
                                        "b.service[12]: said\n"
                                        "b.service[12]: a\\x00b\\x0d\\xff\n"
                                        "b.service[12]: \\x00\n"
                                        "b.service[12]: \n");
}

static void test_json(void **state)
{
        CLEANUP(free) char *text = NULL;
        char *line, *save = NULL;

        assert_int_equal(log_set_target(LOG_TARGET_STDERR, LOG_FORMAT_JSON), 0);
        log_unit("a.socket", LOG_WARNING, ENOENT, "Say \"x\"");
        print_line("b.service", 12, "prog", LOG_INFO, "\x1b", 1);
        text = strdup(read_log());
        line = strtok_r(text, "\n", &save);
        assert_non_null(str_after_prefix(line, "{\"time\":"));
        assert_string_equal(strchr(line, ',') + 1,
                            "\"level\":\"warning\",\"unit\":\"a.socket\","
                            "\"errno\":2,"
                            "\"message\":\"Say \\\"x\\\": No such file or directory\"}");
        line = strtok_r(NULL, "\n", &save);
        assert_string_equal(strchr(line, ',') + 1,
                            "\"level\":\"info\",\"unit\":\"b.service\",\"pid\":12,"
                            "\"identifier\":\"prog\",\"message\":\"\\\\x1b\"}");
        assert_null(strtok_r(NULL, "\n", &save));
}

static void test_long_lines(void **state)
{
        static char big[30000];
        size_t n_lines = 0;
        struct stat st;
        char path[] = "/tmp/usher-test-log-file-XXXXXX";
        int fd = mkostemp(path, O_CLOEXEC);
        CLEANUP(free) char *text = NULL;

        unlink(path);
        fd_close(fake.reader);
        put_on_stderr(fcntl(fd, F_DUPFD_CLOEXEC, 0), fd);
        memset(big, 'x', sizeof(big) - 1);
        log_write(LOG_INFO, "%s", big);
        assert_int_equal(fstat(fake.reader, &st), 0);
        assert_int_equal(st.st_size, 8192); // cut, with dots for what is missing
        for (size_t i = 1; i + 2 < sizeof(big); i += 2)
                memcpy(big + i, "\xc3\xa4", 2); // no piece may end between these
        print_line("b.service", 1, NULL, LOG_INFO, big, 20001);
        lseek(fake.reader, 0, SEEK_SET);
        text = strdup(read_log());
        assert_non_null(strstr(text, "xxx...\n"));
        assert_null(strstr(text, "\\x"));
        for (const char *p = text; (p = strstr(p, "b.service[1]: ")); p++)
                n_lines++;
        assert_int_equal(n_lines, 3);
}

// stderr is a pipe that nobody reads: nothing waits, lines are counted, and reported in one line as
// soon as there is room.
static void check_full_pipe(void)
{
        uint64_t before = log_get_dropped();
        size_t n_written = 0;
        uint64_t n_dropped;
        char expected[100];
        CLEANUP(free) char *text = NULL;

        for (int i = 0; i < 400; i++)
                log_write(LOG_INFO, "Line %04d, made longer by some words", i);
        n_dropped = log_get_dropped() - before;
        text = strdup(read_log());
        for (const char *p = text; (p = strchr(p, '\n')); p++)
                n_written++;
        assert_in_range(n_written, 1, 300);
        assert_int_equal(n_written + n_dropped, 400);
        assert_non_null(str_at_suffix(text, "words\n"));
        log_write(LOG_INFO, "Room again");
        log_write(LOG_INFO, "And on");
        snprintf(expected, sizeof(expected),
                 "%llu log lines were dropped, since the reader was too slow\nRoom again\nAnd on\n",
                 (unsigned long long)n_dropped);
        assert_string_equal(read_log(), expected);
        assert_int_equal(fcntl(STDERR_FILENO, F_GETFL) & O_NONBLOCK, 0);
}

static void test_a_full_pipe_drops(void **state)
{
        check_full_pipe();
}

static void test_a_full_pipe_drops_without_proc(void **state)
{
        fake.has_no_proc = true;
        check_full_pipe();
}

static void test_a_full_socket_drops(void **state)
{
        int fds[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
        fd_close(fake.reader);
        put_on_stderr(fds[0], fds[1]);
        assert_int_equal(fd_set_nonblock(fake.reader, true), 0);
        for (int i = 0; i < 20000 && log_get_dropped() == 0; i++)
                log_write(LOG_INFO, "Line %04d, made longer by some words", i);
        assert_true(log_get_dropped() > 0);
        read_log();
        log_write(LOG_INFO, "Room again");
        assert_non_null(str_at_suffix(
                read_log(), " were dropped, since the reader was too slow\nRoom again\n"));
}

// What fits in part only is torn; the next line starts on a line of its own.
static void test_a_torn_line(void **state)
{
        static char big[8000];
        CLEANUP(free) char *text = NULL;
        uint64_t before = log_get_dropped();

        memset(big, '\t', sizeof(big) - 1);
        big[100] = '\n'; // with its escape and the unit in front it is larger than the pipe
        log_unit("a-unit-with-a-name-that-is-long-enough-to-fill-up-the-rest-of-the-pipe-and-then-"
                 "some-more-because-it-is-only-eight-kilobytes-and-the-text-is-cut-off-at-as-much-"
                 "but-not-the-name-in-front.socket",
                 LOG_INFO, 0, "%s", big);
        assert_int_equal(log_get_dropped(), before + 1);
        text = strdup(read_log());
        assert_int_equal(strlen(text), PIPE_SIZE);
        log_write(LOG_INFO, "Next");
        assert_string_equal(read_log(),
                            "\n1 log lines were dropped, since the reader was too slow\nNext\n");
}

static void test_a_pipe_without_reader(void **state)
{
        uint64_t before = log_get_dropped();

        fake.reader = fd_close(fake.reader);
        log_write(LOG_INFO, "Nobody is there"); // and no SIGPIPE either
        assert_int_equal(log_get_dropped(), before + 1);
        fake.has_no_proc = true;
        log_write(LOG_INFO, "Nobody is there");
        assert_int_equal(log_get_dropped(), before + 2);
        use_pipe();
        log_write(LOG_INFO, "Somebody is");
        assert_non_null(strstr(read_log(), "2 log lines were dropped"));
}

// A line with the digits of its time as N.
static const char *without_time(const char *line)
{
        static char text[500];
        bool is_time = true;
        size_t n = 0;

        for (; line[n] && n + 1 < sizeof(text); n++) {
                is_time = is_time && line[n] != ' ';
                text[n] = is_time && line[n] >= '0' && line[n] <= '9' ? 'N' : line[n];
        }
        text[n] = '\0';
        return text;
}

static void test_time(void **state)
{
        static const struct {
                enum log_time time;
                bool is_journal;
                const char *expected;
        } cases[] = {
                {LOG_TIME_NO, false, "a.socket: Said\n"},
                {LOG_TIME_YES, false, "NNNN-NN-NNTNN:NN:NN.NNN+NNNN notice a.socket: Said\n"},
                {LOG_TIME_AUTO, false, "NNNN-NN-NNTNN:NN:NN.NNN+NNNN notice a.socket: Said\n"},
                {LOG_TIME_AUTO, true, "<N>a.socket: Said\n"},
                {LOG_TIME_YES, true, "<N>NNNN-NN-NNTNN:NN:NN.NNN+NNNN notice a.socket: Said\n"},
        };

        setenv("TZ", "UTC", 1);
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                if (cases[i].is_journal)
                        set_journal_stream();
                log_set_time(cases[i].time);
                assert_int_equal(log_set_target(LOG_TARGET_STDERR, LOG_FORMAT_TEXT), 0);
                log_unit("a.socket", LOG_NOTICE, 0, "Said");
                assert_string_equal(without_time(read_log()), cases[i].expected);
        }
        unsetenv("TZ");
}

static void test_names_of_targets(void **state)
{
        static const struct {
                const char *name;
                int target;
        } cases[] = {
                {"auto", LOG_TARGET_AUTO},      {"stderr", LOG_TARGET_STDERR},
                {"console", LOG_TARGET_STDERR}, {"journal", LOG_TARGET_JOURNAL},
                {"syslog", LOG_TARGET_SYSLOG},  {"null", LOG_TARGET_NULL},
                {"Journal", -EINVAL},           {"", -EINVAL},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                assert_int_equal(log_target_from_name(cases[i].name), cases[i].target);
}

static void test_null(void **state)
{
        uint64_t before = log_get_dropped();

        assert_int_equal(log_set_target(LOG_TARGET_NULL, LOG_FORMAT_TEXT), 0);
        log_write(LOG_INFO, "Nowhere");
        assert_string_equal(read_log(), "");
        assert_int_equal(log_get_dropped(), before);
}

static void collect(const struct log_line *line, void *data)
{
        buf_printf(data, "%d|%s|%s\n", line->level, line->unit ? line->unit : "-", line->text);
}

static void test_hook(void **state)
{
        CLEANUP(buf) struct buf b = BUF_NULL;

        log_set_hook(collect, &b);
        log_unit("a.socket", LOG_ERR, 0, "One");
        start_journal();
        assert_int_equal(log_set_target(LOG_TARGET_JOURNAL, LOG_FORMAT_TEXT), 0);
        log_write(LOG_INFO, "Two");
        log_set_hook(NULL, NULL);
        log_write(LOG_INFO, "Three");
        assert_string_equal(buf_text(&b), "3|a.socket|One\n6|-|Two\n");
}

static void test_oom(void **state)
{
        OOM_LOOP {
                uint64_t before = log_get_dropped();

                log_write(LOG_INFO, "Ours");
                print_line("b.service", 1, NULL, LOG_INFO, "Theirs", 6);
                if (oom_was_hit())
                        assert_true(log_get_dropped() > before ||
                                    strstr(read_log(), "no memory for the message"));
                else
                        assert_true(strstr(read_log(), "Ours\nb.service[1]: Theirs\n"));
        }
}

static const struct CMUnitTest tests[] = {
        TEST(test_levels),
        TEST(test_text),
        TEST(test_json),
        TEST(test_a_full_socket_drops),
        TEST(test_long_lines),
        TEST(test_a_full_pipe_drops),
        TEST(test_a_full_pipe_drops_without_proc),
        TEST(test_a_torn_line),
        TEST(test_a_pipe_without_reader),
        TEST(test_time),
        TEST(test_names_of_targets),
        TEST(test_null),
        TEST(test_hook),
        TEST(test_oom),
};
HARNESS_MAIN(tests)
