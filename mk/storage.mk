# SPDX-License-Identifier: GPL-3.0-or-later
# Checks that are run every few seconds for each disk: finding and binding the shared C++ libraries
# would be a third of their time, so that they bring them along.
STORAGE_CHECKS := $(BUILD)/plugins/check_aoe $(BUILD)/plugins/check_iscsi
$(STORAGE_CHECKS): LIBS = -liscsi -Wl,-Bstatic -lboost_program_options -Wl,-Bdynamic
# The same of the agents of one device: "off" is to cost little more than the device's own time.
DEVICE_AGENTS := $(addprefix $(BUILD)/fence/fence_,aoe ipmi iscsi pdu)
$(DEVICE_AGENTS): LIBS = -lnetsnmp -liscsi -lfreeipmi -Wl,-Bstatic -lboost_program_options -Wl,-Bdynamic
$(STORAGE_CHECKS) $(DEVICE_AGENTS): ALL_LDFLAGS += -static-libstdc++ -static-libgcc

# What the lab's tests of storage need beside the programs.
$(BUILD)/tests/iscsi_host: $(call OBJ,tests/lab/iscsi_host.cpp) $(ARCHIVE)
	@mkdir -p $(@D)
	$(CXX) -o $@ $< $(ARCHIVE) $(ALL_LDFLAGS) $(LIBS)
-include $(patsubst %.o,%.d,$(call OBJ,tests/lab/iscsi_host.cpp))

$(BUILD)/tests/sg_stand_in.so: tests/lab/sg_stand_in.cpp
	@mkdir -p $(@D)
	$(CXX) -std=c++20 $(CXXFLAGS) -Wall -Wextra -Werror -fPIC -shared -o $@ $<

check-lab: $(BUILD)/tests/iscsi_host $(BUILD)/tests/sg_stand_in.so
