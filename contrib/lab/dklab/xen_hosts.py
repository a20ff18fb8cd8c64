# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts of virtual machines with Xen: dom0 with libvirtd, reached by ssh over the storage network."""

import os
import re
import shlex
import shutil
import signal
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

from . import net, xen_image
from .layout import HERE, Lab, LabError
from .mains import pid_file, write_switch
from .proc import PidFile, inside, run, wait_for
from .xen_machine import Machine

FROZEN_READY = (
    "until virsh -q -c xen:///system list >/dev/null 2>&1; do sleep 0.5; done; modprobe -a aoe "
    "iscsi_tcp xen_wdt; systemctl start iscsid snmpd; cat /lab/* >/dev/null; xl info >/dev/null; "
    "iscsiadm -m session >/dev/null 2>&1; virsh -q -c xen:///system list >/dev/null; sync; sleep 1"
)


def machine(lab, host):
    taps = [(f"{port}-{host}", net.host_mac(lab, host, network))
            for port, network in (("m", "mgmt"), ("s", "san"))]
    home = lab.path("hosts", host)
    os.makedirs(home, exist_ok=True)
    serial = lab.log(f"serial-{host}")
    return Machine(home, xen_image.folder(), lab.number(host), taps, serial)


def prepare(lab, host):
    write_switch(lab, host, *inside(lab.ns("net"), os.path.join(HERE, "xen", "host"), lab.dir, host))


def ssh_words(lab, host):
    """The command line of ssh to a dom0 over the storage network, without the command to run there.
    Connections are kept for a while: under emulation each new one costs 0.4 s."""
    os.makedirs(lab.path("ssh"), exist_ok=True)
    key = os.path.join(xen_image.folder(), "keys", "lab")
    options = {
        "StrictHostKeyChecking": "no",
        "UserKnownHostsFile": "/dev/null",
        "LogLevel": "ERROR",
        "ConnectTimeout": "30",
        "ServerAliveInterval": "5",
        "ServerAliveCountMax": "6",
        "ControlMaster": "auto",
        "ControlPersist": "60",
        "ControlPath": lab.path("ssh", host),
        "BatchMode": "yes",
    }
    words = ["ssh", "-F", "none", "-i", key]
    for name, value in options.items():
        words += ["-o", f"{name}={value}"]
    return inside(lab.ns("storage"), *words, "root@" + lab.storage_address(host))


def ssh(lab, host, command, check=True, timeout=60, stdin=None):
    """Runs a shell command in a dom0 and returns its output."""
    return run(*ssh_words(lab, host), command, check=check, timeout=timeout, stdin=stdin)


def forget_connection(lab, host):
    """The kept connection of a host that died leads nowhere."""
    try:
        os.unlink(lab.path("ssh", host))
    except FileNotFoundError:
        pass


def virsh(lab, host, *command, check, timeout, stdin):
    words = " ".join(shlex.quote(word) for word in command)
    said = ssh(lab, host, f"virsh -q -c xen:///system {words}", check, timeout, stdin)
    return said


def is_awake(lab, host):
    """Whether the host has set its clock and taken up its disks since it was switched on."""
    return os.path.exists(lab.path("hosts", host, "awake"))


def reaches_storage(lab, host):
    return is_awake(lab, host)


def hang(lab, host):
    pid_file(lab, host).signal(signal.SIGSTOP)


def wake(lab, host):
    pid_file(lab, host).signal(signal.SIGCONT)


def signal_daemons(lab, host, name):
    ssh(lab, host, f"pkill -{name} -x libvirtd")


def xl_list(lab, host):
    """The lines of "xl list" but for its head."""
    lines = ssh(lab, host, "xl list", timeout=120).splitlines()
    if not lines or not lines[0].startswith("Name "):
        raise LabError(f"{host}: xl list said: {'; '.join(lines)}")
    return lines[1:]


def guests(lab, host):
    if pid_file(lab, host).read() is None:
        return {}
    found = {}
    for line in xl_list(lab, host):
        words = line.split()
        # A domain that is dying ("d") runs no more; Domain-0 is no guest.
        if len(words) == 6 and words[1] != "0" and "d" not in words[4]:
            found.setdefault(words[0], []).append(int(words[1]))
    return found


def guest_began(lab, host, domid):
    """By dom0's clock, as libxl wrote it down, set right by what that clock says now."""
    read = f"xenstore-read $(xenstore-read /local/domain/{domid}/vm)/start_time; date +%s.%N"
    said = ssh(lab, host, read, check=False).split()
    now = time.time()
    if len(said) != 2 or not all(re.fullmatch(r"[0-9.]+", word) for word in said):
        return None
    return float(said[0]) + now - float(said[1])


def take_up(lab, host, now=""):
    """The host's dom0 sets its clock, if told the time, and takes up its network disks."""
    with open(os.path.join(HERE, "xen", "dom0-wake")) as script:
        ssh(lab, host, f"sh -s {now}", timeout=240, stdin=script.read())


def rescan(lab):
    """Every host that is on takes up new disks of the storage node."""
    with ThreadPoolExecutor() as pool:
        for host in lab.hosts:
            if is_awake(lab, host) and pid_file(lab, host).read() is not None:
                pool.submit(take_up, lab, host)


def switch_on(lab, host):
    """The host's power comes: runs inside the switch's namespace, started by the mains switch. A host
    that is not frozen yet, or is to boot with settings of its own, boots as a real one does."""
    home = lab.path("hosts", host)
    os.makedirs(home, exist_ok=True)
    if os.path.exists(os.path.join(home, "awake")):
        os.unlink(os.path.join(home, "awake"))
    forget_connection(lab, host)
    it = machine(lab, host)
    settings = os.path.join(home, "cold")
    if os.path.exists(settings):
        with open(settings) as text:
            memory, xen, dom0 = text.read().split("\n")[:3]
        it.boot(memory_mib=int(memory), xen=xen, dom0=dom0)
        PidFile(os.path.join(home, "pid")).write(it.process.pid)
        wait_ssh(lab, host, 600)
        ready = "until virsh -q -c xen:///system list >/dev/null 2>&1; do sleep 0.5; done"
        ssh(lab, host, ready, timeout=300)
    else:
        it.wake(xen_image.frozen(host))
        PidFile(os.path.join(home, "pid")).write(it.process.pid)
        wait_ssh(lab, host, 120)
    take_up(lab, host, f"{time.time():.3f}")
    open(os.path.join(home, "awake"), "w").close()


def wait_ssh(lab, host, seconds):
    def answers():
        if pid_file(lab, host).read() is None:
            raise LabError(f"{host}: its machine ended, see {lab.log('serial-' + host)}")
        try:
            return "here" in ssh(lab, host, "echo here", check=False, timeout=40)
        except LabError:
            return False  # ssh itself took too long

    wait_for(answers, seconds, f"{host} does not answer ssh, see {lab.log('serial-' + host)}", step=0.1)


def make_cold(lab, host, memory_mib=1024, xen="", dom0=""):
    """From now on the host boots at power on, keeping its disk, with these settings."""
    path = lab.path("hosts", host, "cold")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as out:
        out.write(f"{memory_mib}\n{xen}\n{dom0}\n")


def provide(count, say):
    """Builds and freezes what is missing for so many hosts."""
    with xen_image.locked():
        xen_image.build(say)
        missing = [n for n in range(1, count + 1) if not xen_image.is_frozen(f"xen{n}")]
        if missing:
            say(f"booting and freezing {len(missing)} Xen hosts, once: takes up to four minutes")
            _freeze(missing, say)


def _freeze(numbers, say):
    lab = Lab.create(tempfile.mkdtemp(prefix="/var/tmp/domkeeper-freeze."), max(numbers), 0, "xen")
    try:
        net.up(lab)
        with ThreadPoolExecutor(2) as pool:
            for job in [pool.submit(_freeze_one, lab, f"xen{n}", say) for n in numbers]:
                job.result()
        shutil.rmtree(lab.dir)
    finally:
        for host in lab.hosts:
            pid_file(lab, host).kill()
        net.down(lab)


def _freeze_one(lab, host, say):
    path = xen_image.frozen(host)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    for ending in ("ram", "state", "qcow2"):
        if os.path.exists(f"{path}.{ending}"):
            os.unlink(f"{path}.{ending}")
    began = time.monotonic()
    # QEMU must be started inside the switch's namespace, so this is a process of its own.
    program = os.path.join(HERE, "xen", "host")
    run(*inside(lab.ns("net"), program, "--boot", path + ".ram", lab.dir, host), timeout=60)
    wait_ssh(lab, host, 600)
    say(f"{host} is up after {time.monotonic() - began:.1f} s")
    ssh(lab, host, FROZEN_READY, timeout=300)
    run(os.path.join(HERE, "xen", "host"), "--freeze", path, lab.dir, host, timeout=120)
    open(path + ".complete", "w").close()
    say(f"{host} is frozen after {time.monotonic() - began:.1f} s")
