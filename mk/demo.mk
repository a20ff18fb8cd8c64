# SPDX-License-Identifier: GPL-3.0-or-later
# `make demo`: a cluster of three hosts on this machine, two of which die.
#   XEN=1       two real Xen hosts, in emulated machines (the first time this builds them)
#   KEEP=1      leaves the cluster up to play with
#   ROUNDS=N    N deaths of each kind
#   ATTEMPTS=3  Nagios's max_check_attempts: 3, 1 or both
DEMO = $(if $(filter-out 0,$(XEN)),--xen) $(if $(filter-out 0,$(KEEP)),--keep) $(if $(ROUNDS),--rounds $(ROUNDS)) \
       $(if $(ATTEMPTS),--attempts $(ATTEMPTS))

.PHONY: demo
demo:
	@[ "$$(id -u)" = 0 ] || \
	    echo 'make demo needs root: it makes network namespaces, mounts and virtual machines.' >&2
	@contrib/packages/ensure contrib/packages/build contrib/lab/kvm/packages \
	    $(if $(filter-out 0,$(XEN)),contrib/lab/xen/packages)
	@[ "$$(id -u)" = 0 ]
	+@$(MAKE) $(JOBS) --no-print-directory all
	@BUILD=$(BUILD) contrib/lab/demo $(DEMO)

check-lab: all $(BUILD)/unit_tests
