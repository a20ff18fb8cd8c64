# SPDX-License-Identifier: GPL-3.0-or-later
# `make xen-lab`: what is needed to bring labs of real Xen hosts up in seconds, kept outside the clone.
#   HOSTS=N     freezes N hosts (2 to 4; default 2)
XENLAB = contrib/lab/xen/xenlab
XEN_PACKAGES = contrib/lab/kvm/packages contrib/lab/xen/packages

.PHONY: xen-lab
xen-lab:
	@[ "$$(id -u)" = 0 ] || \
	    echo 'make xen-lab needs root: it makes network namespaces and virtual machines.' >&2
	@contrib/packages/ensure contrib/packages/build $(XEN_PACKAGES)
	@[ "$$(id -u)" = 0 ]
	@$(XENLAB) build --hosts $(or $(HOSTS),2)
	@echo 'Now: $(XENLAB) up --hosts $(or $(HOSTS),2) --domains 4; see docs/xen-lab.md'
