// Attributes of a process that are sets: CPUs, secure bits, what a core file has (systemd.exec(5),
// CPUAffinity=, SecureBits=, CoredumpFilter=).
#include "base/parse.h"
#include "base/str.h"
#include "base/strv.h"
#include "conf/kind_impl.h"

#include <linux/securebits.h>

#define CPUS_MAX 8192 // as many as the kernel can be built for
#define WORD_BYTES 8  // sched_setaffinity(2) takes whole words

// ---- CPUs --------------------------------------------------------------------------------------

static bool has_cpu(const struct cpu_list *list, unsigned cpu)
{
        return cpu / 8 < list->size && list->bytes[cpu / 8] & (1U << (cpu % 8));
}

// 0 or -ENOMEM.
static int add_cpu(struct cpu_list *list, unsigned cpu)
{
        if (cpu / 8 >= list->size) {
                size_t size = (cpu / 8 / WORD_BYTES + 1) * WORD_BYTES;
                uint8_t *more = realloc(list->bytes, size);

                if (!more)
                        return -ENOMEM;
                memset(more + list->size, 0, size - list->size);
                list->bytes = more;
                list->size = size;
        }
        list->bytes[cpu / 8] |= (uint8_t)(1U << (cpu % 8));
        return 0;
}

// "3", "0-7". 0, -EINVAL, -ENOMEM.
static int add_range(struct cpu_list *list, char *word)
{
        char *end = strchr(word, '-');
        uint32_t first, last;

        if (end)
                *end++ = '\0';
        if (parse_u32(word, &first) < 0 || parse_u32(end ? end : word, &last) < 0 || first > last ||
            last >= CPUS_MAX)
                return -EINVAL;
        for (int r = 0; first <= last; first++) {
                r = add_cpu(list, first);
                if (r < 0)
                        return r;
        }
        return 0;
}

static void free_cpus(void *field)
{
        struct cpu_list *list = field;

        free(list->bytes);
        *list = (struct cpu_list){0};
}

static int copy_cpus(const void *from, void *to)
{
        const struct cpu_list *x = from;
        struct cpu_list *y = to;

        if (x->size == 0)
                return 0;
        y->bytes = malloc(x->size);
        if (!y->bytes)
                return -ENOMEM;
        memcpy(y->bytes, x->bytes, x->size);
        y->size = x->size;
        return 0;
}

static int parse_cpus(const struct parse_context *c, const char *value, void *field)
{
        CLEANUP(strv) char **words = NULL;
        struct cpu_list *list = field, sum = {0};

        if (!*value) {
                free_cpus(field);
                return 0;
        }
        int r = strv_split(value, " \t,", &words);

        if (r == 0)
                r = copy_cpus(list, &sum);
        STRV_FOREACH (word, words)
                if (r == 0)
                        r = add_range(&sum, *word);
        if (r == 0) { // the whole line or nothing of it
                free_cpus(list);
                *list = sum;
                return 0;
        }
        free_cpus(&sum);
        return r == -ENOMEM ? r : kind_complain_value(c, "CPUs", value);
}

int cpu_list_put(struct buf *b, const struct cpu_list *list)
{
        bool is_first = true;

        for (unsigned cpu = 0; cpu < list->size * 8; cpu++) {
                unsigned last = cpu;

                if (!has_cpu(list, cpu))
                        continue;
                while (has_cpu(list, last + 1))
                        last++;
                buf_printf(b, "%s%u", is_first ? "" : " ", cpu);
                if (last > cpu)
                        buf_printf(b, "-%u", last);
                is_first = false;
                cpu = last;
        }
        return b->error;
}

static int format_cpus(const struct directive *d UNUSED, const void *field, char ***ret_lines)
{
        CLEANUP(buf) struct buf b = BUF_NULL;
        int r = cpu_list_put(&b, field);

        return r < 0 || b.size == 0 ? r : kind_push_buf(ret_lines, &b);
}

static bool equal_cpus(const void *a, const void *b)
{
        const struct cpu_list *x = a, *y = b;

        return x->size == y->size && (x->size == 0 || memcmp(x->bytes, y->bytes, x->size) == 0);
}

const struct kind kind_cpus = {
        .name = "cpus",
        .size = sizeof(kind_cpus_t),
        .signature = "ay",
        .parse = parse_cpus,
        .format = format_cpus,
        .free = free_cpus,
        .equal = equal_cpus,
        .copy = copy_cpus,
};

// ---- named bits --------------------------------------------------------------------------------

struct bit_name {
        const char *name;
        unsigned mask;
};

static const struct bit_name secure_bits[] = {
        {"keep-caps", SECBIT_KEEP_CAPS},
        {"keep-caps-locked", SECBIT_KEEP_CAPS_LOCKED},
        {"no-setuid-fixup", SECBIT_NO_SETUID_FIXUP},
        {"no-setuid-fixup-locked", SECBIT_NO_SETUID_FIXUP_LOCKED},
        {"noroot", SECBIT_NOROOT},
        {"noroot-locked", SECBIT_NOROOT_LOCKED},
};

// core(5), "Controlling which mappings are written to the core dump".
static const struct bit_name core_bits[] = {
        {"private-anonymous", 1 << 0},
        {"shared-anonymous", 1 << 1},
        {"private-file-backed", 1 << 2},
        {"shared-file-backed", 1 << 3},
        {"elf-headers", 1 << 4},
        {"private-huge", 1 << 5},
        {"shared-huge", 1 << 6},
        {"private-dax", 1 << 7},
        {"shared-dax", 1 << 8},
        {"default", 0x33},
        {"all", 0x1ff},
};

static unsigned find_bit(const struct bit_name *names, size_t n, const char *word)
{
        for (size_t i = 0; i < n; i++)
                if (streq(names[i].name, word))
                        return names[i].mask;
        return 0;
}

static int parse_secure_bits(const struct parse_context *c, const char *value, void *field)
{
        CLEANUP(strv) char **words = NULL;
        int *bits = field;

        if (!*value) {
                *bits = 0;
                return 0;
        }
        int r = parse_words(value, PARSE_WORD_UNQUOTE, &words);

        if (r < 0)
                return r == -ENOMEM ? r : kind_complain_value(c, "secure bits", value);
        STRV_FOREACH (word, words) {
                unsigned bit = find_bit(secure_bits, ARRAY_SIZE(secure_bits), *word);

                if (bit == 0)
                        kind_warn(c, "Unknown secure bit '%s', ignoring.", *word);
                *bits |= (int)bit;
        }
        return 0;
}

static int format_secure_bits(const struct directive *d UNUSED, const void *field,
                              char ***ret_lines)
{
        CLEANUP(buf) struct buf b = BUF_NULL;
        unsigned bits = (unsigned)*(const int *)field;

        for (size_t i = 0; i < ARRAY_SIZE(secure_bits); i++)
                if (bits & secure_bits[i].mask)
                        buf_printf(&b, "%s%s", b.size > 0 ? " " : "", secure_bits[i].name);
        return b.size > 0 ? kind_push_buf(ret_lines, &b) : b.error;
}

const struct kind kind_secure_bits = {
        .name = "secure_bits",
        .size = sizeof(kind_secure_bits_t),
        .signature = "i",
        .parse = parse_secure_bits,
        .format = format_secure_bits,
};

// A name, or a number in base 16. 0 or -EINVAL.
static int parse_core_word(const char *word, uint64_t *mask)
{
        unsigned bit = find_bit(core_bits, ARRAY_SIZE(core_bits), word);
        char *end;

        if (bit != 0) {
                *mask |= bit;
                return 0;
        }
        errno = 0;
        unsigned long number = strtoul(word, &end, 16);

        if (*end || end == word || errno != 0 || number > UINT32_MAX ||
            !strchr("0123456789abcdefABCDEF", *word))
                return -EINVAL;
        *mask |= number;
        return 0;
}

static int parse_core_filter(const struct parse_context *c, const char *value, void *field)
{
        CLEANUP(strv) char **words = NULL;
        uint64_t *filter = field, mask = 0;

        if (!*value) {
                *filter = CORE_FILTER_UNSET;
                return 0;
        }
        int r = parse_words(value, PARSE_WORD_UNQUOTE, &words);

        STRV_FOREACH (word, words)
                if (r == 0)
                        r = parse_core_word(*word, &mask);
        if (r < 0)
                return r == -ENOMEM ? r : kind_complain_value(c, "memory mappings", value);
        *filter = (*filter == CORE_FILTER_UNSET ? 0 : *filter) | mask;
        return 0;
}

static int format_core_filter(const struct directive *d UNUSED, const void *field,
                              char ***ret_lines)
{
        uint64_t filter = *(const uint64_t *)field;

        return filter == CORE_FILTER_UNSET
                       ? 0
                       : kind_push_line(ret_lines, "%llx", (unsigned long long)filter);
}

const struct kind kind_core_filter = {
        .name = "core_filter",
        .size = sizeof(kind_core_filter_t),
        .signature = "t",
        .parse = parse_core_filter,
        .format = format_core_filter,
};
