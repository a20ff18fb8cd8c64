# SPDX-License-Identifier: GPL-3.0-or-later
# `make xen-lab`: what is needed to bring labs of real Xen hosts up in seconds, kept outside the clone.
#   HOSTS=N     freezes N hosts (1 to 4; default 2)
# `make xen-check`: the tests on real Xen hosts, tests/xen/*_test.
#   TESTS="checks_test failover_test"     those alone
XENLAB = contrib/lab/xen/xenlab
XEN_PACKAGES = contrib/lab/kvm/packages contrib/lab/xen/packages

.PHONY: xen-lab xen-check xen-packages
xen-packages:
	@[ "$$(id -u)" = 0 ] || \
	    echo 'The Xen lab needs root: it makes network namespaces and virtual machines.' >&2
	@contrib/packages/ensure contrib/packages/build $(XEN_PACKAGES)
	@[ "$$(id -u)" = 0 ]

xen-lab: xen-packages
	@$(XENLAB) build --hosts $(or $(HOSTS),2)
	@echo 'Now: $(XENLAB) up --hosts $(or $(HOSTS),2) --domains 4; see docs/xen-lab.md'

xen-check: xen-packages
	+@$(MAKE) $(JOBS) --no-print-directory all
	@BUILD=$(BUILD) tests/xen/run $(TESTS)
