#include "bus/intake.h"

// Size limit of the authentication; systemctl's has 60 bytes.
#define AUTH_MAX 4096

static ssize_t take_line(struct intake *in, const uint8_t *data, size_t n)
{
        size_t i = 0;

        while (i < n) {
                uint8_t c = data[i++];
                bool is_end = c == '\n' && in->saw_return;

                if (++in->n_auth > AUTH_MAX)
                        return -EMSGSIZE;
                in->saw_return = c == '\r';
                in->is_in_line = !is_end;
                if (is_end)
                        break;
        }
        return (ssize_t)i;
}

static uint32_t read_u32(const struct intake *in, size_t at)
{
        const uint8_t *p = in->head + at;

        return in->head[0] == 'l' ? p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24
                                  : p[3] | p[2] << 8 | p[1] << 16 | (uint32_t)p[0] << 24;
}

// The header is complete, so the size of the rest is known.
static int measure(struct intake *in)
{
        if ((in->head[0] != 'l' && in->head[0] != 'B') || in->head[3] != 1)
                return -EBADMSG;
        uint64_t body = read_u32(in, 4), fields = read_u32(in, 12);
        uint64_t rest = ((fields + 7) & ~UINT64_C(7)) + body;

        if (rest + INTAKE_HEAD > in->limit)
                return -EMSGSIZE;
        in->left = (size_t)rest;
        return 0;
}

static ssize_t take_message(struct intake *in, const uint8_t *data, size_t n)
{
        size_t n_head = MIN(n, (size_t)INTAKE_HEAD - in->n_head);

        if (n_head > 0) {
                memcpy(in->head + in->n_head, data, n_head);
                in->n_head = (uint8_t)(in->n_head + n_head);
                if (in->n_head < INTAKE_HEAD)
                        return (ssize_t)n_head;
                int r = measure(in);

                if (r < 0)
                        return r;
        }
        size_t n_rest = MIN(n - n_head, in->left);

        in->left -= n_rest;
        if (in->left == 0)
                in->n_head = 0;
        return (ssize_t)(n_head + n_rest);
}

ssize_t intake_take(struct intake *in, const void *data, size_t n)
{
        return in->is_running ? take_message(in, data, n) : take_line(in, data, n);
}

bool intake_is_open(const struct intake *in)
{
        return in->is_running ? in->n_head > 0 : in->is_in_line;
}
