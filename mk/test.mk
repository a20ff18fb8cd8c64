# SPDX-License-Identifier: GPL-3.0-or-later
# Tests. A suite is a folder with an executable tests/<suite>/run; it finds the built programs in
# $BUILD and prints "N passed, N failed, N skipped" as its last line. What a suite needs built is
# added to the target `check-<suite>` by whoever adds the suite, here or in a file of its own.
# The tests on real Xen hosts take half an hour and have a target of their own, see mk/xen.mk.
SUITES := $(filter-out xen,$(patsubst tests/%/run,%,$(wildcard tests/*/run)))
# Quick and telling ones first.
SUITES := $(foreach suite,unit scenario cli,$(filter $(suite),$(SUITES))) $(filter-out unit scenario cli,$(SUITES))

TEST_PROGRAMS := $(BUILD)/tests/sample
$(BUILD)/tests/sample: $(call OBJ,tests/cli/sample.cpp) $(ARCHIVE)
	@mkdir -p $(@D)
	$(CXX) -o $@ $< $(ARCHIVE) $(ALL_LDFLAGS) $(LIBS)
-include $(patsubst %.o,%.d,$(call OBJ,tests/cli/sample.cpp))

.PHONY: packages
packages:
	contrib/packages/ensure contrib/packages/build contrib/packages/check
	-@contrib/packages/schema $(BUILD)/schema
	-@contrib/packages/xenstored $(BUILD)/xen

.PHONY: $(SUITES:%=check-%)
check-unit: $(BUILD)/unit_tests
check-cli check-installed: $(TEST_PROGRAMS) all

# `make lint` has a recipe of its own, which checks the format too.
RUN_SUITES := $(filter-out lint,$(SUITES))
.PHONY: $(RUN_SUITES)
$(RUN_SUITES): %: check-%
	BUILD=$(BUILD) tests/$*/run

# Packages come before anything that needs their headers, so the rest is a make of its own.
.PHONY: check
check: packages
	+$(MAKE) $(JOBS) all $(SUITES:%=check-%)
	BUILD=$(BUILD) tests/check $(SUITES)

.PHONY: rewrite
rewrite: check-cli
	BUILD=$(BUILD) tests/cli/run --rewrite

# Every object, and nothing linked or run: to hear what another compiler has to say.
.PHONY: compile
compile: $(call OBJ,$(LIB_SRC) $(PARTS) $(TEST_SRC) tests/cli/sample.cpp) $(COMPILE_ALSO)

# The suites that are worth a sanitizer build: make SAN=address,undefined sanitized
.PHONY: sanitized
sanitized: check-unit check-scenario
	BUILD=$(BUILD) tests/check unit scenario
