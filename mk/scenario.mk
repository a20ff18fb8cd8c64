# SPDX-License-Identifier: GPL-3.0-or-later
# Scenarios: text files run by the real engine over simulated ports and time.
SCENARIOS := $(sort $(wildcard tests/scenario/*.txt))

$(BUILD)/run_scenarios: $(BUILD)/obj/tests/scenario/run_scenarios.o $(ARCHIVE)
	$(CXX) -o $@ $< $(ARCHIVE) $(ALL_LDFLAGS) $(LIBS)
-include $(BUILD)/obj/tests/scenario/run_scenarios.d

.PHONY: sweep rewrite-scenarios
check-scenario: $(BUILD)/run_scenarios
rewrite: rewrite-scenarios
sweep: $(BUILD)/run_scenarios
	$(BUILD)/run_scenarios --sweep $(SCENARIOS)
rewrite-scenarios: $(BUILD)/run_scenarios
	$(BUILD)/run_scenarios --rewrite $(SCENARIOS)
