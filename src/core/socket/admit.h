// Admission of connections: how many live ones a socket has, in total and from each source. Pure
// policy: keys and limits are parameters; no descriptor, no clock, no log. A count is represented
// by a token, and decreases once when the token is released.
#pragma once

#include "base/def.h"

#define ADMIT_KEY_MAX 20 // family and address, uid or CID

struct admit;
struct admit_source;

enum admit_verdict {
        ADMIT_OK,
        ADMIT_FULL,        // MaxConnections= reached
        ADMIT_SOURCE_FULL, // MaxConnectionsPerSource= reached for this key
        _ADMIT_MAX,
};

struct admit_limits {
        unsigned max_connections;
        unsigned max_per_source; // 0: no limit
};

// Embedded in the object that the admission is for. All zero: holds nothing.
struct admit_token {
        struct admit *admit;
        struct admit_source *source; // NULL: not counted by source
};

int admit_new(struct admit **ret); // 0 or -ENOMEM
// Tokens may outlive this call: the object is freed when the last token is released.
void admit_free(struct admit *a);
DEFINE_CLEANUP(admit, struct admit *, admit_free)

// May one more connection live? key NULL (or limit 0): not counted by source. ADMIT_OK fills
// *ret_token; -ENOMEM when a new source cannot be recorded.
int admit_try(struct admit *a, const struct admit_limits *limits, const void *key, size_t key_size,
              struct admit_token *ret_token);
// Releases the place; the token is empty afterwards. Does nothing with an empty one.
void admit_release(struct admit_token *token);

unsigned admit_count(const struct admit *a);       // live connections; NULL: none
size_t admit_count_sources(const struct admit *a); // sources with at least one; for tests
