// A unit is the same conf whether it is written as a file or as a block of usher.conf.
#include "base/strv.h"
#include "conf/cfgfile.h"
#include "conf/load.h"
#include "unit/conf_fixture.h"

static const struct {
        const char *name, *file, *block;
} pairs[] = {
        {"echo.socket", "[Socket]\nListenStream=7\nListenStream=[::1]:8\nAccept=yes\n",
         "socket \"echo\" { ListenStream = {\"7\", \"[::1]:8\"} Accept = yes }"},
        {"echo.socket", "[Socket]\nListenStream=/run/x.sock\nSocketMode=0600\nBacklog=5\n",
         "socket \"echo\" {\n ListenStream = /run/x.sock\n SocketMode = 0600\n Backlog = 5\n}"},
        {"d.socket", "[Unit]\nDescription=Data grams\n[Socket]\nListenDatagram=127.0.0.1:9\n",
         "socket d { Description = \"Data grams\" ListenDatagram = 127.0.0.1:9 }"},
        {"r.socket", "[Socket]\nListenStream=1\nListenStream=\nListenStream=2\n",
         "socket r { ListenStream = 1 ListenStream = \"\" ListenStream = 2 }"},
        {"m.socket", "[Socket]\nListenFIFO=/run/f\nMaxConnections=3\nTriggerLimitBurst=9\n",
         "socket m { ListenFIFO = /run/f MaxConnections = 3 TriggerLimitBurst = 9 }"},
        {"echo@.service", "[Service]\nExecStart=/bin/cat\nStandardInput=socket\n",
         "service \"echo@\" { ExecStart = '/bin/cat' StandardInput = socket }"},
        {"a.service", "[Service]\nExecStart=/bin/sh -c 'echo \"$X\"'\nEnvironment=X=1 \"Y=a b\"\n",
         "service a { ExecStart = '/bin/sh -c \\'echo \"$X\"\\''\n"
         "Environment = 'X=1 \"Y=a b\"' }"},
        {"o.service",
         "[Unit]\nAfter=x.target y.target\n[Service]\nType=oneshot\nExecStart=/bin/true\n"
         "ExecStart=/bin/false\nRemainAfterExit=yes\n",
         "service o { After = \"x.target y.target\" Type = oneshot\n"
         "ExecStart = {/bin/true, /bin/false} RemainAfterExit = yes }"},
        {"u.service", "[Service]\nExecStart=/bin/true\nUser=root\nLimitNOFILE=10:20\nUMask=077\n",
         "service u { ExecStart = /bin/true User = root LimitNOFILE = 10:20 UMask = 077 }"},
        {"k.service", "[Service]\nExecStart=/bin/true\nKillMode=mixed\nTimeoutStopSec=5s\n",
         "service k { ExecStart = /bin/true KillMode = mixed TimeoutStopSec = 5s }"},
        {"all.target", "[Unit]\nWants=a.service\nDescription=All\n",
         "target all { Wants = a.service Description = All }"},
};

static struct unit_conf *load_from(const char *name, const char *dir, const struct cfgfile *cfgfile)
{
        const char *dirs[] = {dir, NULL};
        const struct conf_loader_options options = {.unit_path = (char *const *)dirs,
                                                    .cfgfile = cfgfile};
        CLEANUP(conf_loader) struct conf_loader *loader = NULL;
        CLEANUP(complaints) struct complaints said;
        struct unit_conf *conf;

        complaints_init(&said);
        assert_int_equal(conf_loader_new(&options, &loader), 0);
        assert_int_equal(conf_load(loader, name, &said.diag, &conf), 0);
        assert_string_equal(buf_text(&said.text), "");
        return conf;
}

static void test_equal(void **state)
{
        for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
                CLEANUP(free) char *file = str_printf("units/%s", pairs[i].name);
                CLEANUP(cfgfile) struct cfgfile *cfgfile = NULL;
                CLEANUP(complaints) struct complaints said;
                struct settings settings;

                put_file(file, pairs[i].file);
                put_file("usher.conf", pairs[i].block);
                complaints_init(&said);
                settings_init(&settings);
                if (cfgfile_load(at("usher.conf"), TRUST_ALL, &settings, &said.diag, &cfgfile) < 0)
                        fail_msg("%s: %s", pairs[i].block, buf_text(&said.text));
                CLEANUP(unit_conf)
                struct unit_conf *a = load_from(pairs[i].name, at("units"), NULL);
                CLEANUP(unit_conf)
                struct unit_conf *b = load_from(pairs[i].name, at("none"), cfgfile);

                assert_int_equal(a->load_state, LOAD_LOADED);
                if (!unit_conf_equal(a, b))
                        fail_msg("%s is not what the block means:\n%s", pairs[i].name,
                                 pairs[i].block);
                assert_string_equal(b->fragment_path + strlen(top) + 1, "usher.conf");
                settings_done(&settings);
                unlink(at(file));
        }
}

// A fault in a block is reported as in a file, with its line of usher.conf.
static void test_complaints(void **state)
{
        static const struct {
                const char *block, *said;
        } rows[] = {
                {"socket a {\n ListenStream = 1\n Backlog = many\n}", "usher.conf:3: "},
                {"socket a {\n ListenStrem = 1\n ListenStream = 1\n}", "usher.conf:2: "},
                {"socket a {\n\n\n ListenStream = nowhere\n}", "usher.conf:4: "},
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                CLEANUP(cfgfile) struct cfgfile *cfgfile = NULL;
                CLEANUP(conf_loader) struct conf_loader *loader = NULL;
                CLEANUP(complaints) struct complaints said;
                const char *dirs[] = {at("none"), NULL};
                struct settings settings;
                struct unit_conf *conf;

                put_file("usher.conf", rows[i].block);
                complaints_init(&said);
                settings_init(&settings);
                assert_int_equal(
                        cfgfile_load(at("usher.conf"), TRUST_ALL, &settings, &said.diag, &cfgfile),
                        0);
                const struct conf_loader_options options = {.unit_path = (char *const *)dirs,
                                                            .cfgfile = cfgfile};

                assert_int_equal(conf_loader_new(&options, &loader), 0);
                assert_int_equal(conf_load(loader, "a.socket", &said.diag, &conf), 0);
                if (!strstr(buf_text(&said.text), rows[i].said))
                        fail_msg("%s\n%s", rows[i].block, buf_text(&said.text));
                unit_conf_unref(conf);
                settings_done(&settings);
        }
}

// The same rules between files and blocks: drop-ins apply to a block, a file of the folder wins.
static void test_dropins_apply(void **state)
{
        CLEANUP(cfgfile) struct cfgfile *cfgfile = NULL;
        struct settings settings;

        put_file("usher.conf", "socket a { ListenStream = 1 }");
        put_file("units/a.socket.d/x.conf", "[Socket]\nBacklog=3\n");
        settings_init(&settings);
        assert_int_equal(cfgfile_load(at("usher.conf"), TRUST_ALL, &settings, NULL, &cfgfile), 0);
        CLEANUP(unit_conf) struct unit_conf *conf = load_from("a.socket", at("units"), cfgfile);
        assert_int_equal(conf->socket->backlog, 3);
        assert_int_equal(conf->socket->ports.n, 1);
        settings_done(&settings);
}

static const struct CMUnitTest tests[] = {
        TOP_TEST(test_equal),
        TOP_TEST(test_complaints),
        TOP_TEST(test_dropins_apply),
};
HARNESS_MAIN(tests)
