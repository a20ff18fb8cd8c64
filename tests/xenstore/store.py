# SPDX-License-Identifier: GPL-3.0-or-later
"""A client of xenstored for the tests, which can also write what no honest guest writes."""
import socket
import struct

CONTROL, DIRECTORY, READ, INTRODUCE, RELEASE, WRITE, REMOVE, SET_PERMS, ERROR = 0, 1, 2, 8, 9, 11, 13, 14, 16


class Refused(Exception):
    """The daemon's own word for it, such as ENOENT."""


class Store:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(10)
        self.socket.connect(path)

    def close(self):
        self.socket.close()

    def _take(self, count):
        data = b""
        while len(data) < count:
            more = self.socket.recv(count - len(data))
            if not more:
                raise EOFError("xenstored hung up")
            data += more
        return data

    def ask(self, kind, payload):
        self.socket.sendall(struct.pack("=IIII", kind, 1, 0, len(payload)) + payload)
        came, _, _, length = struct.unpack("=IIII", self._take(16))
        body = self._take(length)
        if came == ERROR:
            raise Refused(body.rstrip(b"\0").decode())
        return body

    def write(self, path, value=""):
        value = value if isinstance(value, bytes) else str(value).encode()
        self.ask(WRITE, path.encode() + b"\0" + value)

    def read(self, path):
        return self.ask(READ, path.encode() + b"\0")

    def names(self, path):
        return [name.decode() for name in self.ask(DIRECTORY, path.encode() + b"\0").split(b"\0") if name]

    def remove(self, path):
        try:
            self.ask(REMOVE, path.encode() + b"\0")
        except Refused:
            pass

    def give(self, path, domain):
        """The entry belongs to that domain from now on, and counts for it."""
        self.ask(SET_PERMS, path.encode() + b"\0" + b"n%d\0" % domain)

    def introduce(self, domain):
        self.ask(INTRODUCE, b"%d\0%d\0%d\0" % (domain, 1000 + domain, 1))

    def release(self, domain):
        self.ask(RELEASE, b"%d\0" % domain)

    def control(self, *words):
        return self.ask(CONTROL, b"".join(word.encode() + b"\0" for word in words))

    def device(self, domain, kind, device, state=4, home=0, frontend=4, **more):
        """Both ends of a device."""
        front = f"/local/domain/{domain}/device/{'vif' if kind == 'vif' else 'vbd'}/{device}"
        back = f"/local/domain/{home}/backend/{kind}/{domain}/{device}"
        self.write(f"{back}/frontend", front)
        for key, value in more.items():
            self.write(f"{back}/{key}", value)
        if state is not None:
            self.write(f"{back}/state", state)
        self.write(f"{front}/state", frontend)
        return back

    def guest(self, domain, name):
        """A guest as libxl makes one, with a disk and a network interface."""
        home = f"/local/domain/{domain}"
        self.introduce(domain)
        self.write(f"{home}/name", name)
        self.write(f"{home}/control/shutdown", "")
        self.write(f"/libxl/{domain}/type", "pvh")
        self.device(domain, "vbd", 51712, dev="xvda")
        self.device(domain, "vif", 0, vifname=f"vif{domain}.0")

    def erase(self, domain):
        for path in (f"/local/domain/{domain}", f"/libxl/{domain}",
                     f"/local/domain/0/backend/vbd/{domain}", f"/local/domain/0/backend/vif/{domain}"):
            self.remove(path)
