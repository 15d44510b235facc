// What the files of net/listen.h share.
#pragma once

#include "net/listen.h"

int listen_socket(const struct net_listen_params *params, const struct port *port, int *ret_fd,
                  struct fail *fail);
int listen_unix_bind(int fd, const struct net_listen_params *params, const struct port *port,
                     struct fail *fail);
int listen_fifo(const struct net_listen_params *params, const struct port *port, int *ret_fd,
                struct fail *fail);
int listen_special(const struct net_listen_params *params, const struct port *port, int *ret_fd,
                   struct fail *fail);
int listen_mqueue(const struct net_listen_params *params, const struct port *port, int *ret_fd,
                  struct fail *fail);

// Who holds the address: "PID (NAME)" into text, or "" where it cannot be told (net/holder.c).
#define LISTEN_HOLDER_MAX 96
void listen_find_holder(const struct port *port, char text[LISTEN_HOLDER_MAX]);
// The inode of the socket that has the address, in the text of a table of /proc/net; 0: there is
// none. Names of AF_UNIX sockets are of their owners' making: this is good for a message only.
unsigned long listen_find_inode(const char *text, const struct port *port);
