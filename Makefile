# SPDX-License-Identifier: GPL-3.0-or-later
# domkeeper: one non-recursive makefile. `make help` lists the targets.
-include config.mk

CXX ?= g++
ifeq ($(origin CXX),default)
CXX = g++
endif
PREFIX ?= /usr/local
DESTDIR ?=
SAN ?=
empty :=
comma := ,
# A sanitizer build has a tree of its own, so that the two never mix objects.
BUILD ?= build$(if $(SAN),-$(subst $(comma),-,$(SAN)))
VERSION := 0.1.0

# g++ 12 sees overlaps in std::string's own code that are none (GCC bug 105651).
WARN = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast \
       -Wnon-virtual-dtor -Woverloaded-virtual -Wswitch -Werror \
       $(if $(findstring clang,$(CXX)),,-Wno-restrict)
# Few optimizations and line numbers alone: less than half the build time of -O2 -g, and nothing here
# waits for the processor.
CXXFLAGS ?= -Og -g1
ALL_CXXFLAGS = -std=c++20 $(CXXFLAGS) $(WARN) -fstack-protector-strong -D_FORTIFY_SOURCE=2 \
       $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer -U_FORTIFY_SOURCE) \
       -DTOML_HEADER_ONLY=0 -DDOMKEEPER_VERSION='"$(VERSION)"' -I. -pthread
ALL_LDFLAGS = $(LDFLAGS) -pthread -Wl,-z,relro,-z,now -Wl,--as-needed $(if $(SAN),-fsanitize=$(SAN))
# One list for all programs: --as-needed drops from each what it does not call.
LIBS = -lnetsnmp -lvirt -lvirt-qemu -lxenctrl -lxentoollog -liscsi -lfreeipmi -lsqlite3 -lglpk \
       -lboost_program_options -lboost_context

LIB_SRC  := $(sort $(wildcard lib/*/*.cpp))
PARTS    := $(sort $(filter-out %_test.cpp,$(wildcard plugins/*.cpp fence/*.cpp eventhandlers/*.cpp)))
# A program is a file named check_*, fence_*, handle_* or domkeeper; its neighbours are parts of it.
MAINS    := $(filter plugins/check_% fence/fence_% eventhandlers/handle_% eventhandlers/domkeeper.cpp,$(PARTS))
PART_SRC := $(filter-out $(MAINS),$(PARTS))
TEST_SRC := $(sort $(wildcard tests/unit/*.cpp))
PROGRAMS := $(MAINS:%.cpp=$(BUILD)/%)

OBJ = $(1:%.cpp=$(BUILD)/obj/%.o)
ARCHIVE = $(BUILD)/libdomkeeper.a

# For rules that a user calls by a bare `make check` or `make demo`: all cores, unless told otherwise.
JOBS = $(if $(findstring -j,$(MAKEFLAGS)),,-j$(shell nproc))

.PHONY: all
all: $(PROGRAMS)

# Reading the standard library is a third of the work, so g++ reads it once. PRECOMPILE= turns that
# off: a cache of compilers' output is in the way of it, and clang builds without, so that a header
# that a file forgets to include is seen.
PRECOMPILE ?= $(if $(findstring clang,$(CXX))$(findstring ccache,$(CXX)),,yes)
PRECOMPILED := $(if $(PRECOMPILE),$(BUILD)/obj/std.hpp)
USE_PRECOMPILED = $(if $(PRECOMPILED),-Winvalid-pch -include $(PRECOMPILED))

# std.hpp is never there: a compiler that can't take the precompiled form must say so.
$(BUILD)/obj/std.hpp.gch: lib/precompiled.in
	@mkdir -p $(@D)
	$(CXX) $(ALL_CXXFLAGS) -x c++-header -o $@ $<

$(BUILD)/obj/%.o: %.cpp $(PRECOMPILED:%=%.gch)
	@mkdir -p $(@D)
	$(CXX) $(ALL_CXXFLAGS) $(USE_PRECOMPILED) -MMD -MP -c -o $@ $<

$(BUILD)/obj/lib/io/toml_library.o: private ALL_CXXFLAGS += -DTOML_IMPLEMENTATION

$(ARCHIVE): $(call OBJ,$(LIB_SRC) $(PART_SRC))
	@rm -f $@
	ar rcs $@ $^

$(PROGRAMS): $(BUILD)/%: $(BUILD)/obj/%.o $(ARCHIVE)
	@mkdir -p $(@D)
	$(CXX) -o $@ $< $(ARCHIVE) $(ALL_LDFLAGS) $(LIBS)

$(BUILD)/unit_tests: $(call OBJ,$(TEST_SRC)) $(ARCHIVE)
	$(CXX) -o $@ $(call OBJ,$(TEST_SRC)) $(ARCHIVE) $(ALL_LDFLAGS) -lCatch2WithMain $(LIBS)

-include $(patsubst %.o,%.d,$(call OBJ,$(LIB_SRC) $(PARTS) $(TEST_SRC)))

.PHONY: clean
clean:
	rm -rf $(BUILD)

-include mk/*.mk
