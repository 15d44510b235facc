#include "bus/bus_priv.h"

#include "base/str.h"
#include "unit/harness.h"

#define UNITS BUS_ROOT "/unit/"
#define JOBS BUS_ROOT "/job/"

static void test_units(void **state)
{
        static const struct {
                const char *path, *name; // NULL: it stands for no unit
        } rows[] = {
                {UNITS "ssh_2esocket", "ssh.socket"},
                {UNITS "echo_400_2d127_2e0_2e0_2e1_3a7_2eservice", "echo@0-127.0.0.1:7.service"},
                {UNITS "a_5cx2db_2etarget", "a\\x2db.target"},
                {UNITS "_", NULL},
                {UNITS "ssh", NULL},
                {UNITS "ssh_40_2eservice", NULL}, // a template is no object
                {UNITS "a_2fb_2eservice", NULL},
                {UNITS "a/b_2eservice", NULL},
                {UNITS "a_2eservice_0a", NULL},
                {BUS_ROOT "/unit", NULL},
                {BUS_ROOT "/units/a_2eservice", NULL},
                {BUS_ROOT "/job/a_2eservice", NULL},
                {"/", NULL},
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                CLEANUP(free) char *name = NULL;

                print_message("%s\n", rows[i].path);
                assert_int_equal(bus_path_unit(rows[i].path, &name), rows[i].name != NULL);
                assert_true(str_eq_ptr(name, rows[i].name));
                if (!name)
                        continue;
                CLEANUP(free) char *path = bus_unit_path(name);

                assert_string_equal(path, rows[i].path);
        }
}

static void test_jobs(void **state)
{
        static const struct {
                const char *path;
                uint32_t id; // 0: it stands for no job
        } rows[] = {
                {JOBS "1", 1},        {JOBS "4294967295", UINT32_MAX},
                {JOBS "0", 0},        {JOBS "4294967297", 0},
                {JOBS "01", 0},       {JOBS "1_", 0},
                {JOBS "0x1", 0},      {JOBS "", 0},
                {JOBS "1/1", 0},      {JOBS "18446744073709551617", 0},
                {BUS_ROOT "/job", 0}, {UNITS "1", 0},
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                uint32_t id = 0;

                print_message("%s\n", rows[i].path);
                assert_int_equal(bus_path_job(rows[i].path, &id), rows[i].id != 0);
                assert_int_equal(id, rows[i].id);
        }
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_units),
        cmocka_unit_test(test_jobs),
};
HARNESS_MAIN(tests)
