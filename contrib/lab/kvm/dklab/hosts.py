# SPDX-License-Identifier: GPL-3.0-or-later
"""The three hosts: libvirtd, virtlockd and QEMU, each host in namespaces of its own."""

import os
import shutil
import signal

from . import net
from .kernel import cache_folder
from .layout import HERE, STORAGE, LabError
from .proc import PidFile, inside, namespace_processes, run, wait_for
from .storage import lockspace

LIBVIRTD = """listen_tls = 0
listen_tcp = 1
listen_addr = "{address}"
auth_tcp = "none"
auth_unix_rw = "none"
host_uuid = "11111111-2222-4333-8444-5555555555{number:02d}"
keepalive_interval = 2
keepalive_count = 3
log_outputs = "3:file:/var/log/libvirt/libvirtd.log"
"""
QEMU = """user = "root"
group = "root"
dynamic_ownership = 0
remember_owner = 0
security_driver = "none"
cgroup_controllers = [ ]
namespaces = [ ]
stdio_handler = "file"
lock_manager = "lockd"
migration_address = "{storage}"
migration_host = "{storage}"
"""
# Without automatic leases virtlockd does not open the lockspace; the guests' network disks get none.
LOCKD = """auto_disk_leases = 1
require_lease_for_disks = 1
file_lockspace_dir = "{leases}"
"""
VIRTLOCKD = """log_outputs = "3:file:/var/log/libvirt/virtlockd.log"
"""


def _write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as out:
        out.write(text)


def _accounts(home):
    """The machine's accounts and those that Debian's libvirt looks up before it reads its settings."""
    for name, user, line in (
        ("passwd", "libvirt-qemu", "libvirt-qemu:x:64055:64055::/var/lib/libvirt:/usr/sbin/nologin"),
        ("group", "libvirt-qemu", "libvirt-qemu:x:64055:"),
        ("group", "kvm", "kvm:x:64056:"),
    ):
        path = f"{home}/{name}"
        if not os.path.exists(path):
            shutil.copy("/etc/" + name, path)
        with open(path, "r+") as text:
            if not any(entry.startswith(user + ":") for entry in text):
                text.write(line + "\n")


def _capabilities(lab, host):
    return lab.path("hosts", host, "cache", "libvirt", "qemu", "capabilities")


def prepare(lab, host):
    """Writes everything that a host keeps on its own disk."""
    home = lab.path("hosts", host)
    values = {
        "address": lab.address(host),
        "storage": lab.storage_address(host),
        "number": lab.number(host),
        "leases": lockspace(lab),
    }
    for name, text in (
        ("libvirtd", LIBVIRTD),
        ("qemu", QEMU),
        ("qemu-lockd", LOCKD),
        ("virtlockd", VIRTLOCKD),
    ):
        _write(f"{home}/etc/{name}.conf", text.format(**values))
    for folder in (f"{home}/lib/libvirt", f"{home}/cache", lab.log(host) + "/libvirt"):
        os.makedirs(folder, exist_ok=True)
    _accounts(home)
    names = "".join(f"{lab.address(h)} {h}\n" for h in lab.hosts)
    _write(f"{home}/hosts", "127.0.0.1 localhost\n" + names)
    # Asking QEMU what it can do takes seconds; libvirt itself checks whether the answer still holds.
    known = os.path.join(cache_folder(), "capabilities")
    if os.path.isdir(known):
        shutil.copytree(known, _capabilities(lab, host), dirs_exist_ok=True)
    _write(
        f"{home}/cables",
        f"net_ns={lab.ns('net')}\nhost_ns={lab.ns(host)}\nports='m-{host} s-{host}'\n",
    )


def power(lab, host, what):
    lab.number(host)  # refuses a host that is not there
    return run(os.path.join(HERE, "power"), lab.dir, host, what).strip()


def alive(lab, host):
    return power(lab, host, "get") == "1"


def pid_file(lab, host):
    return PidFile(lab.path("hosts", host, "pid"))


def virsh(lab, host, *command, check=True, timeout=30):
    """virsh on the host itself, by its local socket: the truth, whatever the networks do."""
    pid = pid_file(lab, host).read()
    if pid is None:
        raise LabError(f"{host} is off")
    enter = ("nsenter", f"--target={pid}", "--mount", "--net", "--uts", "--pid")
    return run(*enter, "virsh", "-q", *command, check=check, timeout=timeout)


def wait_ready(lab, host, seconds=40):
    """Waits until the host's libvirtd answers on the management network and the host reaches the
    storage node: a cable that was plugged in carries nothing for up to a second."""
    connect = f"exec 3<>/dev/tcp/{STORAGE}/3260 && echo reached"

    def answers():
        monitor = inside(lab.ns("monitor"), "virsh", "-q", "-c", lab.uri(host), "uri")
        storage = inside(lab.ns(host), "timeout", "1", "bash", "-c", connect)
        return (
            "qemu" in run(*monitor, check=False)
            and alive(lab, host)
            and "reached" in run(*storage, check=False)
        )

    wait_for(answers, seconds, f"{host}: no libvirtd or no storage, see {lab.log(host)}", step=0.05)


def up(lab, host):
    prepare(lab, host)
    power(lab, host, "on")
    wait_ready(lab, host)


def remember_capabilities(lab):
    """Keeps what libvirtd learned of QEMU for the next lab."""
    known = os.path.join(cache_folder(), "capabilities")
    source = _capabilities(lab, lab.hosts[0])
    if os.path.isdir(source):
        shutil.copytree(source, known, dirs_exist_ok=True)


def cut(lab, host):
    """Power loss at the host's plug; its BMC lives on."""
    power(lab, host, "off")


def hang(lab, host):
    """The host falls off the management network; its guests run and write on."""
    lab.number(host)
    net.set_cable(lab, f"m-{host}", "down")


def heal(lab, host):
    """Cables in, power on, libvirtd running; waits until the host answers."""
    lab.number(host)
    for port in (f"m-{host}", f"s-{host}"):
        net.set_cable(lab, port, "up")
    for pid in daemons(lab, host):
        os.kill(pid, signal.SIGCONT)
    power(lab, host, "on")
    wait_ready(lab, host)


def processes(lab, host):
    """(pid, command line) of every process on a host."""
    return namespace_processes(pid_file(lab, host).read())


def daemons(lab, host):
    """The pids of the host's libvirtd."""
    return [p for p, words in processes(lab, host) if words and words[0].endswith("libvirtd")]


def guests(lab, host):
    """{domain: pids of its QEMU processes} on a host, read from the kernel, not from libvirt."""
    found = {}
    for pid, words in processes(lab, host):
        if words and "qemu-system" in words[0] and "-name" in words:
            name = words[words.index("-name") + 1].split(",")[0].removeprefix("guest=")
            found.setdefault(name, []).append(pid)
    return found


def down(lab):
    for host in lab.hosts:
        pid_file(lab, host).kill()
