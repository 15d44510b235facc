#include "conf/unacted.h"

#include "base/array.h"
#include "base/parse.h"
#include "base/str.h"
#include "base/strv.h"
#include "conf/difference.h"

void unacted_done(struct unacted *u)
{
        for (size_t i = 0; i < u->n; i++)
                free(u->items[i].file);
        free(u->items);
        *u = (struct unacted){0};
}

static struct unacted_item *find(const struct unacted *u, const char *name)
{
        for (size_t i = 0; i < u->n; i++)
                if (streq(u->items[i].directive->name, name))
                        return &u->items[i];
        return NULL;
}

static void drop(struct unacted *u, const char *name)
{
        struct unacted_item *item = find(u, name);

        if (!item)
                return;
        free(item->file);
        u->n--;
        memmove(item, item + 1, (size_t)(u->items + u->n - item) * sizeof(*item));
}

static bool asks_for_nothing(const struct directive *d, const char *value)
{
        bool yes = true;

        return !*value || (parse_bool(value, &yes) == 0 && !yes) ||
               (d->how != DIRECTIVE_ACTED && d->default_ && streq(value, d->default_));
}

// An allow list is read before the deny list (systemd.resource-control(5)): one with all addresses
// in it makes the other without effect.
static int note_allowed(struct unacted *u, const char *value)
{
        static const struct {
                const char *word;
                unsigned bits;
        } all[] = {{"any", 3}, {"0.0.0.0/0", 1}, {"::/0", 2}};
        CLEANUP(strv) char **words = NULL;
        int r = strv_split(value, " \t", &words);

        if (!*value)
                u->allowed = 0;
        for (size_t i = 0; i < ARRAY_SIZE(all); i++)
                if (strv_contains(words, all[i].word))
                        u->allowed |= all[i].bits;
        return r;
}

int unacted_note(struct unacted *u, const struct directive *d, const char *value, const char *file,
                 unsigned line)
{
        struct unacted_item item = {.directive = d, .line = line};
        int r = streq(d->name, "IPAddressAllow") ? note_allowed(u, value) : 0;

        if (r < 0)
                return r;
        if (asks_for_nothing(d, value)) {
                drop(u, d->name);
                return 0;
        }
        if (find(u, d->name))
                return 0;
        if (ARRAY_RESERVE(u->items, u->n, u->capacity, 4) < 0 || str_set(&item.file, file) < 0)
                return -ENOMEM;
        u->items[u->n++] = item;
        return 0;
}

static bool exposes(const struct directive *d, const struct unit_conf *conf)
{
        return d->how == DIRECTIVE_EXPOSES ||
               (d->how == DIRECTIVE_EXPOSES_SOCKET && conf->type == UNIT_SOCKET);
}

static int refuse(const struct unacted_item *item, struct unit_conf *conf, struct diag *diag,
                  const char *why)
{
        if (!why)
                return -ENOMEM;
        diag_report(diag, DIAG_ERROR, conf->id, item->file, item->line, "%s", why);
        if (conf->load_state != LOAD_LOADED)
                return 0;
        conf->load_state = LOAD_BAD_SETTING;
        return str_set(&conf->load_error, why);
}

static int judge_item(const struct unacted_item *item, const struct conf_rules *rules,
                      struct unit_conf *conf, struct diag *diag)
{
        const struct directive *d = item->directive;
        bool guards = rules->unsupported == UNSUPPORTED_AUTO &&
                      difference_applies(DIFFERENCE_UNSUPPORTED_REFUSE, rules->compat_systemd);
        CLEANUP(free) char *why = NULL;

        if (d->how == DIRECTIVE_REFUSE) {
                why = str_printf("%s= is not supported, refusing the unit: it would run with fewer "
                                 "limits than it asks for.",
                                 d->name);
                return refuse(item, conf, diag, why);
        }
        if (rules->unsupported == UNSUPPORTED_REFUSE && directive_lowers_security(d)) {
                why = str_printf("Usher does not act on %s=, and usher.conf says "
                                 "Unsupported=refuse. Write an empty %s= in a drop-in, or "
                                 "Unsupported=notice there",
                                 d->name, d->name);
                return refuse(item, conf, diag, why);
        }
        if (guards && exposes(d, conf) && conf->socket && unit_conf_has_network(conf)) {
                why = unit_conf_unguarded_advice(d->name);
                return refuse(item, conf, diag, why);
        }
        if (guards && exposes(d, conf) && conf->service)
                conf->unguarded = d->name;
        return 0;
}

static int report(const struct unit_conf *conf, struct diag *diag)
{
        if (strv_length(conf->unacted) == 0)
                return 0;
        CLEANUP(free) char *names = strv_join(conf->unacted, "=, ");

        if (!names)
                return -ENOMEM;
        diag_report(diag, DIAG_NOTICE, conf->id, NULL, 0, "Not acted on by usher: %s=", names);
        return 0;
}

int unacted_judge(struct unacted *u, const struct conf_rules *rules, struct unit_conf *conf,
                  struct diag *diag)
{
        int r = 0;

        if (u->allowed == 3) {
                drop(u, "IPAddressAllow");
                drop(u, "IPAddressDeny");
        }
        for (size_t i = 0; i < u->n && r == 0; i++) {
                r = judge_item(&u->items[i], rules, conf, diag);
                if (r == 0 && u->items[i].directive->how != DIRECTIVE_REFUSE)
                        r = strv_push(&conf->unacted, u->items[i].directive->name);
        }
        return r < 0 ? r : report(conf, diag);
}
