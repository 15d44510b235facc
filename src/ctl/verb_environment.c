// The verbs for the environment block that services inherit.
#include "base/buf.h"
#include "base/strv.h"
#include "ctl/ctl.h"

#include <stdio.h>

// ---- show-environment

static bool is_control(char c)
{
        return (unsigned char)c < ' ' || c == 0x7f;
}

// Prints a value so that a shell can read it; like systemctl, in $'...' if a character is special.
static void put_quoted(struct buf *b, const char *value)
{
        static const char *const letters = "\a\b\t\n\v\f\r";
        bool is_plain = true;

        for (const char *p = value; *p && is_plain; p++)
                is_plain = !is_control(*p) && !strchr(" \"\\`$*?['()<>|&;!", *p);
        if (is_plain) {
                buf_puts(b, value);
                return;
        }
        buf_puts(b, "$'");
        for (const char *p = value; *p; p++) {
                const char *letter = strchr(letters, *p);

                if (letter)
                        buf_printf(b, "\\%c", "abtnvfr"[letter - letters]);
                else if (is_control(*p))
                        buf_printf(b, "\\%03o", (unsigned)*p);
                else if (*p == '\\' || *p == '\'')
                        buf_printf(b, "\\%c", *p);
                else
                        buf_putc(b, *p);
        }
        buf_putc(b, '\'');
}

static void print_variable(const char *assignment)
{
        CLEANUP(buf) struct buf line = BUF_NULL;
        int n = (int)strcspn(assignment, "=") + 1;

        buf_printf(&line, "%.*s", n, assignment);
        put_quoted(&line, assignment + n);
        puts(shown_raw(buf_text(&line)));
}

int verb_show_environment(struct ctl *c, char **args UNUSED)
{
        CLEANUP(buf) struct buf json = BUF_NULL;
        int r = client_connect(c);

        if (r != 0)
                return r;
        CLEANUP(strv) char **environment = client_get_strv(c, BUS_ROOT, BUS_MANAGER, "Environment");

        json_begin(&json);
        STRV_FOREACH (assignment, environment) {
                char *value = *assignment + strcspn(*assignment, "=");

                if (!*value)
                        continue; // a safeguard: usherd sends no such entry
                if (c->output == OUTPUT_SHORT) {
                        print_variable(*assignment);
                } else {
                        *value = '\0';
                        json_field(&json, *assignment, value + 1);
                }
        }
        json_end(&json);
        if (c->output != OUTPUT_SHORT)
                puts(buf_text(&json));
        return CTL_OK;
}

// ---- changes

static int change(struct ctl *c, const char *method, char *const *list, const char *what)
{
        __attribute__((cleanup(sd_bus_message_unrefp))) sd_bus_message *m = NULL;
        sd_bus_error error = SD_BUS_ERROR_NULL;
        int r = client_connect(c);

        if (r != 0)
                return r;
        r = sd_bus_message_new_method_call(c->bus, &m, BUS_DESTINATION, BUS_ROOT, BUS_MANAGER,
                                           method);
        if (r >= 0)
                r = sd_bus_message_append_strv(m, (char **)list);
        if (r >= 0)
                r = sd_bus_call(c->bus, m, 0, &error, NULL);
        r = r < 0 ? client_complain(&error, r, "Failed to %s environment", what) : CTL_OK;
        sd_bus_error_free(&error);
        return r;
}

int verb_set_environment(struct ctl *c, char **args)
{
        STRV_FOREACH (arg, args)
                if (!strchr(*arg, '=')) {
                        fprintf(stderr,
                                "usherctl: %s is no assignment: write %s=VALUE, or usherctl "
                                "import-environment %s.\n",
                                shown(*arg), shown(*arg), shown(*arg));
                        return CTL_FAILED;
                }
        return change(c, "SetEnvironment", args, "set");
}

int verb_unset_environment(struct ctl *c, char **args)
{
        return change(c, "UnsetEnvironment", args, "unset");
}

static bool has_control(const char *value)
{
        while (*value && !is_control(*value))
                value++;
        return *value != '\0';
}

// Adds a variable of our own environment, if it is valid in that of a service.
static int import(const char *name, char ***list)
{
        const char *value = strv_env_get(environ, name);
        CLEANUP(buf) struct buf text = BUF_NULL;

        if (!value) {
                fprintf(stderr, "usherctl: $%s is not set, so it is left out.\n", shown(name));
                return 0;
        }
        buf_printf(&text, "%s=%s", name, value);
        if (text.error)
                return text.error;
        if (has_control(value) || !strv_env_assignment_is_valid(buf_text(&text))) {
                fprintf(stderr,
                        "usherctl: $%s has control characters or is no UTF-8, so it is left out.\n",
                        shown(name));
                return 0;
        }
        return strv_env_set(list, buf_text(&text));
}

int verb_import_environment(struct ctl *c, char **args)
{
        CLEANUP(strv) char **list = NULL;
        int r = 0;

        STRV_FOREACH (arg, args)
                if (!strv_env_name_is_valid(*arg, strlen(*arg))) {
                        fprintf(stderr, "usherctl: %s is not a variable name.\n", shown(*arg));
                        return CTL_FAILED;
                }
        STRV_FOREACH (arg, args)
                if (r == 0)
                        r = import(*arg, &list);
        // Without names, all variables are imported; invalid ones are left out without a message.
        for (char **entry = environ; !*args && entry && *entry && r == 0; entry++)
                if (strv_env_assignment_is_valid(*entry))
                        r = strv_env_set(&list, *entry);
        if (r < 0)
                return client_complain(NULL, r, "Failed to import environment");
        return change(c, "SetEnvironment", list, "import");
}
