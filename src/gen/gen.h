// usher-gen runs while usher is built, on the building machine: it writes manual pages, completions
// and lists, made from the tables (directives, settings, options, verbs, differences), to standard
// output. All functions return 0, or -errno after a message.
#pragma once

#include "gen/programs.h"

// The directive table, one line for each row, for people to read.
int gen_table(void);
// The words of unit files, for libFuzzer's -dict.
int gen_dictionary(void);
// The completions of a program for bash, zsh or fish.
int gen_bash(const struct program *p);
int gen_zsh(const struct program *p);
int gen_fish(const struct program *p);
// A manual page from its source: lines .\" @WHAT@ are replaced with lists made from the tables (see
// page.c), and @VERSION@ with the version.
int gen_page(const char *path);

// For the page: the values that a directive may have, and its default (values.c).
struct directive;
void value_put_words(const struct directive *d);
const char *value_default_words(const struct directive *d);
