// Unit names: validity, parts, templates and instances, escaping (systemd.unit(5)). Pure text, no
// file access; the search path knows which names exist.
#pragma once

#include "conf/types.h"

#define UNIT_NAME_MAX 255

bool unit_name_is_valid(const char *name);       // plain, instance or template, known type suffix
bool unit_name_is_template(const char *name);    // "foo@.service"
bool unit_name_is_instance(const char *name);    // "foo@bar.service"
enum unit_type unit_name_type(const char *name); // by suffix; _UNIT_TYPE_INVALID
const char *unit_type_name(enum unit_type type); // "socket"
enum unit_type unit_type_from_name(const char *name); // "socket"; _UNIT_TYPE_INVALID
// Parts, new strings (0 or -ENOMEM); *ret NULL if there is none. The name need not be valid.
int unit_name_prefix(const char *name, char **ret);   // "foo" of foo@bar.service, foo.service
int unit_name_instance(const char *name, char **ret); // "bar"; "" for a template; NULL for plain
int unit_name_template(const char *name, char **ret); // "foo@.service" of foo@bar.service
int unit_name_with_instance(const char *template_name, const char *instance, char **ret);
int unit_name_change_suffix(const char *name, enum unit_type type,
                            char **ret); // foo.socket -> foo.service
// A name with marks (conf/specifier.h) is completed for each instance: it gives its template,
// "con@.service" for "con@%i.service". Any other name is unchanged. New string. -EINVAL: the mark
// is before the @, so that the template is unknown.
int unit_name_of_deferred(const char *name, char **ret);
// A name as people type it: a valid name stays, "foo" becomes "foo.service" (fallback's suffix),
// "/dev/sda" a .device, "/srv" a .mount, characters that are not allowed are escaped; glob patterns
// get a suffix if they have none. -EINVAL: empty, or too long.
int unit_name_mangle(const char *text, enum unit_type fallback, char **ret);
// Escapes text for a unit name, and back (systemd-escape). is_path: text is a path, whose slashes
// at the ends are dropped; "/" is "-". -EINVAL: not such a path; not the result of an escape.
int unit_name_escape(const char *text, bool is_path, char **ret);
int unit_name_unescape(const char *text, bool is_path, char **ret);
