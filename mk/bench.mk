# SPDX-License-Identifier: GPL-3.0-or-later
# Measurements: ratios in one run, against peers and the bare floor. Nothing is asserted. The
# recovery itself is measured by `make demo ROUNDS=5 ATTEMPTS=both`, beside a bare script.
.PHONY: bench
bench: all $(BUILD)/planning $(BUILD)/place
	-@contrib/packages/ensure contrib/packages/bench
	@for script in $(filter-out %.cpp,$(wildcard tests/bench/*)); do echo "== $$script"; BUILD=$(BUILD) $$script; done

$(BUILD)/planning $(BUILD)/place: $(BUILD)/%: $(BUILD)/obj/tests/bench/%.o $(ARCHIVE)
	$(CXX) -o $@ $< $(ARCHIVE) $(ALL_LDFLAGS) $(LIBS)
-include $(patsubst %,$(BUILD)/obj/tests/bench/%.d,planning place)
