// Operators and version strings in conditions.
#include "core/condition/condition_priv.h"

#include "base/str.h"

#include <ctype.h>

int compare_parse(const char **p, bool allow_glob)
{
        static const struct {
                const char *text;
                enum compare op;
                bool is_glob;
        } operators[] = {
                {"!$=", COMPARE_NOT_GLOB, true},      {"$=", COMPARE_GLOB, true},
                {"<>", COMPARE_NOT_EQUAL, false},     {"<=", COMPARE_LESS_EQUAL, false},
                {">=", COMPARE_GREATER_EQUAL, false}, {"!=", COMPARE_NOT_EQUAL, false},
                {"==", COMPARE_EQUAL, false},         {"<", COMPARE_LESS, false},
                {">", COMPARE_GREATER, false},        {"=", COMPARE_EQUAL, false},
        };

        for (size_t i = 0; i < ARRAY_SIZE(operators); i++) {
                const char *rest = str_after_prefix(*p, operators[i].text);

                if (!rest || (operators[i].is_glob && !allow_glob))
                        continue;
                while (*rest == ' ' || *rest == '\t')
                        rest++;
                *p = rest;
                return operators[i].op;
        }
        return -EINVAL;
}

bool compare_holds(enum compare op, int order)
{
        switch (op) {
        case COMPARE_LESS:
                return order < 0;
        case COMPARE_LESS_EQUAL:
                return order <= 0;
        case COMPARE_EQUAL:
                return order == 0;
        case COMPARE_NOT_EQUAL:
                return order != 0;
        case COMPARE_GREATER_EQUAL:
                return order >= 0;
        case COMPARE_GREATER:
                return order > 0;
        case COMPARE_GLOB: // of texts: these have no order
        case COMPARE_NOT_GLOB:
                break;
        }
        return false;
}

static int sign(long long n)
{
        return (n > 0) - (n < 0);
}

static bool is_version_char(char c)
{
        return isalnum((unsigned char)c) || c == '~' || c == '-' || c == '^' || c == '.';
}

// Weight of the separator before a component: "1.0~rc1" is older than "1.0"; "1.0-1", "1.0^1" and
// "1.0.1" are newer, in this order.
static int weigh(char c)
{
        switch (c) {
        case '~':
                return -1;
        case '\0':
                return 0;
        case '-':
                return 1;
        case '^':
                return 2;
        case '.':
                return 3;
        default:
                return 4;
        }
}

static int compare_digits(const char **a, const char **b)
{
        while (**a == '0')
                ++*a;
        while (**b == '0')
                ++*b;
        size_t m = strspn(*a, "0123456789"), n = strspn(*b, "0123456789");
        int order = m != n ? sign((long long)m - (long long)n) : strncmp(*a, *b, m);

        *a += m;
        *b += n;
        return sign(order);
}

static int compare_letters(const char **a, const char **b)
{
        size_t m = 0, n = 0;

        while (isalpha((unsigned char)(*a)[m]))
                m++;
        while (isalpha((unsigned char)(*b)[n]))
                n++;
        int order = strncmp(*a, *b, MIN(m, n));

        if (order == 0)
                order = sign((long long)m - (long long)n);
        *a += m;
        *b += n;
        return sign(order);
}

int compare_versions(const char *a, const char *b)
{
        for (;;) {
                while (*a && !is_version_char(*a))
                        a++;
                while (*b && !is_version_char(*b))
                        b++;
                int wa = weigh(*a), wb = weigh(*b), order;

                if (wa != wb)
                        return sign(wa - wb);
                if (wa == 0)
                        return 0;
                if (wa < 4) {
                        a++;
                        b++;
                        continue;
                }
                // A number is newer than text.
                bool da = isdigit((unsigned char)*a), db = isdigit((unsigned char)*b);

                if (da != db)
                        return da ? 1 : -1;
                order = da ? compare_digits(&a, &b) : compare_letters(&a, &b);
                if (order != 0)
                        return order;
        }
}
