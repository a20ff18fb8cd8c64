# SPDX-License-Identifier: GPL-3.0-or-later
"""Names, addresses and folders of one lab: the only place that knows them."""

import json
import os
import secrets
import tempfile

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
RUN_PREFIX = "/var/tmp/domkeeper-demo."
# A lab host mounts its own file systems over these, so the lab's folder can't stand there.
HIDDEN_FROM_HOSTS = ("/run", "/var/run", "/var/lib", "/var/log", "/var/cache", "/proc", "/sys")

WITNESS = "10.77.0.254"
MONITOR = "10.77.0.250"
STORAGE = "10.78.0.254"
IQN = "iqn.2026-01.org.domkeeper.lab"
BMC_USER = "fence"


class LabError(Exception):
    """Something of the lab could not be done; the text is for the user."""


class Lab:
    """One lab, with its state in one folder."""

    def __init__(self, folder, ident, hosts, domains, passwords):
        self.dir = folder
        self.id = ident
        self.hosts = hosts
        self.domains = domains
        self.passwords = passwords

    @classmethod
    def create(cls, folder=None, host_count=3, domain_count=6):
        """Makes the folder and draws the lab's name; nothing runs yet."""
        if folder is None:
            folder = tempfile.mkdtemp(prefix=RUN_PREFIX)
        folder = os.path.realpath(folder)
        if any(folder == h or folder.startswith(h + "/") for h in HIDDEN_FROM_HOSTS):
            raise LabError(f"{folder}: the lab can't live under {', '.join(HIDDEN_FROM_HOSTS)}")
        if os.path.exists(os.path.join(folder, "lab.json")):
            raise LabError(f"{folder}: a lab is there already (cluster down --dir {folder})")
        os.makedirs(folder, exist_ok=True)
        os.chmod(folder, 0o755)  # the monitor's user reads its files below it
        ident = secrets.token_hex(2)
        while any(n.startswith(f"dk-{ident}-") for n in _namespaces()):
            ident = secrets.token_hex(2)
        hosts = [f"host{n}" for n in range(1, host_count + 1)]
        domains = [f"web{n}" for n in range(1, domain_count + 1)]
        lab = cls(folder, ident, hosts, domains, {h: secrets.token_hex(6) for h in hosts})
        os.makedirs(lab.path("log"), exist_ok=True)
        with open(os.open(lab.path("lab.json"), os.O_CREAT | os.O_WRONLY, 0o600), "w") as out:
            json.dump(
                {"id": ident, "hosts": hosts, "domains": domains, "passwords": lab.passwords}, out
            )
        return lab

    @classmethod
    def load(cls, folder):
        try:
            with open(os.path.join(folder, "lab.json")) as text:
                data = json.load(text)
        except OSError as error:
            raise LabError(f"{folder}: no lab there ({error.strerror})") from error
        folder = os.path.realpath(folder)
        return cls(folder, data["id"], data["hosts"], data["domains"], data["passwords"])

    def path(self, *parts):
        return os.path.join(self.dir, *parts)

    def log(self, name):
        return self.path("log", name)

    def ns(self, node):
        """The network namespace of a node: a host, bmc-HOST, net, storage or monitor."""
        return f"dk-{self.id}-{node}"

    def nodes(self):
        return ["net", "storage", "monitor", *self.hosts, *("bmc-" + h for h in self.hosts)]

    def number(self, host):
        if host not in self.hosts:
            raise LabError(f"no host {host}; there are {', '.join(self.hosts)}")
        return self.hosts.index(host) + 1

    def address(self, host):
        return f"10.77.0.{self.number(host)}"

    def storage_address(self, host):
        return f"10.78.0.{self.number(host)}"

    def bmc_address(self, host):
        return f"10.77.0.{100 + self.number(host)}"

    def uri(self, host):
        return f"qemu+tcp://{self.address(host)}/system"

    def image(self, domain):
        return self.path("storage", domain + ".img")

    def home(self, domain):
        """The host where a domain starts at first: they are dealt out in turn."""
        return self.hosts[self.domains.index(domain) % len(self.hosts)]


def _namespaces():
    try:
        return os.listdir("/run/netns")
    except FileNotFoundError:
        return []


def find_lab(folder=None):
    """The lab in `folder`, else in $DKLAB_DIR, else the only one on this machine."""
    folder = folder or os.environ.get("DKLAB_DIR")
    if folder:
        return Lab.load(folder)
    base = os.path.dirname(RUN_PREFIX)
    name = os.path.basename(RUN_PREFIX)
    found = [
        os.path.join(base, d)
        for d in os.listdir(base)
        if d.startswith(name) and os.path.exists(os.path.join(base, d, "lab.json"))
    ]
    if len(found) != 1:
        what = "no lab is up" if not found else "several labs: " + " ".join(sorted(found))
        raise LabError(f"{what}; say which with --dir")
    return Lab.load(found[0])
