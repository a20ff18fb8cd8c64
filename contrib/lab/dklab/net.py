# SPDX-License-Identifier: GPL-3.0-or-later
"""The two networks: management (monitor, hosts, BMCs, witness) and storage (hosts, storage node).

Both switches are bridges in one namespace, "net". Every MAC is pinned: a bridge takes the lowest MAC
of its ports, and one that changes when a host comes or goes stalls everybody's ARP for seconds.
"""

import os
import signal

from .layout import MONITOR, MONITOR_ON_SAN, PDU, STORAGE, WITNESS
from .proc import run, wait_for


def _mac(network, number):
    return f"02:dc:00:{network:02x}:00:{number:02x}"


def _cables(lab):
    """(node, its interface, switch port, bridge, address, MAC number) for every cable but those of
    virtual machines."""
    for number, host in enumerate(lab.hosts, 1):
        if lab.kind == "kvm":
            yield host, "mgmt0", f"m-{host}", "mgmt", lab.address(host), number
            yield host, "san0", f"s-{host}", "san", lab.storage_address(host), number
        yield f"bmc-{host}", "mgmt0", f"b-{host}", "mgmt", lab.bmc_address(host), 100 + number
    if lab.strip:
        yield "pdu", "mgmt0", "m-pdu", "mgmt", PDU, 200
    yield "monitor", "mgmt0", "m-monitor", "mgmt", MONITOR, 250
    if lab.keys:
        yield "monitor", "san0", "s-monitor", "san", MONITOR_ON_SAN, 250
    yield "storage", "san0", "s-storage", "san", STORAGE, 254


def host_mac(lab, host, network):
    """The MAC of a host's interface on "mgmt" or "san"."""
    return _mac(("mgmt", "san").index(network), lab.number(host))


def _taps(lab):
    """The switch ports that virtual machines plug into; they outlive the machines."""
    for number, host in enumerate(lab.hosts, 1):
        for index, (port, bridge) in enumerate(((f"m-{host}", "mgmt"), (f"s-{host}", "san"))):
            yield f"tuntap add dev {port} mode tap"
            yield f"link set {port} address {_mac(0x80 + index, number)} master {bridge} up"


def _veth(lab, cable):
    """The words that make one cable."""
    node, interface, port, bridge, _, number = cable
    index = ("mgmt", "san").index(bridge)
    return (
        f"link add name {port} address {_mac(0x80 + index, number)} netns {lab.ns('net')} "
        f"type veth peer name {interface} address {_mac(index, number)} netns {lab.ns(node)}"
    )


def _ends(cable):
    """What is said of a cable at the switch, and at the node."""
    _, interface, port, bridge, address, _ = cable
    return (
        [f"link set {port} master {bridge}", f"link set {port} up"],
        [f"addr add {address}/24 dev {interface}", f"link set {interface} up"],
    )


def renewal(lab, host):
    """Shell commands that give a host of namespaces a new network of its own. Killing its processes
    leaves what they had sent in the kernel's queues, which a real host's kernel would take with it:
    it went out late, when the host was on again, over what others had written meanwhile."""
    name, switch = lab.ns(host), lab.ns("net")
    cables = [cable for cable in _cables(lab) if cable[0] == host]
    # The old name space may outlive its name; without cables nothing leaves it.
    lines = [f"ip -n {switch} link del {cable[2]}" for cable in cables]
    lines += [f"ip netns del {name}", f"ip netns add {name}", f"ip -n {name} link set lo up"]
    for cable in cables:
        at_switch, at_node = _ends(cable)
        lines.append("ip " + _veth(lab, cable))
        lines += [f"ip -n {name} {line}" for line in at_node]
        lines += [f"ip -n {switch} {line}" for line in at_switch]
    return lines


def up(lab):
    run("ip", "-batch", "-", stdin="".join(f"netns add {lab.ns(n)}\n" for n in lab.nodes()))
    make, per_node = [], {node: ["link set lo up"] for node in lab.nodes()}
    for index, bridge in enumerate(("mgmt", "san")):
        per_node["net"] += [
            f"link add {bridge} address {_mac(index, 255)} type bridge stp_state 0 mcast_snooping 0",
            f"link set {bridge} up",
        ]
    per_node["net"].append(f"addr add {WITNESS}/24 dev mgmt")
    for cable in _cables(lab):
        make.append(_veth(lab, cable))
        at_switch, at_node = _ends(cable)
        per_node["net"] += at_switch
        per_node[cable[0]] += at_node
    if lab.kind == "xen":
        per_node["net"] += _taps(lab)
    run("ip", "-batch", "-", stdin="\n".join(make) + "\n")
    for node, lines in per_node.items():
        run("ip", "-n", lab.ns(node), "-batch", "-", stdin="\n".join(lines) + "\n")


def inhabitants(names):
    """The pids of all processes that live in these network namespaces."""
    inodes = {os.stat(f"/run/netns/{name}").st_ino for name in names}
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.stat(f"/proc/{pid}/ns/net").st_ino in inodes:
                found.append(int(pid))
        except OSError:
            continue  # it ended meanwhile
    return found


def _empty(names):
    """Kills who still lives there: a start that was interrupted leaves no pid file behind."""
    for pid in inhabitants(names):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def down(lab):
    have = run("ip", "netns", "list").split()
    gone = [lab.ns(n) for n in lab.nodes() if lab.ns(n) in have]
    if gone:
        _empty(gone)
        wait_for(lambda: not inhabitants(gone), 5, "processes of the lab do not die")
        run("ip", "-batch", "-", stdin="".join(f"netns del {n}\n" for n in gone))


def set_cable(lab, port, state):
    """Plugs ("up") or pulls ("down") a cable at the switch."""
    run("ip", "-n", lab.ns("net"), "link", "set", port, state)
