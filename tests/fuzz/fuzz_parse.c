// First byte: what to parse and how. The rest is the text.
#include "base/parse.h"

#include "base/clock.h"
#include "base/str.h"
#include "base/strv.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void parse_time(const char *text)
{
        char span[USEC_SPAN_MAX];
        usec_t t, again;

        if (parse_usec(text, USEC_PER_SEC, &t) < 0)
                return;
        usec_format_span(t, 1, span, sizeof(span));
        assert(parse_usec(span, USEC_PER_SEC, &again) == 0 && again == t);
}

static void parse_list(const char *text, enum parse_word_flags flags)
{
        CLEANUP(strv) char **v = NULL;
        size_t total = 0, n = 0;

        if (parse_words(text, flags, &v) < 0)
                return;
        STRV_FOREACH (word, v) {
                total += strlen(*word);
                n++;
        }
        // \uXXXX is the longest there is to gain from: nothing ever grows.
        assert(total + (n > 0 ? n - 1 : 0) <= strlen(text));
}

static void parse_number(const char *text)
{
        CLEANUP(free) char *printed = NULL;
        uint64_t number;
        int64_t signed_number;
        uint32_t small;
        mode_t mode;
        bool is_on;
        uid_t uid;
        pid_t pid;
        int r = parse_u64(text, &number);

        assert((parse_u32(text, &small) == 0) == (r == 0 && number <= UINT32_MAX));
        (void)parse_i64(text, &signed_number);
        (void)parse_bool(text, &is_on);
        assert(parse_mode(text, &mode) < 0 || mode <= 07777);
        // Ids have one notation.
        if (parse_uid(text, &uid) == 0) {
                printed = str_printf("%u", uid);
                assert(uid != (uid_t)-1 && streq(printed, text));
        }
        if (parse_pid(text, &pid) == 0)
                assert(pid > 0 && (uint64_t)pid == number);
}

static void parse_signal_name(const char *text)
{
        char name[SIGNAL_NAME_MAX];
        int signo, again;

        if (parse_signal(text, &signo) < 0)
                return;
        assert(signo > 0 && parse_signal(signal_format(signo, name, sizeof(name)), &again) == 0);
        assert(again == signo);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        CLEANUP(free) char *text = malloc(size + 1);
        uint64_t number;

        if (!text || size == 0)
                return 0;
        memcpy(text, data + 1, size - 1);
        text[size - 1] = '\0';
        switch (data[0] & 7) {
        case 0:
                parse_time(text);
                break;
        case 1:
                (void)parse_size(text, &number); // only that it ends well
                break;
        case 2:
                parse_number(text);
                break;
        case 3:
                parse_signal_name(text);
                break;
        case 4: {
                CLEANUP(free) char *safe = str_escape(text);
                assert(safe && str_is_utf8(safe));
                break;
        }
        default:
                parse_list(text, data[0] >> 4);
                break;
        }
        return 0;
}
