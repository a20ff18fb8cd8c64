# SPDX-License-Identifier: GPL-3.0-or-later
"""How regularly guests write: every guest writes a record each second, and when a record shows on the
storage node is noted within a hundredth of a second."""

import threading
import time

from . import disks

PERIOD = 1.0  # of the guests, see guest_init.cpp


class Beats:
    """Watches all disks of a lab while it is open."""

    def __init__(self, lab):
        self.lab = lab
        self.seen = {domain: [] for domain in lab.domains}  # (when it showed, counter, boot)
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        self._thread.join()

    def _watch(self):
        while not self._end.is_set():
            for domain, head in disks.heads(self.lab).items():
                beats = self.seen[domain]
                if head is not None and (not beats or beats[-1][1] != head.counter):
                    beats.append((time.monotonic(), head.counter, head.boot))
            time.sleep(0.01)

    def lateness(self):
        """{domain: by how many seconds its latest beat missed its second}. Beats that were never
        seen count by the time that they took together."""
        worst = {}
        for domain, beats in self.seen.items():
            gaps = [
                (b[0] - a[0]) - PERIOD * (b[1] - a[1]) for a, b in zip(beats, beats[1:])
            ]
            worst[domain] = max(gaps, default=float("inf"))
        return worst

    def story(self):
        """All beats, for those who must find out what was late."""
        lines = []
        for domain, beats in self.seen.items():
            first = beats[0][0] if beats else 0.0
            lines.append(domain + " " + " ".join(f"{b[1]}@{b[0] - first:.2f}" for b in beats))
        return "; ".join(lines)

    def boots(self):
        """{domain: how many times it was seen booted}."""
        return {d: len({beat[2] for beat in beats}) for d, beats in self.seen.items()}
