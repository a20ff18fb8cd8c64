# SPDX-License-Identifier: GPL-3.0-or-later
"""The hosts, whatever they are made of: see kvm_hosts and xen_hosts."""

from . import kvm_hosts, net, xen_hosts
from .layout import LabError
from .mains import alive, pid_file, power
from .proc import inside, run, wait_for

__all__ = ("alive", "pid_file", "power")


def _of(lab):
    return {"kvm": kvm_hosts, "xen": xen_hosts}[lab.kind]


def virsh(lab, host, *command, check=True, timeout=60, stdin=None):
    """virsh on the host itself, by its local socket: the truth, whatever the management network
    does."""
    if not alive(lab, host):
        raise LabError(f"{host} is off")
    return _of(lab).virsh(lab, host, *command, check=check, timeout=timeout, stdin=stdin)


def wait_ready(lab, host, seconds=None):
    """Waits until the host's libvirtd answers on the management network and the host reaches the
    storage node: a cable that was plugged in carries nothing for up to a second."""

    def answers():
        monitor = inside(lab.ns("monitor"), "timeout", "10", "virsh", "-q", "-c", lab.uri(host), "uri")
        return (
            alive(lab, host)
            and _of(lab).reaches_storage(lab, host)
            and "tcp" in run(*monitor, check=False)
        )

    seconds = seconds or lab.patience(40)
    wait_for(answers, seconds, f"{host}: no libvirtd or no storage, see {lab.log(host)}", step=lab.patience(0.05))


def up(lab, host):
    _of(lab).prepare(lab, host)
    power(lab, host, "on")
    wait_ready(lab, host)


def cut(lab, host):
    """Power loss at the host's plug; its BMC lives on."""
    power(lab, host, "off")


def unplug(lab, host):
    """The host falls off the management network; its guests run and write on."""
    lab.number(host)
    net.set_cable(lab, f"m-{host}", "down")


def hang(lab, host):
    """As bad a hang as the kind knows: a kvm host falls off the management network while its guests
    write on; a Xen host stops with all it runs, and would write on if it ever woke."""
    _of(lab).hang(lab, host)


def heal(lab, host):
    """Cables in, power on, libvirtd running; waits until the host answers."""
    power(lab, host, "on")
    for port in (f"m-{host}", f"s-{host}"):
        net.set_cable(lab, port, "up")
    _of(lab).wake(lab, host)
    wait_ready(lab, host)


def signal_daemons(lab, host, name):
    """Sends a signal ("STOP", "CONT") to the host's libvirtd."""
    _of(lab).signal_daemons(lab, host, name)


def guests(lab, host):
    """{domain: what runs it} on a host: pids of QEMU on kvm, domain ids on xen. Read from the kernel
    or the hypervisor, not from libvirt."""
    return _of(lab).guests(lab, host)


def guest_began(lab, host, which):
    """When a guest's process or domain began, in seconds since 1970; None when it is gone."""
    return _of(lab).guest_began(lab, host, which)


def down(lab):
    for host in lab.hosts:
        pid_file(lab, host).kill()
