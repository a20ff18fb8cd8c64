# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads what the guests wrote, from the storage node's own files. Layout: see guest_init.cpp."""

import os
import re
from dataclasses import dataclass, field

SECTOR = 512
FIRST_RECORD = 64
RECORD = re.compile(r"^DK1 (\d+) ([0-9a-f-]{36}) (\d+) ([0-9.]+)$")


@dataclass(frozen=True)
class Record:
    counter: int
    boot: str
    guest_time: int  # seconds since 1970 by the guest's clock
    uptime: float


@dataclass
class DiskReport:
    domain: str
    first: int = 0
    last: int = 0
    boots: list = field(default_factory=list)  # [first record, last record] of each boot, in order
    faults: list = field(default_factory=list)  # texts; empty means that all is well


def _parse(sector):
    match = RECORD.match(sector.rstrip(b"\0").decode("ascii", "replace").strip())
    if not match:
        return None
    return Record(int(match[1]), match[2], int(match[3]), float(match[4]))


def read_head(path):
    """The newest record, or None on a disk never written to."""
    with open(path, "rb") as image:
        return _parse(image.read(SECTOR))


def read_disk(domain, path):
    """All the records on a disk, and everything that is wrong with them."""
    report = DiskReport(domain)
    with open(path, "rb") as image:
        data = image.read()
    ring = len(data) // SECTOR - FIRST_RECORD
    sectors = [data[at : at + SECTOR] for at in range(0, len(data), SECTOR)]
    records = []
    for slot, sector in enumerate(sectors[FIRST_RECORD:]):
        if not sector.strip(b"\0"):
            continue
        record = _parse(sector)
        if record is None:
            report.faults.append(f"slot {slot}: not a record")
        elif record.counter % ring != slot:
            report.faults.append(f"slot {slot}: record {record.counter} stands in a wrong place")
        else:
            records.append(record)
    for sector in sectors[1:FIRST_RECORD]:
        if sector.strip(b"\0"):
            report.faults.append(sector.rstrip(b"\0").decode("ascii", "replace").strip())
    _judge(report, sorted(records, key=lambda r: r.counter), _parse(sectors[0]))
    return report


def _judge(report, records, head):
    if not records:
        report.faults.append("nothing was ever written")
        return
    report.first, report.last = records[0].counter, records[-1].counter
    for before, after in zip(records, records[1:]):
        if after.counter != before.counter + 1:
            report.faults.append(f"counter jumps from {before.counter} to {after.counter}")
        # Beats that a move held up are written at once, in the same hundredth of a second.
        if after.boot == before.boot and after.uptime < before.uptime:
            report.faults.append(f"time runs backwards at {after.counter}")
    for record in records:
        if report.boots and report.boots[-1][0].boot == record.boot:
            report.boots[-1][1] = record
        else:
            if any(first.boot == record.boot for first, _ in report.boots):
                report.faults.append(f"boot {record.boot} writes again at {record.counter}")
            report.boots.append([record, record])
    # The head lags at most by the one record that is written before it.
    if head is None or report.last - head.counter not in (0, 1):
        report.faults.append(f"head says {head.counter if head else 'nothing'}, last is {report.last}")


def read_all(lab):
    return [read_disk(domain, lab.image(domain)) for domain in lab.domains]


def render(reports):
    lines = []
    for report in reports:
        boots = ", ".join(f"{a.counter}-{b.counter}" for a, b in report.boots)
        verdict = "ok" if not report.faults else "; ".join(report.faults[:5])
        lines.append(f"{report.domain:<8} records {boots or '-'}: {verdict}")
    return "\n".join(lines)


def heads(lab):
    """{domain: newest record or None}: cheap enough to be asked many times a second."""
    return {d: read_head(lab.image(d)) for d in lab.domains if os.path.exists(lab.image(d))}
