// First byte: how many named listeners there are; the rest is what the name services answered.
#include "net/names.h"

#include "base/str.h"
#include "conf/address.h"
#include "fuzz/input.h"

struct seen {
        size_t n;
        bool ends_early;
};

static int on_name(const struct port *port, struct port_list *found, const char *error, void *data)
{
        struct seen *seen = data;

        assert(port->kind == PORT_NAME);
        assert((found->n == 0) <= (error != NULL) && (!error || *error));
        for (size_t i = 0; i < found->n; i++)
                assert(found->items[i].text && found->items[i].address.size > 0);
        seen->n++;
        return seen->ends_early ? -ECANCELED : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct port items[4] = {{.kind = PORT_SOCKET}};
        struct input in = {data, size};
        unsigned choice = input_byte(&in);
        struct port_list ports = {items, 1 + choice % 4};
        struct seen seen = {.ends_early = choice & 0x80};
        CLEANUP(net_names) struct net_names *names = NULL;
        size_t answer_size;
        CLEANUP(free) char *answer = input_rest(&in, &answer_size);

        for (size_t i = 1; i < ports.n; i++)
                items[i] = (struct port){.kind = PORT_NAME,
                                         .type = SOCK_STREAM,
                                         .host = (char *)"h",
                                         .service = (char *)"s"};
        assert(net_names_new_answered(&ports, answer, answer_size, &names) == 0);
        int r = net_names_read(names, on_name, &seen);

        assert(r <= 0 && seen.n <= ports.n - 1);
        assert(r != 0 || seen.n == ports.n - 1);
        return 0;
}
