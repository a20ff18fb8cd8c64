# SPDX-License-Identifier: GPL-3.0-or-later
"""The virtual machine that is a Xen host: QEMU under software emulation, booted afresh or woken from
a frozen state. A change here makes frozen machines useless, so they are named by this file's hash.

Emulation needs no processor with virtualisation, and QEMU emulates AMD's, so PVH guests run as well
as PV ones. Without -smap,-smep dom0 dies early; without -rdtscp PVH guests die. Without eager-fpu Xen
gives a guest its vector registers only when it uses them, and emulation misses some of these uses:
a program then goes on with another's registers (seen: keys refused, files spoiled, crashes)."""

import json
import os
import socket
import subprocess
import time

MEMORY_MIB = 1024
DOM0_MIB = 384
XEN = (
    "console=com1 com1=115200,8n1 dom0_mem={dom0}M,max:{dom0}M dom0_max_vcpus=1 spec-ctrl=no,eager-fpu xpti=no "
    "pcid=no sched=credit smt=off no-real-mode loglvl=warning guest_loglvl=warning {extra}"
)
DOM0 = (
    "console=hvc0 lab.number={number} mitigations=off quiet loglevel=4 nokaslr audit=0 "
    "random.trust_cpu=on net.ifnames=0 {extra}"
)


class MachineError(Exception):
    """QEMU did not do what it was told; the text says what."""


class Machine:
    """One host. `home` is its folder; `image` the folder with what it boots; `taps` the names and
    MACs of its two interfaces, management first."""

    def __init__(self, home, image, number, taps, serial):
        self.home = home
        self.image = image
        self.number = number
        self.taps = taps
        self.serial = serial
        self.process = None

    def _file(self, name):
        return os.path.join(self.home, name)

    def _start(self, memory, share, memory_mib, xen="", dom0="", more=()):
        if memory is None:
            ram = f"memory-backend-ram,id=ram0,size={memory_mib}M"
        else:
            ram = f"memory-backend-file,id=ram0,size={memory_mib}M,mem-path={memory},share={share}"
        xen = XEN.format(dom0=DOM0_MIB, extra=xen)
        dom0 = DOM0.format(number=self.number, extra=dom0).replace(",", ",,")
        command = ["qemu-system-x86_64", "-name", f"xen{self.number}"]
        command += ["-machine", "q35,memory-backend=ram0", "-object", ram, "-accel", "tcg"]
        command += ["-cpu", "max,-smap,-smep,-rdtscp", "-smp", "1", "-m", str(memory_mib)]
        command += ["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"]
        command += ["-kernel", f"{self.image}/xen", "-append", xen]
        command += ["-initrd", f"{self.image}/vmlinux {dom0},{self.image}/initrd"]
        disk = f"file={self._file('disk.qcow2')},format=qcow2,cache=unsafe,discard=unmap"
        command += ["-drive", f"if=none,id=d0,{disk}", "-device", "virtio-blk-pci,drive=d0"]
        for index, (tap, mac) in enumerate(self.taps):
            command += ["-netdev", f"tap,id=n{index},ifname={tap},script=no,downscript=no"]
            command += ["-device", f"virtio-net-pci,netdev=n{index},mac={mac},romfile="]
        command += ["-device", "virtio-rng-pci"]
        command += ["-chardev", f"file,id=s0,path={self.serial},append=on", "-serial", "chardev:s0"]
        command += ["-qmp", f"unix:{self._file('qmp')},server=on,wait=off", *more]
        if os.path.exists(self._file("qmp")):
            os.unlink(self._file("qmp"))
        with open(self._file("qemu.log"), "ab") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        self.attach()

    def attach(self):
        """Speaks to the machine's QEMU, which another process may have started."""
        self.qmp = socket.socket(socket.AF_UNIX)
        self.qmp.settimeout(60)
        end = time.monotonic() + 20
        while True:
            try:
                self.qmp.connect(self._file("qmp"))
                break
            except OSError as error:
                if (self.process and self.process.poll() is not None) or time.monotonic() > end:
                    raise MachineError(f"QEMU does not run: {error}") from error
                time.sleep(0.01)
        self.lines = self.qmp.makefile("r")
        self.lines.readline()  # the greeting
        self.tell("qmp_capabilities")

    def tell(self, command, **arguments):
        """Runs a QMP command and returns what QEMU says."""
        words = {"execute": command, "arguments": arguments}
        self.qmp.sendall(json.dumps(words).encode() + b"\n")
        for line in self.lines:
            said = json.loads(line)
            if "error" in said:
                raise MachineError(f"{command}: {said['error']['desc']}")
            if "return" in said:
                return said["return"]
        raise MachineError(f"{command}: QEMU ended")

    def _wait(self, command, key, good, bad=(), seconds=60):
        end = time.monotonic() + seconds
        while True:
            state = self.tell(command).get(key)
            if state in good:
                return
            if state in bad or time.monotonic() > end:
                raise MachineError(f"{command}: {state}")
            time.sleep(0.01)

    def _share_memory(self):
        capability = {"capability": "x-ignore-shared", "state": True}
        self.tell("migrate-set-capabilities", capabilities=[capability])

    def _overlay(self, base, kind):
        command = ["qemu-img", "create", "-q", "-f", "qcow2", "-F", kind, "-b", base]
        subprocess.run([*command, self._file("disk.qcow2")], check=True)

    def boot(self, memory=None, memory_mib=MEMORY_MIB, xen="", dom0=""):
        """Power on as on a real machine: takes 15 to 25 s until dom0 is up. The disk stays what it
        was. With `memory`, a path, the machine can be frozen."""
        if not os.path.exists(self._file("disk.qcow2")):
            self._overlay(os.path.join(self.image, "dom0.raw"), "raw")
        self._start(memory, "on", memory_mib, xen, dom0)

    def freeze(self, path):
        """Writes the running machine's state and disk beside its memory, and ends it."""
        self.tell("stop")
        self._share_memory()
        self.tell("migrate", uri=f"exec:cat > {path}.state")
        self._wait("query-migrate", "status", ("completed",), ("failed", "cancelled"))
        self.tell("quit")
        try:
            while self.lines.readline():
                pass
        except ConnectionResetError:
            pass  # QEMU has ended
        os.rename(self._file("disk.qcow2"), path + ".qcow2")

    def wake(self, path):
        """Power on by waking a frozen machine: a second. Disk and memory are what they were when it
        was frozen; what it writes goes to its own folder."""
        if os.path.exists(self._file("disk.qcow2")):
            os.unlink(self._file("disk.qcow2"))
        self._overlay(path + ".qcow2", "qcow2")
        self._start(path + ".ram", "off", MEMORY_MIB, more=("-incoming", "defer"))
        self._share_memory()
        self.tell("migrate-incoming", uri=f"exec:cat {path}.state")
        self._wait("query-migrate", "status", ("completed",), ("failed",))
        self.tell("cont")
