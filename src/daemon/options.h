// The command line of usherd. Owns the strings that it makes; knows no unit.
#pragma once

#include "base/def.h"

// Result of start-up functions that have already logged the error.
#define COMPLAINED (-ECANCELED)

enum options_verdict {
        OPTIONS_RUN,   // go on
        OPTIONS_DONE,  // --help or --version: printed
        OPTIONS_USAGE, // complained about
};

struct options {
        char **units; // --units and DIR..., absolute
        char **names; // --target and UNIT...: units to start; NULL: the folders decide
        const char *runtime_dir, *config, *spawn_method;
        bool has_operand; // a DIR or UNIT without an option
        bool is_user, compat_systemd, systemd_units;
        int log_level, log_format, log_target, log_time; // -1: not given

        // usherd run
        bool is_run, has_run_option, accept, inetd;
        const char *listen_key; // ListenStream, ListenDatagram, ListenSequentialPacket
        char **listen, **fdnames;
        const char *name;
        char **command; // borrowed from argv
};

void options_done(struct options *o);
static inline void cleanup_options(struct options *o)
{
        options_done(o);
}
// enum options_verdict, or -ENOMEM.
int options_parse(int argc, char **argv, struct options *ret);
