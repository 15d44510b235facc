// Journal and syslog as targets.
#include "unit/log_fixture.h"

static void test_auto_target(void **state)
{
        assert_int_equal(log_set_target(LOG_TARGET_JOURNAL, LOG_FORMAT_TEXT), -ENOENT);
        set_journal_stream();
        assert_int_equal(log_set_target(LOG_TARGET_AUTO, LOG_FORMAT_TEXT), 0);
        log_write(LOG_NOTICE, "Stream only"); // the level in front, for the stream's reader
        assert_string_equal(read_log(), "<5>Stream only\n");
        start_journal();
        assert_int_equal(log_set_target(LOG_TARGET_AUTO, LOG_FORMAT_TEXT), 0);
        log_write(LOG_NOTICE, "Native");
        assert_string_equal(read_log(), "");
        assert_journal("PRIORITY=5\nSYSLOG_IDENTIFIER=test_log_sink\nMESSAGE=Native\n");
        setenv("JOURNAL_STREAM", "1:2", 1); // somebody else's
        assert_int_equal(log_set_target(LOG_TARGET_AUTO, LOG_FORMAT_TEXT), 0);
        log_write(LOG_NOTICE, "Stderr");
        assert_string_equal(read_log(), "Stderr\n");
}

static void test_journal_fields(void **state)
{
        start_journal();
        assert_int_equal(log_set_target(LOG_TARGET_JOURNAL, LOG_FORMAT_TEXT), 0);
        log_unit("a.socket", LOG_ERR, EIO, "Bad\n%d", 1);
        assert_journal("PRIORITY=3\nSYSLOG_IDENTIFIER=test_log_sink\nUNIT=a.socket\n"
                       "OBJECT_SYSTEMD_UNIT=a.socket\nERRNO=5\n"
                       "MESSAGE=Bad\\x0a1: Input/output error\n");
        print_line("b.service", 12, "prog", LOG_LOCAL0 | LOG_INFO, "said", 4);
        assert_journal("PRIORITY=6\nSYSLOG_IDENTIFIER=prog\nSYSLOG_FACILITY=16\nUNIT=b.service\n"
                       "OBJECT_SYSTEMD_UNIT=b.service\n"
                       "SYSLOG_PID=12\nOBJECT_PID=12\nMESSAGE=said\n");
        print_line("b.service", 12, "prog", LOG_INFO, "said", 4);
        assert_journal("PRIORITY=6\nSYSLOG_IDENTIFIER=prog\nUNIT=b.service\n"
                       "OBJECT_SYSTEMD_UNIT=b.service\nSYSLOG_PID=12\n"
                       "OBJECT_PID=12\nMESSAGE=said\n");
        assert_string_equal(read_log(), "");
}

static void check_stuck_reader(enum log_target target)
{
        uint64_t before = log_get_dropped();
        char text[1000];

        start_journal();
        assert_int_equal(log_set_target(target, LOG_FORMAT_TEXT), 0);
        for (int i = 0; i < 5000; i++)
                log_write(LOG_INFO, "Line %d", i);
        assert_true(log_get_dropped() > before);
        while (recv(fake.journal, text, sizeof(text), 0) > 0)
                ;
        log_write(LOG_INFO, "Room again");
        assert_true(recv(fake.journal, text, sizeof(text), 0) > 0);
        assert_non_null(strstr(text, "were dropped"));
        memset(text, 0, sizeof(text));
        assert_true(recv(fake.journal, text, sizeof(text) - 1, 0) > 0);
        assert_non_null(strstr(text, "Room again"));
        assert_string_equal(read_log(), "");
}

static void test_a_stuck_journal_drops(void **state)
{
        check_stuck_reader(LOG_TARGET_JOURNAL);
}

static void test_a_stuck_syslog_drops(void **state)
{
        fake.is_syslog = true;
        check_stuck_reader(LOG_TARGET_SYSLOG);
}

static void test_a_restarted_journal_is_found_again(void **state)
{
        start_journal();
        assert_int_equal(log_set_target(LOG_TARGET_JOURNAL, LOG_FORMAT_TEXT), 0);
        fd_close(fake.journal);
        start_journal();
        log_write(LOG_INFO, "Here");
        assert_journal("PRIORITY=6\nSYSLOG_IDENTIFIER=test_log_sink\nMESSAGE=Here\n");
        fake.journal = fd_close(fake.journal);
        unlink(fake.journal_path);
        log_write(LOG_INFO, "There");
        assert_string_equal(read_log(), "There\n"); // no journal at all: stderr
}

// What the units of a user's supervisor are called, and the life that a line is about.
static void test_journal_fields_of_a_user(void **state)
{
        sd_id128_t id =
                SD_ID128_MAKE(01, 02, 03, 04, 05, 06, 07, 08, 09, 0a, 0b, 0c, 0d, 0e, 0f, 10);

        start_journal();
        assert_int_equal(log_set_target(LOG_TARGET_JOURNAL, LOG_FORMAT_TEXT), 0);
        log_life("a.service", id, LOG_INFO, 0, "Said");
        assert_journal("PRIORITY=6\nSYSLOG_IDENTIFIER=test_log_sink\nUNIT=a.service\n"
                       "OBJECT_SYSTEMD_UNIT=a.service\n"
                       "INVOCATION_ID=0102030405060708090a0b0c0d0e0f10\nMESSAGE=Said\n");
        log_set_user(true);
        log_life("a.service", id, LOG_INFO, 0, "Said");
        assert_journal("PRIORITY=6\nSYSLOG_IDENTIFIER=test_log_sink\nUSER_UNIT=a.service\n"
                       "USER_INVOCATION_ID=0102030405060708090a0b0c0d0e0f10\nMESSAGE=Said\n");
        log_life("a.service", SD_ID128_NULL, LOG_INFO, 0, "Said");
        assert_journal("PRIORITY=6\nSYSLOG_IDENTIFIER=test_log_sink\nUSER_UNIT=a.service\n"
                       "MESSAGE=Said\n");
}

// ---- syslog

static void start_syslog(int type)
{
        fake.is_syslog = true;
        if (type == SOCK_DGRAM) {
                start_journal();
                return;
        }
        struct sockaddr_un un = {.sun_family = AF_UNIX};

        unlink(fake.journal_path);
        strcpy(un.sun_path, fake.journal_path);
        fake.journal = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        assert_int_equal(bind(fake.journal, (struct sockaddr *)&un, sizeof(un)), 0);
        assert_int_equal(listen(fake.journal, 1), 0);
}

// "<30>Nov  3 15:58:39 TAG[PID]: ..." without the time, whose form is checked.
static void assert_syslog(int fd, const char *expected)
{
        char text[500], line[500];
        ssize_t n = recv(fd, text, sizeof(text) - 1, 0);
        struct tm tm = {0};

        assert_true(n > 0);
        text[n] = '\0';
        const char *at = strchr(text, '>');

        assert_non_null(at);
        assert_string_equal(strptime(at + 1, "%b %e %H:%M:%S ", &tm),
                            at + 1 + strlen("Nov  3 15:58:39 "));
        snprintf(line, sizeof(line), "%.*s%s", (int)(at + 1 - text), text,
                 at + 1 + strlen("Nov  3 15:58:39 "));
        assert_string_equal(line, expected);
}

static void test_syslog(void **state)
{
        char own[100];

        start_syslog(SOCK_DGRAM);
        assert_int_equal(log_set_target(LOG_TARGET_SYSLOG, LOG_FORMAT_TEXT), 0);
        log_unit("a.socket", LOG_WARNING, EIO, "Bad");
        snprintf(own, sizeof(own), "<28>test_log_sink[%d]: a.socket: Bad: Input/output error",
                 getpid());
        assert_syslog(fake.journal, own);
        print_line("b.service", 12, "prog", LOG_LOCAL0 | LOG_INFO, "said", 4);
        assert_syslog(fake.journal, "<134>prog[12]: b.service: said");
        assert_string_equal(read_log(), "");
}

static void test_syslog_over_a_stream(void **state)
{
        start_syslog(SOCK_STREAM);
        assert_int_equal(log_set_target(LOG_TARGET_SYSLOG, LOG_FORMAT_TEXT), 0);
        CLEANUP(fd) int fd = accept4(fake.journal, NULL, NULL, SOCK_CLOEXEC);

        assert_true(fd >= 0);
        print_line("b.service", 12, "prog", LOG_DAEMON | LOG_INFO, "said", 4);
        assert_syslog(fd, "<30>prog[12]: b.service: said");
}

// Nobody reads at /dev/log: lines go to stderr, and a reader is looked for each second only.
static void test_syslog_comes_later(void **state)
{
        fake.is_syslog = true;
        assert_int_equal(log_set_target(LOG_TARGET_SYSLOG, LOG_FORMAT_TEXT), 0);
        unsigned before = fake.n_connects;

        for (int i = 0; i < 1000; i++)
                log_write(LOG_INFO, "%d", i);
        assert_true(fake.n_connects < before + 20);
        assert_non_null(str_at_suffix(read_log(), "\n999\n"));
        start_syslog(SOCK_DGRAM);
        usleep(1100000);
        log_write(LOG_INFO, "Here");
        assert_string_equal(read_log(), "");
}

static const struct CMUnitTest tests[] = {
        TEST(test_auto_target),
        TEST(test_journal_fields),
        TEST(test_a_stuck_journal_drops),
        TEST(test_a_stuck_syslog_drops),
        TEST(test_a_restarted_journal_is_found_again),
        TEST(test_journal_fields_of_a_user),
        TEST(test_syslog),
        TEST(test_syslog_over_a_stream),
        TEST(test_syslog_comes_later),
};
HARNESS_MAIN(tests)
