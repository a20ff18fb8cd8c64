# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole lab up and down."""

import os
import shutil
import time
from concurrent.futures import ThreadPoolExecutor

from . import bmc, disks, domains, hosts, kernel, kvm_hosts, monitor, net, pdu, storage, xen_hosts
from .layout import HERE, LabError
from .proc import wait_for


def packages(kind):
    """The lab's own packages; the Xen lab needs all that the kvm lab needs, and more."""
    found = []
    for name in ("kvm", "xen") if kind == "xen" else ("kvm",):
        with open(os.path.join(HERE, name, "packages")) as text:
            found += [line.strip() for line in text if line.strip() and not line.startswith("#")]
    return found


def missing_packages(kind):
    """The packages of the list that are not installed."""
    import subprocess  # asks dpkg, whose exit code says only that some are missing

    query = ["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *packages(kind)]
    done = subprocess.run(query, capture_output=True, text=True)
    have = {line.split()[0] for line in done.stdout.splitlines() if line.endswith(" installed")}
    return [name for name in packages(kind) if name not in have]


def check_machine(kind="kvm"):
    if os.geteuid() != 0:
        raise LabError("the lab needs root: it makes network namespaces and mounts")
    missing = missing_packages(kind)
    if missing:
        raise LabError("packages are missing: apt-get install " + " ".join(missing))


def up(lab, say):
    """Brings up networks, storage, BMCs, hosts and the monitor's node; no guests yet."""
    if lab.kind == "xen":
        xen_hosts.provide(len(lab.hosts), say)
    else:
        kernel.build(lab.path("guest"))
        if lab.keys:
            # Before two hosts compile them at once.
            kernel.registrar()
            kernel.initiator()
    net.up(lab)
    say("networks are up")
    monitor.up(lab)
    domains.write_all(lab)
    for host in lab.hosts:
        bmc.up(lab, host)
    if lab.strip:
        pdu.up(lab)
    if lab.kind == "xen":
        # A host takes up its disks when it wakes.
        storage.up(lab)
        say("storage node is up")
    with ThreadPoolExecutor() as pool:
        jobs = [pool.submit(hosts.up, lab, host) for host in lab.hosts]
        if lab.kind == "kvm":
            storage.up(lab)
            say("storage node is up")
        for job in jobs:
            job.result()
    if lab.kind == "kvm":
        kvm_hosts.remember_capabilities(lab)
    say(f"{len(lab.hosts)} hosts are up")


def start_domains(lab, seconds=None, only=None):
    """Starts every domain on its home, or on the host `only`, and waits until each has written to its
    disk."""
    before = disks.heads(lab)

    def start(host):
        for domain in lab.domains:
            if (only or lab.home(domain)) == host:
                domains.create(lab, host, domain)

    with ThreadPoolExecutor() as pool:
        for job in [pool.submit(start, host) for host in lab.hosts]:
            job.result()
    wait_writing(lab, before, seconds or lab.patience(90))


def wait_writing(lab, before, seconds):
    """Waits until every domain has written a record newer than in `before`."""

    def all_wrote():
        now = disks.heads(lab)
        return all(now[d] is not None and now[d] != before.get(d) for d in lab.domains)

    wait_for(all_wrote, seconds, "some domain does not write to its disk", step=0.1)


def down(lab, keep_logs=True):
    """Ends everything and removes the lab's folder but its logs. Never gives up half way."""
    errors = []
    steps = [lambda: monitor.down(lab), lambda: storage.down(lab), lambda: pdu.down(lab)]
    steps += [lambda h=h: bmc.down(lab, h) for h in lab.hosts]
    steps += [lambda: hosts.down(lab), lambda: net.down(lab)]
    for step in steps:
        try:
            step()
        except (LabError, OSError) as error:
            errors.append(str(error))
    if errors:
        raise LabError("; ".join(errors))
    for name in os.listdir(lab.dir):
        path = lab.path(name)
        if keep_logs and name == "log":
            continue
        shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)
    if not keep_logs:
        os.rmdir(lab.dir)


def where(lab):
    """{domain: hosts where it runs}, read from the kernel or the hypervisor."""
    found = {domain: [] for domain in lab.domains}
    with ThreadPoolExecutor() as pool:
        seen = list(pool.map(lambda host: hosts.guests(lab, host), lab.hosts))
    for host, guests in zip(lab.hosts, seen):
        for domain, running in guests.items():
            found.setdefault(domain, []).extend([host] * len(running))
    return found


def status(lab):
    lines = [f"lab {lab.id} in {lab.dir}"]
    for host in lab.hosts:
        power = "on" if hosts.alive(lab, host) else "off"
        lines.append(f"{host}  {lab.address(host):<12} power {power:<4} BMC {lab.bmc_address(host)}")
    for domain, at in where(lab).items():
        head = disks.read_head(lab.image(domain))
        age = time.time() - os.stat(lab.image(domain)).st_mtime
        wrote = f"counter {head.counter}, {age:.1f} s ago" if head else "never wrote"
        lines.append(f"{domain:<8} on {', '.join(at) or 'no host':<16} {wrote}")
    return "\n".join(lines)
