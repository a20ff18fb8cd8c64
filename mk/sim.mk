# SPDX-License-Identifier: GPL-3.0-or-later
# Random schedules: `make sim SCHEDULES=100000` for a long run.
export SCHEDULES
$(BUILD)/random_schedules: $(BUILD)/obj/tests/sim/random_schedules.o $(ARCHIVE)
	$(CXX) -o $@ $< $(ARCHIVE) $(ALL_LDFLAGS) $(LIBS)
-include $(BUILD)/obj/tests/sim/random_schedules.d

check-sim: $(BUILD)/random_schedules
