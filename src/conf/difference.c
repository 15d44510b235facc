#include "conf/difference.h"

#include <assert.h>

static const struct difference_row rows[] = {
#define DIFFERENCE(id, key, section, directive, value, theirs, ours, chosen_by) \
        [DIFFERENCE_##id] = {key, section, directive, value, theirs, ours, chosen_by},
#include "conf/differences.def"
#undef DIFFERENCE
};

const struct difference_row *difference_row(enum difference d)
{
        assert(d < _DIFFERENCE_MAX);
        return &rows[d];
}

bool difference_applies(enum difference d, bool compat_systemd)
{
        assert(d < _DIFFERENCE_MAX);
        return !compat_systemd;
}
