// First byte: the unit's name; the rest is its file. Loaded as the daemon does, and checked.
#include "conf/load.h"

#include "base/str.h"
#include "conf/settings.h"
#include "fuzz/input.h"

static const char *const names[] = {
        "a.service", "a.socket", "a.target", "a@.service", "a@b-c.service", "a-b@c.socket",
};

static void on_complaint(struct diag *diag, const struct diag_entry *entry)
{
        char text[4096];

        (void)diag;
        assert(*entry->text && *diag_format(entry, text, sizeof(text)));
}

static struct conf_loader *loader(void)
{
        static char *no_path[] = {NULL};
        static struct settings settings;
        static struct conf_loader *made;

        if (!made) {
                settings_init(&settings);
                assert(conf_loader_new(&(struct conf_loader_options){.unit_path = no_path,
                                                                     .settings = &settings},
                                       &made) == 0);
        }
        return made;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct input in = {data, size};
        const char *name = names[input_byte(&in) % ARRAY_SIZE(names)];
        CLEANUP(free) char *text = input_string(&in);
        CLEANUP(unit_conf) struct unit_conf *conf = NULL, *again = NULL;
        struct diag diag = {.emit = on_complaint};

        assert(conf_load_text(loader(), name, text, &diag, &conf) == 0);
        assert(streq(conf->id, name) && conf->transient);
        switch ((int)conf->load_state) {
        case LOAD_LOADED:
                assert(diag.errors == 0);
                break;
        case LOAD_BAD_SETTING:
        case LOAD_ERROR:
                assert(conf->load_error && *conf->load_error && diag.errors > 0);
                break;
        default:
                abort();
        }
        // The same text gives the same, and groups that are equal are shared.
        assert(conf_load_text(loader(), name, text, NULL, &again) == 0);
        assert(again->load_state == conf->load_state);
        assert(conf->load_state != LOAD_LOADED || unit_conf_equal(conf, again));
        assert(conf->exec == again->exec || conf->load_state != LOAD_LOADED);
        return 0;
}
