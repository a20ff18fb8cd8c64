# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of domkeeper's lab: three hosts, a storage node, a BMC each and a monitor."""
