# SPDX-License-Identifier: GPL-3.0-or-later
"""Deaths as a table, their medians and worst, and the verdict on the targets."""

import statistics

from . import site

# The worker's work on Xen against the bare script's: what is slow there is Xen under emulation.
WORK_TARGET = 1.3
START_TARGET = {1: 2.0, 3: 3.5}
WRITE_TARGET = 10.0
OWN_TARGET = 0.2
COLUMNS = ("HARD", "worker", "off", "start", "started", "total")


def _cell(value, width=7):
    return f"{'-':>{width}}" if value is None else f"{value:{width}.2f}"


def _name(death):
    who = "" if death.worker == "domkeeper" else "bare "
    return f"{who}{death.kind} {death.host}"


def line(death):
    """The death in one row: seconds after it."""
    cells = (death.after(death.hard), death.after(death.begun), death.after(death.off))
    row = f"{_name(death):<16}" + "".join(_cell(c) for c in cells)
    row += _cell(death.after(death.start)) + _cell(death.after(death.started)) + _cell(death.total)
    for domain in death.victims:
        host, began = death.runs.get(domain, ("?", None))
        wrote = death.writes.get(domain)
        row += f"  {domain} {host}{_cell(death.after(began), 6)}{_cell(death.after(wrote), 6)}"
    return row


def head():
    names = "".join(f"{name:>7}" for name in COLUMNS)
    return f"{'seconds after':<16}{names}  each domain: new host, it runs, first new write"


def _groups(deaths):
    """Deaths by attempts, worker and kind, in the order they came."""
    groups = {}
    for death in deaths:
        groups.setdefault((death.attempts, death.worker, death.kind), []).append(death)
    return groups


def _middle(values):
    return statistics.median(values) if values else None


def _pick(deaths, read):
    return [value for value in map(read, deaths) if value is not None]


READERS = {
    "HARD": lambda d: d.after(d.hard),
    "worker": lambda d: d.after(d.begun),
    "off": lambda d: d.after(d.off),
    "start": lambda d: d.after(d.start),
    "started": lambda d: d.after(d.started),
    "total": lambda d: d.total,
}


def table(deaths):
    lines = []
    for (attempts, worker, kind), group in _groups(deaths).items():
        what = "domkeeper" if worker == "domkeeper" else "bare script (the floor)"
        lines += ["", f"{what}, {kind}, {attempts} attempt{'s' if attempts > 1 else ''}", head()]
        lines += [line(death) for death in group]
        if len(group) > 1:
            for name, summary in (("median", _middle), ("worst", max)):
                values = (_pick(group, READERS[c]) for c in COLUMNS)
                cells = "".join(_cell(summary(v) if v else None) for v in values)
                lines.append(f"{name:<16}{cells}")
    return "\n".join(lines)


def _verdict(name, got, limit):
    if got is None:
        return f"{'NOT MEASURED':<13}{name}"
    word = "met" if got <= limit else "MISSED"
    return f"{word:<13}{name}: worst {got:.2f} s, target {limit:.2f} s"


def _xen_verdicts(deaths):
    """Of the work of all deaths of a kind, held against the bare script's."""
    lines = []
    for kind in dict.fromkeys(d.kind for d in deaths):
        group = [d for d in deaths if d.kind == kind]
        work = _middle(_pick([d for d in group if d.worker == "domkeeper"], lambda d: d.work))
        bare = _middle(_pick([d for d in group if d.worker == "floor"], lambda d: d.work))
        if not work or not bare:
            lines.append(f"{'NOT MEASURED':<13}work after a {kind}")
            continue
        word = "met" if work <= WORK_TARGET * bare else "MISSED"
        lines.append(
            f"{word:<13}work after a {kind}, HARD to the last domain started, less the look: "
            f"{work:.2f} s; bare script {bare:.2f} s; ratio {work / bare:.2f}, target {WORK_TARGET}"
        )
    return lines, all(text.startswith("met") for text in lines)


def verdicts(lab, deaths):
    """(lines, whether every target was met)."""
    if lab.kind == "xen":
        return _xen_verdicts(deaths)
    lines = []
    real = [d for d in deaths if d.worker == "domkeeper"]
    bare = [d for d in deaths if d.worker == "floor"]
    for attempts in sorted({d.attempts for d in real}, reverse=True):
        group = [d for d in real if d.attempts == attempts]
        of = f"{attempts} attempt{'s' if attempts > 1 else ''}, {len(group)} deaths"
        starts = _pick(group, READERS["start"])
        totals = _pick(group, READERS["total"])
        lines.append(
            _verdict(f"first start issued ({of})", max(starts, default=None), START_TARGET[attempts])
        )
        lines.append(_verdict(f"last guest writes ({of})", max(totals, default=None), WRITE_TARGET))
        for kind in dict.fromkeys(d.kind for d in group):
            floors = _pick([d for d in bare if d.kind == kind], lambda d: d.own)
            owns = _pick([d for d in group if d.kind == kind], lambda d: d.own)
            if not floors or not owns:
                continue
            worst = max(owns) - max(floors)
            middle = _middle(owns) - _middle(floors)
            word = "met" if max(worst, middle) <= OWN_TARGET else "MISSED"
            lines.append(
                f"{word:<13}own part of a {kind} ({of.split(',')[0]}), HARD to first start less the "
                f"look of at most {site.LOOK_MS[attempts]} ms: median {_middle(owns):.3f}, worst "
                f"{max(owns):.3f} s; bare script: median {_middle(floors):.3f}, worst "
                f"{max(floors):.3f} s; target bare + {OWN_TARGET} s"
            )
    return lines, all(not text.startswith(("MISSED", "NOT")) for text in lines)
