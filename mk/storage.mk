# SPDX-License-Identifier: GPL-3.0-or-later
# What the lab's tests of storage need beside the programs.
$(BUILD)/tests/iscsi_host: $(call OBJ,tests/lab/iscsi_host.cpp) $(ARCHIVE)
	@mkdir -p $(@D)
	$(CXX) -o $@ $< $(ARCHIVE) $(ALL_LDFLAGS) $(LIBS)
-include $(patsubst %.o,%.d,$(call OBJ,tests/lab/iscsi_host.cpp))

check-lab: $(BUILD)/tests/iscsi_host
