# SPDX-License-Identifier: GPL-3.0-or-later
"""What the guests boot: Debian's cloud kernel and one program, guest_init, as their user space.

The kernel's package is downloaded and unpacked into a cache folder, never installed. Its compressed
image is unpacked on the machine, since guests run under emulation, where that costs 0.7 s a boot.
"""

import ctypes
import glob
import hashlib
import io
import os
import re
import struct
import subprocess
import tarfile
import tempfile

from .layout import HERE, LabError
from .proc import run

META = "linux-image-cloud-amd64"
MODULES = ("virtio_pci", "virtio_blk", "virtio_console")
# Marks a whole folder; another name when other files of the package are wanted.
COMPLETE = "complete-2"
LZ4_MAGIC = b"\x02\x21\x4c\x18"  # the kernel's "legacy" LZ4 frame
LZ4_BLOCK = 8 << 20
# Emulated hardware needs no hunting, no self-tests and no defence against its own speculation; what
# is left out here halves the boot.
CMDLINE = (
    "console=ttyS0 quiet panic=1 acpi=off mitigations=off tsc=reliable lpj=4000000 no_timer_check "
    "8250.nr_uarts=1 cryptomgr.notests rcupdate.rcu_expedited=1 ipv6.disable=1 apparmor=0 "
    "i8042.noaux audit=0 nowatchdog init_on_alloc=0 rodata=off io_delay=none hardened_usercopy=off "
    "cgroup_disable=memory initcall_blacklist=init_kprobe_trace,init_blk_tracer,crypto_kdf108_init"
)


def cache_folder():
    base = os.environ.get("XDG_CACHE_HOME") or "/var/cache"
    folder = os.path.join(base, "domkeeper-lab")
    os.makedirs(folder, exist_ok=True)
    return folder


def cached():
    """The folder with an unpacked kernel, or None when none was fetched yet."""
    found = glob.glob(os.path.join(cache_folder(), "kernel-*", COMPLETE))
    return os.path.dirname(max(found, key=os.path.getmtime)) if found else None


def fetch():
    """The folder with `vmlinux` and `modules/`, downloaded when it is not in the cache."""
    have = cached()
    if have:
        return have
    depends = run("apt-cache", "depends", META)
    match = re.search(r"Depends: (linux-image-\S+-cloud-\S+)", depends)
    if not match:
        raise LabError(f"apt knows no {META}; run apt-get update first")
    folder = os.path.join(cache_folder(), "kernel-" + match.group(1))
    with tempfile.TemporaryDirectory(dir=cache_folder()) as work:
        os.chmod(work, 0o777)  # apt downloads as a user of its own
        done = subprocess.run(
            ["apt-get", "download", match.group(1)], cwd=work, capture_output=True, text=True
        )
        debs = glob.glob(work + "/*.deb")
        if done.returncode != 0 or not debs:
            raise LabError(f"apt-get download {match.group(1)}: {done.stderr.strip()}")
        _unpack(debs[0], folder)
    return folder


def _unpack(deb, folder):
    os.makedirs(os.path.join(folder, "modules"), exist_ok=True)
    image = None
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb], stdout=subprocess.PIPE) as stream:
        with tarfile.open(fileobj=stream.stdout, mode="r|") as tar:
            for member in tar:
                name = os.path.basename(member.name)
                if not member.isfile():
                    continue
                if name.startswith("vmlinuz-"):
                    image = tar.extractfile(member).read()
                elif re.search(r"/drivers/((virtio|block)/[^/]+|char/virtio_console)\.ko$",
                                 member.name):
                    with open(os.path.join(folder, "modules", name), "wb") as out:
                        out.write(tar.extractfile(member).read())
    if image is None:
        raise LabError(f"{deb}: no kernel in it")
    with open(os.path.join(folder, "vmlinux"), "wb") as out:
        out.write(_uncompressed(image))
    open(os.path.join(folder, COMPLETE), "w").close()


def _uncompressed(image):
    """The ELF kernel out of a bzImage; the bzImage itself when it is not packed with LZ4."""
    at = image.find(LZ4_MAGIC)
    try:
        unpack = ctypes.CDLL("liblz4.so.1").LZ4_decompress_safe
    except OSError:
        return image
    out, at = bytearray(), at + len(LZ4_MAGIC)
    block = ctypes.create_string_buffer(LZ4_BLOCK)
    while at + 4 <= len(image):
        (size,) = struct.unpack_from("<I", image, at)
        got = unpack(image[at + 4 : at + 4 + size], block, size, LZ4_BLOCK)
        if got < 0:
            return image
        out += block.raw[:got]
        at += 4 + size
        if got < LZ4_BLOCK:
            break
    return bytes(out) if out.startswith(b"\x7fELF") else image


def _module_order(folder):
    """The wanted modules, each after those it depends on (read from the modules themselves)."""
    order = []

    def add(name):
        path = os.path.join(folder, "modules", name + ".ko")
        if name in order or not os.path.exists(path):
            return  # built into the kernel
        with open(path, "rb") as file:
            match = re.search(rb"\0depends=([^\0]*)\0", file.read())
        for needed in (match.group(1).decode() if match else "").split(","):
            if needed:
                add(needed)
        order.append(name)

    for module in MODULES:
        add(module)
    return order


def _cpio(entries):
    """A "newc" archive, see the kernel's Documentation/driver-api/early-userspace/buffer-format."""
    out = io.BytesIO()
    for inode, (name, mode, data) in enumerate([*entries, ("TRAILER!!!", 0, b"")], 1):
        raw = name.encode() + b"\0"
        fields = (inode, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(raw), 0)
        out.write(b"070701" + b"".join(b"%08x" % field for field in fields) + raw)
        out.write(b"\0" * (-out.tell() % 4))
        out.write(data + b"\0" * (-len(data) % 4))
    return out.getvalue()


def _read(path):
    with open(path, "rb") as file:
        return file.read()


def _compiled(name, *options):
    """The path of a program of this folder, compiled; kept in the cache until its source changes."""
    source = os.path.join(HERE, name + ".cpp")
    digest = hashlib.sha256(_read(source)).hexdigest()[:16]
    program = os.path.join(cache_folder(), f"{name}-{digest}")
    if not os.path.exists(program):
        part = f"{program}.{os.getpid()}"
        run("g++", "-std=c++17", "-O2", "-s", "-o", part, source, *options)
        os.rename(part, program)
    return program


def init_program():
    return _compiled("guest_init", "-static")


def registrar():
    return _compiled("registrar", "-shared", "-fPIC", "-liscsi")


def initiator():
    return _compiled("initiator", "-liscsi")


def build(folder):
    """Puts `vmlinux` and `initrd` into the lab's folder."""
    source = fetch()
    os.makedirs(folder, exist_ok=True)
    order = _module_order(source)
    entries = [(d, 0o40755, b"") for d in ("proc", "dev", "lib", "lib/modules")]
    entries += [
        ("init", 0o100755, _read(init_program())),
        ("lib/modules/order", 0o100644, "".join(m + ".ko\n" for m in order).encode()),
    ]
    for module in order:
        data = _read(os.path.join(source, "modules", module + ".ko"))
        entries.append((f"lib/modules/{module}.ko", 0o100644, data))
    with open(os.path.join(folder, "initrd"), "wb") as out:
        out.write(_cpio(entries))
    with open(os.path.join(folder, "vmlinux"), "wb") as out:
        out.write(_read(os.path.join(source, "vmlinux")))
