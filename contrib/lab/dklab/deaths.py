# SPDX-License-Identifier: GPL-3.0-or-later
"""One death of a host: made at a chosen moment, watched from outside, and told in times. What the
journal of domkeeper says is held against Nagios's log, the processes and the disks."""

import os
import random
import time
from dataclasses import dataclass, field

from . import cluster, disks, floor, hosts, monitor, site
from .layout import LabError

KINDS = ("cut", "hang")
TICK = 0.011  # the kernel tells a process's start to 10 ms
WRITE_LIMIT = 60.0


@dataclass
class Death:
    """All times are seconds since 1970; None where it did not happen (yet)."""

    kind: str
    host: str
    attempts: int
    worker: str  # "domkeeper" or "floor"
    victims: list  # the domains that ran there
    at: float = 0.0
    hard: float = None  # Nagios's log says DOWN HARD
    begun: float = None  # the worker's first entry, or the floor handler's
    look: float = 0.0  # how long the second look took
    off: float = None  # proved
    start: float = None  # the first start is issued
    started: float = None  # the last start is done: libvirt says that the domain runs
    killed: float = None  # the mains switch: its processes are killed
    runs: dict = field(default_factory=dict)  # domain: (host, start of its new QEMU process)
    writes: dict = field(default_factory=dict)  # domain: its first new record
    faults: list = field(default_factory=list)

    def after(self, when):
        return None if when is None else when - self.at

    @property
    def total(self):
        """When the last domain wrote, in seconds after the death."""
        done = len(self.writes) == len(self.victims)
        return max(self.writes.values()) - self.at if done else None

    @property
    def work(self):
        """All the worker's work: from HARD until libvirt has started the last domain, less the
        second look."""
        if self.hard is None or self.started is None:
            return None
        return self.started - self.hard - self.look

    @property
    def own(self):
        """From HARD to the first start, less the configured second look: the worker's own part."""
        if self.hard is None or self.start is None:
            return None
        configured = site.LOOK_MS[self.attempts] / 1000 if self.worker == "domkeeper" else 0.0
        return self.start - self.hard - min(self.look, configured)


class LogTail:
    """The lines that come to a log file from now on."""

    def __init__(self, path):
        self.path = path
        self.at = os.path.getsize(path) if os.path.exists(path) else 0

    def lines(self):
        try:
            if os.path.getsize(self.path) <= self.at:
                return []
            with open(self.path, "rb") as log:
                log.seek(self.at)
                data = log.read()
        except FileNotFoundError:
            return []
        whole = data[: data.rfind(b"\n") + 1]
        self.at += len(whole)
        return whole.decode(errors="replace").splitlines()


def phase(number, of):
    """A moment within the second for death `number` of `of`: Nagios starts its checks on full
    seconds, so deaths are spread evenly over the second, at random within their share."""
    return (number + random.random()) / of % 1.0


def _sleep_to(fraction):
    now = time.time()
    time.sleep((fraction - now) % 1.0)


def happen(lab, death, fraction):
    """Lets the host die when the clock's seconds stand at `fraction`, and watches until each of its
    domains writes again elsewhere. Raises LabError when that does not come about."""
    before = disks.heads(lab)
    log = LogTail(monitor.nagios_log(lab))
    _sleep_to(fraction)
    death.at = time.time()
    (hosts.cut if death.kind == "cut" else hosts.hang)(lab, death.host)
    _watch(lab, death, before, log)
    _judge_processes(lab, death)


def _watch(lab, death, before, log):
    limit = lab.patience(WRITE_LIMIT)
    end = death.at + limit
    alert = f"HOST ALERT: {death.host};DOWN;HARD;"
    while len(death.writes) < len(death.victims):
        now = time.time()
        if death.hard is None and any(alert in line for line in log.lines()):
            death.hard = now
        for domain in death.victims:
            if domain not in death.writes:
                head = disks.read_head(lab.image(domain))
                if head is not None and head.boot != before[domain].boot:
                    death.writes[domain] = now
        if now > end:
            silent = [d for d in death.victims if d not in death.writes]
            raise LabError(
                f"{death.kind} of {death.host}: {', '.join(silent)} did not write again "
                f"within {limit:.0f} s{_why(lab, death)}"
            )
        # Fine steps until the guests boot: then every look takes time from them.
        time.sleep(0.005 if death.hard is None else 0.02 if lab.kind == "kvm" else 0.1)


def _why(lab, death):
    if death.worker == "floor":
        return ""
    found = site.incidents(lab, death.host, death.at)
    return "".join(f"; incident {i['id']}: {i['state']}: {i['summary']}" for i in found)


def _killed(lab, death):
    with open(lab.log(f"power-{death.host}.log")) as log:
        lines = [line.split(None, 1) for line in log]
    times = [float(at) for at, what in lines if what.strip() == "killed" and float(at) >= death.at]
    return times[0] if times else None


def _judge_processes(lab, death):
    """Where the domains really run, and that none began before the old host's end."""
    death.killed = _killed(lab, death)
    if death.killed is None:
        death.faults.append(f"{death.host} was never without power")
    for host in lab.hosts:
        for domain, pids in hosts.guests(lab, host).items():
            if domain not in death.victims:
                continue
            for pid in pids:
                began = hosts.guest_began(lab, host, pid)
                if began is None:
                    continue
                death.runs[domain] = (host, began)
                if death.killed is None or began + TICK < death.killed:
                    death.faults.append(f"{domain} began on {host} before {death.host} was off")
    for domain, at in cluster.where(lab).items():
        if len(at) != 1:
            death.faults.append(f"{domain} runs on {', '.join(at) or 'no host'}")


def read_floor(lab, death):
    """Fills in the times from the floor handler's log."""
    events = [(at, words) for at, host, words in floor.events(lab) if host == death.host]
    created = 0
    for at, words in events:
        if at < death.at:
            continue
        if words[0] == "handler" and death.begun is None:
            death.begun = at
        elif words[0] == "off" and death.off is None:
            death.off = at
        elif words[0] == "start" and death.start is None:
            death.start = at
        elif words[0] == "created":
            created += 1
            # Before the last one it is not done, and if one fails it never is.
            death.started = at if created == len(death.victims) else None


def read_journal(lab, death):
    """Fills in the times from domkeeper's incident, once it is closed; faults when there is not
    exactly one, or it did not end well."""
    found = site.wait_closed(lab, death.host, death.at)
    if len(found) != 1:
        death.faults.append(f"{len(found)} incidents were opened for one death")
    incident = found[0]
    if incident["state"] != "recovered":
        death.faults.append(f"incident {incident['id']} {incident['state']}: {incident['summary']}")
    entries = incident["timeline"]
    times = {}
    for entry in entries:
        kind, step = entry["kind"], entry["step"]
        if kind == "outcome" and step == "fence" and not entry["ok"]:
            continue
        times.setdefault((kind, step), entry["at"])
        if (kind, step, entry["ok"]) == ("outcome", "start", True):
            death.started = entry["at"]
    death.begun = entries[0]["at"]
    death.off = times.get(("outcome", "fence"))
    death.start = times.get(("intent", "start"))
    looked = times.get(("outcome", "look"))
    if looked is not None:
        death.look = looked - times[("intent", "look")]
    if death.off is None or death.start is None or death.start < death.off:
        death.faults.append(f"incident {incident['id']}: a start without a proof before it")
    for domain in death.victims:
        issued = [e for e in entries if (e["kind"], e["step"]) == ("intent", "start")]
        count = sum(e["domain"] == domain for e in issued)
        if count != 1:
            death.faults.append(f"incident {incident['id']}: {count} starts of {domain}")
