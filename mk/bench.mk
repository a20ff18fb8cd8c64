# SPDX-License-Identifier: GPL-3.0-or-later
# Measurements: ratios in one run, against peers and the bare floor. Nothing is asserted. The
# recovery itself is measured by `make demo ROUNDS=5 ATTEMPTS=both`, beside a bare script.
.PHONY: bench
bench: all
	@for script in tests/bench/*; do echo "== $$script"; BUILD=$(BUILD) $$script; done
