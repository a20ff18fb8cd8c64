# SPDX-License-Identifier: GPL-3.0-or-later
"""The guests as libvirt domains, whatever the hosts are made of."""

import os

from . import hosts, kvm_domains, xen_domains


def xml_path(lab, domain):
    return lab.path("domains", domain + ".xml")


def write(lab, domain):
    """Writes a domain's XML and returns its path."""
    os.makedirs(lab.path("domains"), exist_ok=True)
    kind = {"kvm": kvm_domains, "xen": xen_domains}[lab.kind]
    with open(xml_path(lab, domain), "w") as out:
        out.write(kind.xml(lab, domain))
    return xml_path(lab, domain)


def write_all(lab):
    for domain in lab.domains:
        write(lab, domain)


def create(lab, host, domain):
    """Defines a domain on a host and starts it there."""
    with open(xml_path(lab, domain)) as text:
        hosts.virsh(
            lab, host, "define", "/dev/stdin", stdin=text.read(), timeout=lab.patience(60)
        )
    hosts.virsh(lab, host, "start", domain, timeout=lab.patience(60))


def migrate(lab, source, domain, target):
    """Moves a running domain with its definition. What the target still had defined under its name
    is replaced, and the source forgets it. Xen as Debian builds it can't move a PV guest while that
    runs: it is paused for the move."""
    how = ("--persistent", "--undefinesource")
    if lab.types[domain] != "pv":
        how += ("--live",)
    hosts.virsh(lab, source, "migrate", *how, domain, lab.uri(target), timeout=lab.patience(60))


def listed(lab, host, *which):
    """The names that the host's libvirt lists, say with "--inactive"."""
    return hosts.virsh(lab, host, "list", "--name", *which).split()
