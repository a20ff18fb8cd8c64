# SPDX-License-Identifier: GPL-3.0-or-later
# Random schedules: `make sim SCHEDULES=100000` for a long run, `make soak` for a very long one.
export SCHEDULES
$(BUILD)/random_schedules: $(BUILD)/obj/tests/sim/random_schedules.o $(ARCHIVE)
	$(CXX) -o $@ $< $(ARCHIVE) $(ALL_LDFLAGS) $(LIBS)
-include $(BUILD)/obj/tests/sim/random_schedules.d

check-sim: $(BUILD)/random_schedules

# A million, from FIRST on: the seeds and the time are printed. In a tree of its own, since here the
# optimizer saves more than it costs.
.PHONY: soak mutants
soak:
	+$(MAKE) $(JOBS) --no-print-directory BUILD=$(BUILD)-soak CXXFLAGS="-O2 -g1" check-sim
	BUILD=$(BUILD)-soak FIRST=$(or $(FIRST),1) SCHEDULES=$(or $(SCHEDULES),1000000) NEW_SCHEDULES=0 tests/sim/run

# What guards the domains is taken out, one thing at a time: some suite must notice.
mutants: check-sim check-scenario
	BUILD=$(BUILD) tests/sim/mutants
