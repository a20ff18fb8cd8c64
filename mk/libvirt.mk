# SPDX-License-Identifier: GPL-3.0-or-later
# The suite against a real libvirtd.
check-libvirt: all $(BUILD)/unit_tests
