// First byte: what sort of port; then up to a NUL its address; then a table of /proc/net.
#include "net/holder.h"

#include "base/str.h"
#include "conf/address.h"
#include "fuzz/input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct input in = {data, size};
        int type = input_byte(&in) & 1 ? SOCK_DGRAM : SOCK_STREAM;
        CLEANUP(free) char *address = input_string(&in), *table = input_string(&in);
        CLEANUP(free) char *number = NULL;
        struct port port = {0};

        if (address_parse(address, type, &port) == 0) {
                unsigned long inode = net_holder_find_inode(table, &port);

                number = str_printf("%lu", inode);
                // As it stands there.
                if (inode > 0 && inode < 1UL << 63)
                        assert(strstr(table, number));
        }
        port_done(&port);
        return 0;
}
