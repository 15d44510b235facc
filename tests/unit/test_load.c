// How files become confs: which are found, in which order they are applied, which are refused.
#include "conf/load.h"

#include "base/strv.h"
#include "unit/conf_fixture.h"

static struct conf_loader *open_loader(struct complaints *said)
{
        const char *dirs[] = {at("e"), at("l"), NULL};
        const struct conf_loader_options options = {.unit_path = (char *const *)dirs,
                                                    .diag = &said->diag};
        struct conf_loader *loader;

        assert_int_equal(conf_loader_new(&options, &loader), 0);
        return loader;
}

static struct unit_conf *load(const char *name, struct complaints *said)
{
        struct conf_loader *loader;
        struct unit_conf *conf;

        complaints_init(said);
        loader = open_loader(said);
        assert_int_equal(conf_load(loader, name, &said->diag, &conf), 0);
        conf_loader_free(loader);
        return conf;
}

// ---- one file each: its load state, and what is said

static const struct {
        const char *name, *text;
        enum load_state state;
        const char *said; // NULL: nothing
} files[] = {
        {"a.socket", "[Socket]\nListenStream=1\n", LOAD_LOADED, NULL},
        {"a.service", "[Service]\nExecStart=/bin/true\n", LOAD_LOADED, NULL},
        {"a.target", "", LOAD_MASKED, NULL},
        {"a.target", "[Unit]\n", LOAD_LOADED, NULL},
        {"a.socket", "[Unit]\n", LOAD_BAD_SETTING, "Nothing to listen on"},
        {"a.socket", "[Socket]\nListenFIFO=/x\nAccept=yes\n", LOAD_BAD_SETTING, "Accept=yes goes"},
        {"a.socket", "[Socket]\nListenDatagram=1\nAccept=yes\n", LOAD_BAD_SETTING,
         "Accept=yes goes"},
        {"a.socket", "[Socket]\nListenStream=1\nAccept=yes\nMaxConnections=0\n", LOAD_BAD_SETTING,
         "MaxConnections=0"},
        {"a.socket", "[Socket]\nListenStream=1\nMaxConnections=0\n", LOAD_LOADED, NULL},
        {"a.socket", "[Socket]\nListenStream=1\nAccept=yes\nService=x.service\n", LOAD_BAD_SETTING,
         "Service= does not go with Accept=yes"},
        {"a.socket", "[Socket]\nListenStream=1\nAccept=yes\nDeferTrigger=yes\n", LOAD_BAD_SETTING,
         "DeferTrigger="},
        {"a.socket", "[Socket]\nListenStream=1\nSymlinks=/x\n", LOAD_BAD_SETTING, "Symlinks="},
        {"a.socket", "[Socket]\nListenStream=/a\nListenStream=/b\nSymlinks=/x\n", LOAD_BAD_SETTING,
         "Symlinks="},
        {"a.socket", "[Socket]\nListenStream=/a\nSymlinks=/x\n", LOAD_LOADED, NULL},
        {"a.service", "[Service]\n", LOAD_BAD_SETTING, "Nothing to run"},
        {"a.service", "[Service]\nType=simple\nExecStop=/bin/true\n", LOAD_BAD_SETTING,
         "No ExecStart="},
        {"a.service", "[Service]\nType=oneshot\nExecStop=/bin/true\n", LOAD_BAD_SETTING,
         "RemainAfterExit=yes"},
        {"a.service", "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStop=/bin/true\n",
         LOAD_LOADED, NULL},
        {"a.service", "[Service]\nExecStart=/bin/true\nExecStart=/bin/true\n", LOAD_BAD_SETTING,
         "Several ExecStart="},
        {"a.service", "[Service]\nType=oneshot\nRestart=always\nExecStart=/bin/true\n",
         LOAD_BAD_SETTING, "Restart=always"},
        {"a.service", "[Service]\nType=oneshot\nRestart=on-failure\nExecStart=/bin/true\n",
         LOAD_LOADED, NULL},
        {"a.service", "[Service]\nType=dbus\nExecStart=/bin/true\n", LOAD_BAD_SETTING, "BusName="},
        {"a.service", "[Service]\nExecStart=true \"\n", LOAD_BAD_SETTING, "e/a.service:2: "},
        {"a.service", "[Service]\nExecStart=/bin/true\nExecStop=./x\n", LOAD_BAD_SETTING,
         "e/a.service:3: "},
        {"a.service", "[Service]\nExecStart=/bin/true\nExecStop=-./x\n", LOAD_LOADED,
         "e/a.service:3: "},
        {"a.service", "[Service]\nExecStart=/bin/true\nUser=a:b\n", LOAD_BAD_SETTING,
         "e/a.service:3: "},
        {"a.service", "[Service]\nExecStart=/bin/true\nRestartSteps=3\n", LOAD_LOADED,
         "RestartSteps= has no effect"},
        {"a.socket", "[Socket]\nListenStream=1\nListenStrem=2\n", LOAD_LOADED, "ListenStream"},
        {"a.socket", "[Sockets]\nListenStream=1\n[Socket]\nListenStream=1\n", LOAD_LOADED,
         "e/a.socket:1: "},
        {"a.socket", "[Socket]\nListenStream=1\n[X-Mine]\nAnything=1\n[Unit]\nX-Foo=1\n",
         LOAD_LOADED, NULL},
        {"a.socket", "[Socket]\nListenStream=nowhere:1\nListenStream=1\n", LOAD_LOADED,
         "e/a.socket:2: "},
};

static void test_files(void **state)
{
        for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
                CLEANUP(complaints) struct complaints said;
                CLEANUP(free) char *file = str_printf("e/%s", files[i].name);

                put_file(file, files[i].text);
                CLEANUP(unit_conf) struct unit_conf *conf = load(files[i].name, &said);
                const char *text = buf_text(&said.text);

                if (conf->load_state != files[i].state ||
                    (files[i].said ? !strstr(text, files[i].said) : *text))
                        fail_msg("row %zu: state %d\n%s", i, (int)conf->load_state, text);
                if (conf->load_state == LOAD_BAD_SETTING)
                        assert_non_null(conf->load_error);
                assert_int_equal(unlink(at(file)), 0);
        }
}

static void test_missing(void **state)
{
        CLEANUP(complaints) struct complaints said;
        CLEANUP(unit_conf) struct unit_conf *conf = load("none.service", &said);
        struct unit_conf *bad;
        CLEANUP(conf_loader) struct conf_loader *loader = NULL;

        assert_int_equal(conf->load_state, LOAD_NOT_FOUND);
        assert_string_equal(conf->id, "none.service");
        loader = open_loader(&said);
        assert_int_equal(conf_load(loader, "no suffix", NULL, &bad), -EINVAL);
        // A link to nowhere is as good as no file.
        put_link("e/gone.service", "/nonexistent/gone.service");
        CLEANUP(unit_conf) struct unit_conf *gone = load("gone.service", &said);
        assert_true(gone->load_state == LOAD_NOT_FOUND || gone->load_state == LOAD_ERROR);
        cleanup_complaints(&said);
}

// ---- several files

static void test_precedence_and_dropins(void **state)
{
        CLEANUP(complaints) struct complaints said;

        put_file("l/a-b.service", "[Service]\nExecStart=/bin/low\n");
        put_file("e/a-b.service", "[Unit]\nDescription=high\n[Service]\nExecStart=/bin/high\n"
                                  "Environment=A=1\n");
        put_file("l/a-b.service.d/10.conf", "[Service]\nEnvironment=B=2\n");
        put_file("l/a-.service.d/20.conf", "[Service]\nEnvironment=C=3\n");
        put_file("l/service.d/05.conf", "[Service]\nEnvironment=Z=0\n");
        put_file("e/a-b.service.d/30.conf", "[Service]\nExecStart=\nExecStart=/bin/new\n");
        CLEANUP(unit_conf) struct unit_conf *conf = load("a-b.service", &said);
        CLEANUP(free) char *env = strv_join(conf->exec->environment, " ");

        assert_string_equal(buf_text(&said.text), "");
        assert_string_equal(conf->unit->description, "high");
        assert_int_equal(conf->service->exec_start.n, 1);
        assert_string_equal(conf->service->exec_start.items[0].path, "/bin/new");
        assert_string_equal(env, "A=1 Z=0 B=2 C=3");
        assert_int_equal(strv_length(conf->dropin_paths), 4);
}

static void test_templates_and_aliases(void **state)
{
        CLEANUP(complaints) struct complaints said;

        put_file("l/t@.service",
                 "[Unit]\nDescription=%i of %p\n[Service]\nExecStart=/bin/echo %i\n");
        put_file("e/t@own.service", "[Service]\nExecStart=/bin/own\n");
        put_link("e/alias.service", "../l/plain.service");
        put_file("l/plain.service", "[Service]\nExecStart=/bin/plain\n");
        CLEANUP(unit_conf) struct unit_conf *one = load("t@one.service", &said);
        assert_string_equal(one->unit->description, "one of t");
        cleanup_complaints(&said);
        CLEANUP(unit_conf) struct unit_conf *own = load("t@own.service", &said);
        assert_string_equal(own->service->exec_start.items[0].path, "/bin/own");
        cleanup_complaints(&said);
        CLEANUP(unit_conf) struct unit_conf *alias = load("alias.service", &said);
        assert_string_equal(alias->id, "plain.service");
        assert_true(strv_contains(alias->names, "alias.service"));
        cleanup_complaints(&said);
        // For all connections of a socket at once; each fills in its own name.
        CLEANUP(unit_conf) struct unit_conf *shared = load("t@.service", &said);
        assert_true(shared->defers_instance);
        assert_int_equal(shared->load_state, LOAD_LOADED);
}

static void test_wants_and_masks(void **state)
{
        CLEANUP(complaints) struct complaints said;

        put_file("l/a.target", "[Unit]\nWants=one.service\n");
        put_link("e/a.target.wants/two.service", "../two.service");
        put_link("e/a.target.requires/three.service", "../three.service");
        put_link("e/m.service", "/dev/null");
        put_file("l/m.service", "[Service]\nExecStart=/bin/true\n");
        CLEANUP(unit_conf) struct unit_conf *conf = load("a.target", &said);
        assert_int_equal(strv_length(conf->unit->wants), 1);
        assert_true(strv_contains(conf->linked_wants, "two.service"));
        assert_true(strv_contains(conf->linked_requires, "three.service"));
        cleanup_complaints(&said);
        CLEANUP(unit_conf) struct unit_conf *masked = load("m.service", &said);
        assert_int_equal(masked->load_state, LOAD_MASKED);
}

static void test_builtin_targets(void **state)
{
        static const char *const names[] = {"basic.target", "sockets.target", "sysinit.target",
                                            "shutdown.target", "multi-user.target"};

        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                CLEANUP(complaints) struct complaints said;
                CLEANUP(unit_conf) struct unit_conf *conf = load(names[i], &said);

                if (conf->load_state != LOAD_LOADED)
                        fail_msg("%s is not built in", names[i]);
                assert_null(conf->fragment_path);
        }
        // A file takes its place.
        CLEANUP(complaints) struct complaints said;

        put_file("e/basic.target", "[Unit]\nDescription=mine\n");
        CLEANUP(unit_conf) struct unit_conf *conf = load("basic.target", &said);
        assert_string_equal(conf->unit->description, "mine");
}

// Equal groups of several units are one in memory.
static void test_sharing(void **state)
{
        CLEANUP(complaints) struct complaints said;
        struct unit_conf *a, *b, *c;

        put_file("e/a.service", "[Service]\nExecStart=/bin/true\nNice=3\n");
        put_file("e/b.service", "[Service]\nExecStart=/bin/true\nNice=3\n");
        put_file("e/c.service", "[Service]\nExecStart=/bin/true\nNice=4\n");
        complaints_init(&said);
        CLEANUP(conf_loader) struct conf_loader *loader = open_loader(&said);
        assert_int_equal(conf_load(loader, "a.service", NULL, &a), 0);
        assert_int_equal(conf_load(loader, "b.service", NULL, &b), 0);
        assert_int_equal(conf_load(loader, "c.service", NULL, &c), 0);
        assert_ptr_equal(a->exec, b->exec);
        assert_ptr_not_equal(a->exec, c->exec);
        assert_ptr_equal(a->kill, c->kill);
        CLEANUP(unit_conf) struct unit_conf *again = NULL;

        assert_int_equal(conf_load(loader, "a.service", NULL, &again), 0);
        assert_true(unit_conf_equal(a, again));
        assert_false(unit_conf_equal(a, c));
        unit_conf_unref(a);
        unit_conf_unref(b);
        unit_conf_unref(c);
}

static void test_text(void **state)
{
        CLEANUP(complaints) struct complaints said;
        struct unit_conf *conf;

        complaints_init(&said);
        CLEANUP(conf_loader) struct conf_loader *loader = open_loader(&said);
        assert_int_equal(
                conf_load_text(loader, "x.socket", "[Socket]\nListenStream=7\n", &said.diag, &conf),
                0);
        assert_int_equal(conf->load_state, LOAD_LOADED);
        assert_true(conf->transient);
        unit_conf_unref(conf);
        assert_int_equal(conf_load_text(loader, "x.timer", "", &said.diag, &conf), -EINVAL);
}

// ---- limits and memory

static void test_hostile_files(void **state)
{
        CLEANUP(complaints) struct complaints said;
        CLEANUP(free) char *long_line = malloc((1 << 20) + 64);

        strcpy(long_line, "[Unit]\nDescription=");
        memset(long_line + 19, 'x', 1 << 20);
        strcpy(long_line + 19 + (1 << 20), "\n");
        put_file("e/long.target", long_line);
        unit_conf_unref(load("long.target", &said));
        assert_non_null(strstr(buf_text(&said.text), "e/long.target:2: "));
        cleanup_complaints(&said);
        assert_int_equal(fs_mkdir_p(at("e/dir.service"), 0755), 0);
        CLEANUP(unit_conf) struct unit_conf *folder = load("dir.service", &said);
        assert_int_not_equal(folder->load_state, LOAD_LOADED);
}

static int load_once(void *arg)
{
        const char *const *dirs = arg;
        const struct conf_loader_options options = {.unit_path = (char *const *)dirs};
        CLEANUP(conf_loader) struct conf_loader *loader = NULL;
        struct unit_conf *conf;
        int r = conf_loader_new(&options, &loader);

        if (r == 0)
                r = conf_load(loader, "t@one.service", NULL, &conf);
        if (r < 0)
                return r;
        r = conf->load_state == LOAD_LOADED ? 0 : -ENOMEM; // an error that names its reason
        unit_conf_unref(conf);
        return r;
}

static void test_oom(void **state)
{
        const char *dirs[] = {at("e"), NULL};

        put_file("e/t@.service", "[Unit]\nDescription=%i\nAfter=x.target\n"
                                 "[Service]\nExecStart=/bin/echo %i \"a b\"\nEnvironment=A=1\n"
                                 "StandardInput=socket\nLimitNOFILE=10:20\n");
        put_file("e/t@.service.d/a.conf", "[Service]\nUser=root\nRuntimeDirectory=a b\n");
        oom_prove(load_once, dirs);
}

static const struct CMUnitTest tests[] = {
        TOP_TEST(test_files),
        TOP_TEST(test_missing),
        TOP_TEST(test_precedence_and_dropins),
        TOP_TEST(test_templates_and_aliases),
        TOP_TEST(test_wants_and_masks),
        TOP_TEST(test_builtin_targets),
        TOP_TEST(test_sharing),
        TOP_TEST(test_text),
        TOP_TEST(test_hostile_files),
        TOP_TEST(test_oom),
};
HARNESS_MAIN(tests)
