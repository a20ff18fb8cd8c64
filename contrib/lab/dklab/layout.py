# SPDX-License-Identifier: GPL-3.0-or-later
"""Names, addresses and folders of one lab: the only place that knows them."""

import json
import os
import secrets
import tempfile

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
RUN_PREFIX = "/var/tmp/domkeeper-demo."
NAME_PREFIX = "/var/tmp/domkeeper-xenlab."
# A lab host mounts its own file systems over these, so the lab's folder can't stand there.
HIDDEN_FROM_HOSTS = ("/run", "/var/run", "/var/lib", "/var/log", "/var/cache", "/proc", "/sys")

WITNESS = "10.77.0.254"
MONITOR = "10.77.0.250"
MONITOR_ON_SAN = "10.78.0.250"
STORAGE = "10.78.0.254"
PDU = "10.77.0.200"
IQN = "iqn.2026-01.org.domkeeper.lab"
BMC_USER = "fence"


class LabError(Exception):
    """Something of the lab could not be done; the text is for the user."""


class Lab:
    """One lab, with its state in one folder.

    `kind` is what its hosts are: "kvm" (namespaces with libvirtd and QEMU) or "xen" (virtual
    machines with Xen). `disks` tells for each domain what its disk stands on: "iscsi" or "aoe";
    `types` what a domain is: "hvm" on kvm, "pv" or "pvh" on xen; `nics` are those with a network
    interface. `strip`: a power strip feeds the hosts. `keys`: kvm hosts register a reservation key on
    each disk that they open, the monitor reaches the storage network, and no lease stands between two
    writers: what a storage fence needs and what it is alone with."""

    def __init__(self, folder, data):
        self.dir = folder
        self.kind = data["kind"]
        self.id = data["id"]
        self.hosts = data["hosts"]
        self.domains = data["domains"]
        self.passwords = data["passwords"]
        self.disks = data["disks"]
        self.types = data["types"]
        self.nics = data.get("nics", [])
        self.strip = data.get("strip", self.kind == "xen")
        self.keys = data.get("keys", False)

    @classmethod
    def create(cls, folder=None, host_count=3, domain_count=6, kind="kvm", strip=False, keys=False):
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
        hosts = [("xen" if kind == "xen" else "host") + str(n) for n in range(1, host_count + 1)]
        data = {"kind": kind, "id": ident, "hosts": hosts, "domains": [], "disks": {}, "types": {}, "nics": []}
        data["passwords"] = {host: secrets.token_hex(6) for host in hosts}
        data.update(strip=strip or kind == "xen", keys=keys)
        lab = cls(folder, data)
        for number in range(domain_count):
            # On Xen two domains have PVH on AoE and PV on iSCSI, four have all there is.
            row, column = divmod(number, host_count)
            lab.add_domain(
                f"web{number + 1}",
                "hvm" if kind == "kvm" else ("pvh", "pv")[(row + column) % 2],
                "iscsi" if kind == "kvm" else ("aoe", "iscsi")[column % 2],
            )
        os.makedirs(lab.path("log"), exist_ok=True)
        lab.save()
        return lab

    def add_domain(self, name, kind, disk, nic=False):
        if name in self.domains:
            raise LabError(f"a domain {name} is there already")
        self.domains.append(name)
        self.types[name] = kind
        self.disks[name] = disk
        if nic:
            self.nics.append(name)

    def save(self):
        names = ("kind", "id", "hosts", "domains", "passwords", "disks", "types", "nics", "strip", "keys")
        path = self.path("lab.json")
        with open(os.open(path + ".new", os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as out:
            json.dump({name: getattr(self, name) for name in names}, out)
        os.rename(path + ".new", path)

    @classmethod
    def load(cls, folder):
        try:
            with open(os.path.join(folder, "lab.json")) as text:
                data = json.load(text)
        except OSError as error:
            raise LabError(f"{folder}: no lab there ({error.strerror})") from error
        return cls(os.path.realpath(folder), data)

    def patience(self, seconds):
        """How long to wait for what takes a kvm lab at most so long: emulated hosts do everything
        many times slower, and share the machine's processors with whatever else it does."""
        return seconds * 8 if self.kind == "xen" else seconds

    def path(self, *parts):
        return os.path.join(self.dir, *parts)

    def log(self, name):
        return self.path("log", name)

    def ns(self, node):
        """The network namespace of a node: bmc-HOST, net, storage, monitor; on kvm a host; pdu where
        there is a strip."""
        return f"dk-{self.id}-{node}"

    def nodes(self):
        own = ["pdu"] if self.strip else []
        own += self.hosts if self.kind == "kvm" else []
        return ["net", "storage", "monitor", *own, *("bmc-" + h for h in self.hosts)]

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

    def key(self, host):
        """The host's key on disks that are reserved by SCSI-3 persistent reservations."""
        return hex(0xA0 + self.number(host))

    def uri(self, host):
        driver = "xen" if self.kind == "xen" else "qemu"
        return f"{driver}+tcp://{self.address(host)}/system"

    def image(self, domain):
        return self.path("storage", domain + ".img")

    def aoe_address(self, domain):
        """Shelf and slot of a domain's AoE disk."""
        number = self.domains.index(domain) + 1
        return 1 + number // 16, number % 16

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
