// What is waited for, and what is an error.
#include "core/socket/absence.h"

#include "unit/harness.h"

#include <sys/socket.h>

static char path[] = "/run/s";

static const struct {
        const char *name;
        struct port port;
} ports[] = {
        {"inet", {.kind = PORT_SOCKET, .address.addr.sa.sa_family = AF_INET}},
        {"unix", {.kind = PORT_SOCKET, .address.addr.sa.sa_family = AF_UNIX, .path = path}},
        {"abstract", {.kind = PORT_SOCKET, .address.addr.sa.sa_family = AF_UNIX}},
        {"fifo", {.kind = PORT_FIFO, .path = path}},
        {"special", {.kind = PORT_SPECIAL, .path = path}},
        {"queue", {.kind = PORT_MQUEUE, .path = path}},
        {"netlink", {.kind = PORT_NETLINK}},
};

static const struct {
        const char *port;
        int error;
        bool is_up;
        enum absence absence;
} rows[] = {
        {"inet", EADDRNOTAVAIL, false, ABSENT_ADDRESS},
        {"inet", ENODEV, false, ABSENT_INTERFACE},
        {"special", ENOENT, false, ABSENT_FILE},
        {"special", ENXIO, false, ABSENT_FILE},
        {"special", ENODEV, false, ABSENT_FILE},
        {"special", EROFS, false, ABSENT_WRITABLE},
        {"unix", ENOENT, false, ABSENT_FOLDER},
        {"fifo", ENOENT, false, ABSENT_FOLDER},
        {"unix", EROFS, false, ABSENT_WRITABLE},
        {"fifo", EROFS, false, ABSENT_WRITABLE},
        {"unix", ENOSPC, false, ABSENT_SPACE},
        {"fifo", EDQUOT, false, ABSENT_SPACE},
        {"queue", ENOSPC, false, ABSENT_SPACE},
        {"unix", EINPROGRESS, true, ABSENT_REMOVAL},
        {"inet", EMFILE, true, ABSENT_RESOURCES},
        {"unix", ETIMEDOUT, true, ABSENT_ANSWER},
        // The administrator's to mend.
        {"inet", EMFILE, false, ABSENT_NOTHING},
        {"unix", ETIMEDOUT, false, ABSENT_NOTHING},
        {"inet", EADDRINUSE, true, ABSENT_NOTHING},
        {"inet", EACCES, false, ABSENT_NOTHING},
        {"inet", EINVAL, false, ABSENT_NOTHING},
        {"inet", EAFNOSUPPORT, false, ABSENT_NOTHING},
        {"inet", ENOENT, false, ABSENT_NOTHING},
        {"unix", EADDRNOTAVAIL, false, ABSENT_NOTHING},
        {"unix", EEXIST, false, ABSENT_NOTHING},
        {"unix", EISDIR, false, ABSENT_NOTHING},
        {"unix", ENOTDIR, false, ABSENT_NOTHING},
        {"unix", EPERM, false, ABSENT_NOTHING},
        {"unix", ENAMETOOLONG, false, ABSENT_NOTHING},
        {"fifo", EEXIST, false, ABSENT_NOTHING},
        {"special", EACCES, false, ABSENT_NOTHING},
        {"special", EISDIR, false, ABSENT_NOTHING},
        {"abstract", ENOENT, false, ABSENT_NOTHING},
        {"abstract", ENOSPC, false, ABSENT_NOTHING},
        {"netlink", ENODEV, false, ABSENT_NOTHING},
};

static void test_errors(void **state UNUSED)
{
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                size_t k = 0;

                while (strcmp(ports[k].name, rows[i].port) != 0)
                        k++;
                enum absence a = absence_of_error(&ports[k].port, -rows[i].error, rows[i].is_up);

                if (a != rows[i].absence)
                        fail_msg("%s, %s: %d", rows[i].port, strerror(rows[i].error), (int)a);
        }
}

static void test_words(void **state UNUSED)
{
        char text[32];

        assert_string_equal(absence_format(ABSENT_GROUP, "www-data", text, sizeof(text)),
                            "group www-data");
        assert_string_equal(absence_format(ABSENT_REPAIR, "/run/s", text, sizeof(text)),
                            "/run/s to be free again");
        assert_string_equal(absence_format(ABSENT_FILE, "%s%n%d", text, sizeof(text)),
                            "file %s%n%d"); // a name is no format
        assert_int_equal(
                strlen(absence_format(ABSENT_UNIT, "a-name-that-is-longer-than-the-buffer.service",
                                      text, sizeof(text))),
                sizeof(text) - 1);
        // Each has words of its own.
        for (enum absence a = ABSENT_NOTHING; a < _ABSENCE_MAX; a++) {
                char words[ABSENCE_TEXT_MAX];

                assert_non_null(strchr(absence_format(a, "!", words, sizeof(words)), 0x21));
        }
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_words),
};
HARNESS_MAIN(tests)
