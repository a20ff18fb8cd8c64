# SPDX-License-Identifier: GPL-3.0-or-later
"""The power strip in front of all hosts: net-snmp's snmpd with contrib/lab/pdu_agent as an APC rack
PDU. Outlet N feeds the N-th host; users "fence" (may switch) and "look" (may not), SNMPv3."""

import os
import signal

from .layout import HERE, PDU
from .proc import PidFile, inside, spawn

AUTH, PRIVACY = "authpass123", "privpass123"
CONFIG = """agentaddress udp:{address}:161
sysObjectID .1.3.6.1.4.1.318.1.3.4.5
sysDescr APC Web/SNMP Management Card (lab)
sysServices 72
view all included .1
view pdu included .1.3.6.1.2.1.1
view pdu included .1.3.6.1.4.1.318
createUser fence SHA "{auth}" AES "{privacy}"
createUser look SHA "{auth}" AES "{privacy}"
rwuser fence priv -V pdu
rouser look priv -V pdu
rwcommunity private default -V pdu
rocommunity public default -V pdu
pass_persist .1.3.6.1.4.1.318.1.1 {agent} {dir} {hosts}
"""


def _pid(lab):
    return PidFile(lab.path("pids", "pdu"))


def up(lab):
    home = lab.path("pdu")
    os.makedirs(home + "/persist", exist_ok=True)
    with open(home + "/snmpd.conf", "w") as out:
        out.write(
            CONFIG.format(
                address=PDU,
                auth=AUTH,
                privacy=PRIVACY,
                agent=os.path.join(HERE, "pdu_agent"),
                dir=lab.dir,
                hosts=" ".join(lab.hosts),
            )
        )
    command = ("snmpd", "-f", "-Lo", "-C", "-c", home + "/snmpd.conf", "-I", "-smux")
    env = {**os.environ, "SNMP_PERSISTENT_DIR": home + "/persist", "SNMPCONFPATH": home, "MIBS": ""}
    spawn(_pid(lab).path, lab.log("pdu.log"), *inside(lab.ns("pdu"), *command), env=env)


def down(lab):
    _pid(lab).kill()


def stop(lab):
    """The strip takes packets and never answers."""
    _pid(lab).signal(signal.SIGSTOP)


def go_on(lab):
    _pid(lab).signal(signal.SIGCONT)
