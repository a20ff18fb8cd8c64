# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts of namespaces: libvirtd, virtlockd and QEMU, each host in namespaces of its own."""

import os
import shutil
import signal

from . import net
from .kernel import cache_folder, initiator, registrar
from .layout import HERE, IQN, STORAGE, LabError
from .mains import pid_file, write_switch
from .proc import inside, namespace_processes, run, started_at
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
{locks}migration_address = "{storage}"
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
        "locks": "" if lab.keys else 'lock_manager = "lockd"\n',
    }
    for name, text in (
        ("libvirtd", LIBVIRTD),
        ("qemu", QEMU),
        ("qemu-lockd", LOCKD),
        ("virtlockd", VIRTLOCKD),
    ):
        _write(f"{home}/etc/{name}.conf", text.format(**values))
    if lab.keys:
        _write(f"{home}/etc/reservation-key", lab.key(host) + "\n")
        shutil.copy(registrar(), f"{home}/etc/registrar.so")
        shutil.copy(initiator(), f"{home}/etc/initiator")
        targets = [f"{IQN}:{domain}" for domain in lab.domains if lab.disks[domain] == "iscsi"]
        _write(f"{home}/etc/iscsi-disks", " ".join((STORAGE, f"{IQN}:{host}", *targets)) + "\n")
    aoe = [domain for domain in lab.domains if lab.disks[domain] == "aoe"]
    if aoe:
        names = ["e{}.{}".format(*lab.aoe_address(domain)) for domain in aoe]
        _write(f"{home}/etc/aoe-disks", " ".join(names) + "\n")
    for folder in (f"{home}/lib/libvirt", f"{home}/cache", lab.log(host) + "/libvirt"):
        os.makedirs(folder, exist_ok=True)
    _accounts(home)
    names = "".join(f"{lab.address(h)} {h}\n" for h in lab.hosts)
    _write(f"{home}/hosts", "127.0.0.1 localhost\n" + names)
    # Asking QEMU what it can do takes seconds; libvirt itself checks whether the answer still holds.
    known = os.path.join(cache_folder(), "capabilities")
    if os.path.isdir(known):
        shutil.copytree(known, _capabilities(lab, host), dirs_exist_ok=True)
    node = ("unshare", "-m", "-u", "-p", "--fork", "--kill-child", os.path.join(HERE, "node_init"))
    boot = inside(lab.ns(host), *node, lab.dir, host, "host")
    write_switch(lab, host, *boot, renew=net.renewal(lab, host))


def enter(lab, host, *command):
    """The words that run a command on a host."""
    pid = pid_file(lab, host).read()
    if pid is None:
        raise LabError(f"{host} is off")
    return ("nsenter", f"--target={pid}", "--mount", "--net", "--uts", "--pid", *command)


def virsh(lab, host, *command, check, timeout, stdin):
    words = enter(lab, host, "virsh", "-q", *command)
    return run(*words, check=check, timeout=timeout, stdin=stdin)


def reaches_storage(lab, host):
    connect = f"exec 3<>/dev/tcp/{STORAGE}/3260 && echo reached"
    probe = inside(lab.ns(host), "timeout", "1", "bash", "-c", connect)
    return "reached" in run(*probe, check=False)


def remember_capabilities(lab):
    """Keeps what libvirtd learned of QEMU for the next lab."""
    known = os.path.join(cache_folder(), "capabilities")
    source = _capabilities(lab, lab.hosts[0])
    if os.path.isdir(source):
        shutil.copytree(source, known, dirs_exist_ok=True)


def hang(lab, host):
    net.set_cable(lab, f"m-{host}", "down")


def wake(lab, host):
    signal_daemons(lab, host, "CONT")


def processes(lab, host):
    """(pid, command line) of every process on a host."""
    return namespace_processes(pid_file(lab, host).read())


def signal_daemons(lab, host, name):
    for pid, words in processes(lab, host):
        if words and words[0].endswith("libvirtd"):
            os.kill(pid, getattr(signal, "SIG" + name))


def guests(lab, host):
    found = {}
    for pid, words in processes(lab, host):
        if words and "qemu-system" in words[0] and "-name" in words:
            name = words[words.index("-name") + 1].split(",")[0].removeprefix("guest=")
            found.setdefault(name, []).append(pid)
    return found


def guest_began(_lab, _host, pid):
    return started_at(pid)
