// usher-gen runs while usher is built: it writes what follows from the tables (directives,
// settings, options, verbs, differences) to standard output. It never runs on the machine usher is
// made for. All functions: 0, or -errno after a message.
#pragma once

#include "gen/programs.h"

// The directive table, one line a row, to be read by people.
int gen_table(void);
// Words of the unit language, for libFuzzer's -dict.
int gen_dictionary(void);
// The completions of a program for bash, zsh or fish.
int gen_bash(const struct program *p);
int gen_zsh(const struct program *p);
int gen_fish(const struct program *p);
// A manual page from its source: the lines .\" @WHAT@ become lists made from the tables (see
// page.c), @VERSION@ the version.
int gen_page(const char *path);

// For the page: what a directive may be, and what it is where nothing sets it (values.c).
struct directive;
void value_put_words(const struct directive *d);
const char *value_default_words(const struct directive *d);
