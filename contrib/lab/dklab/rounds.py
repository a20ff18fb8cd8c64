# SPDX-License-Identifier: GPL-3.0-or-later
"""Rounds of deaths: each on a cluster that is whole and calm, with what must hold after each."""

import time

from . import cluster, deaths, disks, domains, floor, hosts, site
from .layout import LabError


class Rounds:
    """Deaths in turn on one lab. `boots` are the guests' boot ids as they are now: a guest may begin
    anew only when its host died."""

    def __init__(self, lab, say, boots):
        self.lab = lab
        self.say = say
        self.boots = dict(boots)
        self.deaths = []
        self.turn = 0

    def play(self, worker, attempts, count):
        """`count` deaths of each kind under Nagios with so many attempts."""
        if worker == "floor":
            floor.prepare(self.lab)  # Nagios wants the handler to be there
        site.start_monitor(self.lab, attempts, worker == "floor")
        what = "domkeeper" if worker == "domkeeper" else "a bare script, to compare with"
        self.say(f"Nagios runs: {attempts} attempts, handler: {what}")
        for number in range(count):
            for kind in deaths.KINDS:
                self.one(worker, attempts, kind, deaths.phase(number, count))

    def one(self, worker, attempts, kind, fraction):
        """One death of the next host, until the cluster is whole again."""
        lab = self.lab
        host = lab.hosts[self.turn % len(lab.hosts)]
        self.turn += 1
        site.wait_calm(lab)
        if worker == "floor":
            floor.prepare(lab)  # on Xen the domains stay where the last death brought them
        victims = [domain for domain, at in cluster.where(lab).items() if at == [host]]
        death = deaths.Death(kind, host, attempts, worker, victims)
        self.deaths.append(death)
        how = "loses its power" if kind == "cut" else "hangs: off the network, its guests write on"
        self.say(f"{host} {how}")
        deaths.happen(lab, death, fraction)
        (deaths.read_floor if worker == "floor" else deaths.read_journal)(lab, death)
        self._judge_boots(death)
        start, total = death.after(death.start), death.total
        self.say(
            f"{', '.join(victims)}: first start after {start:.2f} s, all write after {total:.2f} s"
            if start is not None
            else f"{', '.join(victims)}: no start was told of"
        )
        self._rejoin(host)
        return death

    def _rejoin(self, host):
        began = time.monotonic()
        before = disks.heads(self.lab)
        if self.lab.kind == "xen":
            # The next death is of the host where they run now, so nothing has to move.
            hosts.heal(self.lab, host)
            self.say(f"{host} is back ({time.monotonic() - began:.1f} s)")
            return
        moves = site.rejoin(self.lab, host)
        cluster.wait_writing(self.lab, before, 60)
        self.say(
            f"{host} is back; {', '.join(m[1] for m in moves)} came home by live migration "
            f"({time.monotonic() - began:.1f} s)"
        )

    def _judge_boots(self, death):
        """Only the dead host's guests may have begun anew."""
        for domain, head in disks.heads(self.lab).items():
            if domain not in death.victims and head.boot != self.boots[domain]:
                death.faults.append(f"{domain} was started anew, though its host lived")
            self.boots[domain] = head.boot


def judge(lab):
    """Every domain on exactly one host, by processes and by libvirt; every disk sound."""
    faults = []
    listed = {host: domains.listed(lab, host) for host in lab.hosts if hosts.alive(lab, host)}
    for domain, at in cluster.where(lab).items():
        by_libvirt = [host for host, names in listed.items() if domain in names]
        if len(at) != 1:
            faults.append(f"{domain} runs on {', '.join(at) or 'no host'}")
        if by_libvirt != at:
            faults.append(f"{domain}: libvirt says it is on {', '.join(by_libvirt) or 'no host'}")
    before = disks.heads(lab)
    try:
        cluster.wait_writing(lab, before, lab.patience(20))
    except LabError as error:
        faults.append(str(error))
    for disk in disks.read_all(lab):
        faults += [f"disk of {disk.domain}: {fault}" for fault in disk.faults]
    return faults
