# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Xen host boots, built once and kept in a cache outside the clone: $DOMKEEPER_CACHE/xen-lab,
by default /var/cache/domkeeper/xen-lab. Its folder is named by a hash of the recipe."""

import fcntl
import hashlib
import os
import shutil
import subprocess
from contextlib import contextmanager

from . import kernel
from .layout import HERE, LabError

RECIPE = ("image", "dom0-packages", "certificates", "dom0-init", "dom0-settings")
NEED_BYTES = 6 << 30
MACHINE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "xen_machine.py")


def cache_folder():
    folder = os.path.join(os.environ.get("DOMKEEPER_CACHE") or "/var/cache/domkeeper", "xen-lab")
    os.makedirs(folder, exist_ok=True)
    return folder


def _hash(paths, *texts):
    digest = hashlib.sha256()
    for path in paths:
        with open(path, "rb") as file:
            digest.update(file.read() + b"\0")
    for text in texts:
        digest.update(text.encode())
    return digest.hexdigest()[:12]


def folder():
    """Where the image of today's recipe is or will be."""
    paths = [os.path.join(HERE, "xen", name) for name in RECIPE]
    paths.append(os.path.join(HERE, "guest_init.cpp"))
    return os.path.join(cache_folder(), "image-" + _hash(paths))


def frozen(host):
    """The path of a frozen host's files but for their endings. A frozen machine can be woken by the
    QEMU that froze it alone."""
    version = subprocess.run(["qemu-system-x86_64", "--version"], capture_output=True, text=True)
    return os.path.join(folder(), "frozen-" + _hash([MACHINE], version.stdout), host)


def is_frozen(host):
    return os.path.exists(frozen(host) + ".complete")


@contextmanager
def locked():
    """One builder at a time; who waits finds it built."""
    with open(os.path.join(cache_folder(), "lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def build(say):
    """Builds the image when it is not there. Call with the lock held."""
    if os.path.exists(os.path.join(folder(), "dom0.raw")):
        return
    free = shutil.disk_usage(cache_folder()).free
    say(
        f"building what Xen hosts boot, once, in {cache_folder()}: takes two to four minutes, root, "
        f"the network and about {NEED_BYTES >> 30} GiB of disk ({free >> 30} GiB are free)"
    )
    if free < NEED_BYTES:
        raise LabError(f"{cache_folder()}: only {free >> 30} GiB of disk are free")
    program = kernel.init_program()
    command = [os.path.join(HERE, "xen", "image"), folder(), cache_folder(), program]
    if subprocess.run(command, stdin=subprocess.DEVNULL).returncode != 0:
        raise LabError("the image of the Xen hosts could not be built")
    clean(say)


def clean(say, everything=False):
    """Removes what older recipes left; with `everything` today's too."""
    for name in os.listdir(cache_folder()):
        path = os.path.join(cache_folder(), name)
        old = name.startswith("image-") and path != folder()
        if (old or everything) and os.path.isdir(path) and not _in_use(path):
            say(f"removing {path}")
            shutil.rmtree(path)
        elif everything and name.startswith("dom0-"):
            os.unlink(path)


def _in_use(path):
    """Whether a process has a file of it open."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            files = [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]
        except OSError:
            continue
        if any(file.startswith(path + "/") for file in files):
            return True
    return False
