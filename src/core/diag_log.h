// A diagnostics sink that writes to the log: what the daemon's loading uses.
#pragma once

#include "conf/diag.h"

struct diag diag_log(void);
