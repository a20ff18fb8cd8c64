# SPDX-License-Identifier: GPL-3.0-or-later
# Xen's own header has unnamed members, which GNU C++ takes and C++20 does not.
$(BUILD)/obj/lib/io/xenctrl.o: private ALL_CXXFLAGS += -std=gnu++20
$(BUILD)/obj/lib/io/xenctrl.o: private USE_PRECOMPILED =

# The suite against the real xenstored and oxenstored, which run without a hypervisor behind a
# library that stands in for it.
$(BUILD)/tests/xen_shim.so: tests/xenstore/shim.cpp
	@mkdir -p $(@D)
	$(CXX) -std=gnu++20 $(CXXFLAGS) -Wall -Wextra -Werror -fPIC -shared -o $@ $<

check-xenstore: all $(BUILD)/tests/xen_shim.so
