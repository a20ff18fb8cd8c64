# Scenarios: text files run by the real engine over simulated ports and time.
SCENARIOS := $(sort $(wildcard tests/scenario/*.txt))

$(BUILD)/run_scenarios: $(BUILD)/obj/tests/scenario/run_scenarios.o $(ARCHIVE)
	$(CXX) -o $@ $< $(ARCHIVE) $(ALL_LDFLAGS) $(LIBS)
-include $(BUILD)/obj/tests/scenario/run_scenarios.d

.PHONY: scenario sweep rewrite-scenarios
scenario: $(BUILD)/run_scenarios
	$(BUILD)/run_scenarios $(SCENARIOS)
sweep: $(BUILD)/run_scenarios
	$(BUILD)/run_scenarios --sweep $(SCENARIOS)
rewrite-scenarios: $(BUILD)/run_scenarios
	$(BUILD)/run_scenarios --rewrite $(SCENARIOS)
