// Unit names: validity, parts, templates and instances, escaping (systemd.unit(5)).
#pragma once

#include "conf/types.h"

#define UNIT_NAME_MAX 255

bool unit_name_is_valid(const char *name);       // plain, instance or template, known type suffix
bool unit_name_is_template(const char *name);    // "foo@.service"
bool unit_name_is_instance(const char *name);    // "foo@bar.service"
enum unit_type unit_name_type(const char *name); // by suffix; _UNIT_TYPE_INVALID
const char *unit_type_name(enum unit_type type); // "socket"
// Parts, new strings (0 or -ENOMEM); *ret NULL where there is none.
int unit_name_prefix(const char *name, char **ret);   // "foo" of foo@bar.service, foo.service
int unit_name_instance(const char *name, char **ret); // "bar"; "" for a template; NULL for plain
int unit_name_template(const char *name, char **ret); // "foo@.service" of foo@bar.service
int unit_name_with_instance(const char *template_name, const char *instance, char **ret);
int unit_name_change_suffix(const char *name, enum unit_type type,
                            char **ret); // foo.socket -> foo.service
// "foo" -> "foo.service", "foo.socket" stays (for command lines). -EINVAL.
int unit_name_mangle(const char *text, enum unit_type fallback, char **ret);
int unit_name_escape(const char *text, bool is_path, char **ret);
int unit_name_unescape(const char *text, bool is_path, char **ret);
