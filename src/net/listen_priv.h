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
