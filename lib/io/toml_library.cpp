// SPDX-License-Identifier: GPL-3.0-or-later
// The code of toml++, compiled once: here the makefile sets TOML_IMPLEMENTATION, and everywhere
// TOML_HEADER_ONLY=0, which leaves it out of the files that call it. Debian has it as a shared
// library too, which the small checks could not bring along.
#include <toml++/toml.h>
