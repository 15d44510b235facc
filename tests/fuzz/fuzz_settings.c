// Lines Name=value: settings of usher.conf.
#include "conf/settings.h"

#include "base/log_target.h"
#include "base/str.h"
#include "base/strv.h"
#include "fuzz/input.h"

static void set_line(struct settings *s, char *line)
{
        struct diag diag = {0};
        char *value = strchr(line, '=');

        if (!value)
                return;
        *value++ = '\0';
        int r = settings_set(s, line, value, "f", 1, &diag);

        assert(r >= 0);
        assert((r == SETTINGS_BAD) == (diag.errors + diag.warnings > 0));
        (void)settings_nearest(line);
}

static void check_assignments(char *const *env)
{
        STRV_FOREACH (item, env)
                assert(strv_env_name_is_valid(*item, strcspn(*item, "=")) && strchr(*item, '='));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct input in = {data, size};
        CLEANUP(free) char *text = input_string(&in);
        CLEANUP(settings) struct settings s;

        settings_init(&s);
        for (char *line = text, *end; line; line = end) {
                end = strchr(line, '\n');
                if (end)
                        *end++ = '\0';
                set_line(&s, line);
        }
        check_assignments(s.default_environment);
        assert(s.log_level >= -1 && s.log_level <= 7);
        assert(s.log_target >= -1 && s.log_target < _LOG_TARGET_MAX);
        assert(s.log_format >= -1 && s.log_format < _SETTINGS_LOG_FORMAT_MAX);
        STRV_FOREACH (path, s.unit_path)
                assert((*path)[0] == '/');
        return 0;
}
