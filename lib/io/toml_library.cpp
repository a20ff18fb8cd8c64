// SPDX-License-Identifier: GPL-3.0-or-later
// The code of toml++, compiled once: the makefile's TOML_HEADER_ONLY=0 leaves it out of the files
// that call it. Debian has it as a shared library too, which the small checks could not bring along.
#define TOML_IMPLEMENTATION
#include <toml++/toml.h>
