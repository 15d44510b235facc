// What new sockets and namespaces a service may have (systemd.exec(5), RestrictAddressFamilies=,
// RestrictNamespaces=).
#include "base/parse.h"
#include "base/str.h"
#include "base/strv.h"
#include "conf/kind_impl.h"
#include "conf/syscall.h"

#include <sched.h>

// ---- address families --------------------------------------------------------------------------

#define FAMILY(name)        \
        {                   \
#name, name \
        }

// Those of address_families(7) and the C library. A number without a name here can be named by none
// of systemd's lists either.
static const struct {
        const char *name;
        int number;
} families[] = {
        FAMILY(AF_UNIX),      FAMILY(AF_INET),          FAMILY(AF_AX25),
        FAMILY(AF_IPX),       FAMILY(AF_APPLETALK),     FAMILY(AF_NETROM),
        FAMILY(AF_BRIDGE),    FAMILY(AF_ATMPVC),        FAMILY(AF_X25),
        FAMILY(AF_INET6),     FAMILY(AF_ROSE),          FAMILY(AF_DECnet),
        FAMILY(AF_NETBEUI),   FAMILY(AF_SECURITY),      FAMILY(AF_KEY),
        FAMILY(AF_NETLINK),   FAMILY(AF_PACKET),        FAMILY(AF_ASH),
        FAMILY(AF_ECONET),    FAMILY(AF_ATMSVC),        FAMILY(AF_RDS),
        FAMILY(AF_SNA),       FAMILY(AF_IRDA),          FAMILY(AF_PPPOX),
        FAMILY(AF_WANPIPE),   FAMILY(AF_LLC),           FAMILY(AF_IB),
        FAMILY(AF_MPLS),      FAMILY(AF_CAN),           FAMILY(AF_TIPC),
        FAMILY(AF_BLUETOOTH), FAMILY(AF_IUCV),          FAMILY(AF_RXRPC),
        FAMILY(AF_ISDN),      FAMILY(AF_PHONET),        FAMILY(AF_IEEE802154),
        FAMILY(AF_CAIF),      FAMILY(AF_ALG),           FAMILY(AF_NFC),
        FAMILY(AF_VSOCK),     FAMILY(AF_KCM),           FAMILY(AF_QIPCRTR),
        FAMILY(AF_SMC),       FAMILY(AF_XDP),           {"AF_LOCAL", AF_UNIX},
        {"AF_FILE", AF_UNIX}, {"AF_ROUTE", AF_NETLINK}, // second names
};

static int family_number(const char *name)
{
        for (size_t i = 0; i < ARRAY_SIZE(families); i++)
                if (streq(families[i].name, name))
                        return families[i].number;
        return -EINVAL;
}

int address_families_words(const struct address_families *f, char ***ret)
{
        CLEANUP(strv) char **words = NULL;
        uint64_t left = f->set;
        int r = 0;

        for (size_t i = 0; r == 0 && i < ARRAY_SIZE(families); i++) {
                uint64_t bit = UINT64_C(1) << families[i].number;

                if (left & bit)
                        r = strv_push(&words, families[i].name);
                left &= ~bit;
        }
        if (r < 0)
                return r;
        strv_sort(words);
        *ret = TAKE(words);
        return 0;
}

static int parse_families(const struct parse_context *c, const char *value, void *field)
{
        CLEANUP(strv) char **words = NULL;
        struct address_families *f = field;
        bool is_inverted = value[0] == '~';

        if (!*value || streq(value, "none")) {
                *f = (struct address_families){.is_set = *value, .is_allow_list = *value};
                return 0;
        }
        int r = parse_words(value + is_inverted, PARSE_WORD_UNQUOTE, &words);

        if (r < 0)
                return r == -ENOMEM ? r : kind_complain_value(c, "address families", value);
        if (!f->is_set)
                *f = (struct address_families){.is_set = true, .is_allow_list = !is_inverted};
        STRV_FOREACH (word, words) {
                int number = family_number(*word);

                if (number < 0)
                        kind_warn(c, "Unknown address family '%s', ignoring.", *word);
                else if (is_inverted != f->is_allow_list)
                        f->set |= UINT64_C(1) << number;
                else
                        f->set &= ~(UINT64_C(1) << number);
        }
        return 0;
}

static int format_families(const struct directive *d UNUSED, const void *field, char ***ret_lines)
{
        const struct address_families *f = field;
        CLEANUP(strv) char **words = NULL;
        CLEANUP(buf) struct buf b = BUF_NULL;

        if (!f->is_set)
                return 0;
        if (f->is_allow_list && f->set == 0)
                return kind_push_line(ret_lines, "none");
        int r = address_families_words(f, &words);

        if (r < 0)
                return r;
        if (!f->is_allow_list)
                buf_putc(&b, '~');
        STRV_FOREACH (word, words)
                buf_printf(&b, "%s%s", word == words ? "" : " ", *word);
        return kind_push_buf(ret_lines, &b);
}

static bool equal_families(const void *a, const void *b)
{
        const struct address_families *x = a, *y = b;

        return x->is_set == y->is_set && x->is_allow_list == y->is_allow_list && x->set == y->set;
}

const struct kind kind_address_families = {
        .name = "address_families",
        .size = sizeof(kind_address_families_t),
        .signature = "(bas)",
        .parse = parse_families,
        .format = format_families,
        .equal = equal_families,
};

// ---- namespaces --------------------------------------------------------------------------------

static const struct {
        const char *name;
        uint64_t flag;
} namespaces[] = {
        {"cgroup", CLONE_NEWCGROUP}, {"ipc", CLONE_NEWIPC}, {"net", CLONE_NEWNET},
        {"mnt", CLONE_NEWNS},        {"pid", CLONE_NEWPID}, {"user", CLONE_NEWUSER},
        {"uts", CLONE_NEWUTS},
};

// Words to flags. 0, -EINVAL, -ENOMEM.
static int parse_flags(const char *text, uint64_t *ret)
{
        CLEANUP(strv) char **words = NULL;
        int r = parse_words(text, PARSE_WORD_UNQUOTE, &words);

        *ret = 0;
        STRV_FOREACH (word, words) {
                uint64_t flag = 0;

                for (size_t i = 0; i < ARRAY_SIZE(namespaces); i++)
                        if (streq(namespaces[i].name, *word))
                                flag = namespaces[i].flag;
                if (flag == 0)
                        return -EINVAL;
                *ret |= flag;
        }
        return r;
}

static int parse_namespaces(const struct parse_context *c, const char *value, void *field)
{
        uint64_t *allowed = field, flags;
        bool is_inverted = value[0] == '~', none;

        if (!*value) {
                *allowed = NAMESPACES_UNSET;
                return 0;
        }
        if (parse_bool(value, &none) == 0) {
                *allowed = none ? 0 : NAMESPACES_ALL;
                return 0;
        }
        int r = parse_flags(value + is_inverted, &flags);

        if (r < 0)
                return r == -ENOMEM ? r : kind_complain_value(c, "namespaces", value);
        if (*allowed == NAMESPACES_UNSET) // a first list of those that are allowed begins with none
                *allowed = is_inverted ? NAMESPACES_ALL : 0;
        *allowed = is_inverted ? *allowed & ~flags : *allowed | flags;
        return 0;
}

int namespaces_put(struct buf *b, uint64_t allowed)
{
        bool is_first = true;

        if ((allowed & NAMESPACES_ALL) == NAMESPACES_ALL)
                buf_puts(b, "no");
        else if ((allowed & NAMESPACES_ALL) == 0)
                buf_puts(b, "yes");
        else
                for (size_t i = 0; i < ARRAY_SIZE(namespaces); i++)
                        if (allowed & namespaces[i].flag) {
                                buf_printf(b, "%s%s", is_first ? "" : " ", namespaces[i].name);
                                is_first = false;
                        }
        return b->error;
}

static int format_namespaces(const struct directive *d UNUSED, const void *field, char ***ret_lines)
{
        CLEANUP(buf) struct buf b = BUF_NULL;
        uint64_t allowed = *(const uint64_t *)field;

        if (allowed == NAMESPACES_UNSET)
                return 0;
        int r = namespaces_put(&b, allowed);

        return r < 0 ? r : kind_push_buf(ret_lines, &b);
}

const struct kind kind_namespaces = {
        .name = "namespaces",
        .size = sizeof(kind_namespaces_t),
        .signature = "t",
        .parse = parse_namespaces,
        .format = format_namespaces,
};
