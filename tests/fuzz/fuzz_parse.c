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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        CLEANUP(free) char *text = malloc(size + 1);
        uint64_t number;
        int64_t signed_number;
        int signo;

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
                (void)parse_u64(text, &number);
                (void)parse_i64(text, &signed_number);
                break;
        case 3:
                (void)parse_signal(text, &signo);
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
