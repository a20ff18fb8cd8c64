# SPDX-License-Identifier: GPL-3.0-or-later
"""The frame of the tests that are written in Python and bring a lab up: cases, what is expected after
each of them, and a lab that goes down again also when the test is interrupted. Import it before dklab,
which is found through it."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import traceback

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "contrib", "lab"))
from dklab import cluster, disks, keeper, monitor, site  # noqa: E402
from dklab.layout import LabError  # noqa: E402
from dklab.proc import namespace_processes, run  # noqa: E402

PROGRAMS = ("plugins/check_cluster", "eventhandlers/handle_host", "eventhandlers/domkeeper")
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Wrong(Exception):
    """What a case found wrong."""


def expect(true, text):
    if not true:
        raise Wrong(text)


def on(lab, host):
    """The domains that run there."""
    return sorted(domain for domain, at in cluster.where(lab).items() if host in at)


def boots(lab):
    """The mark of each guest's last beginning."""
    return {domain: head.boot for domain, head in disks.heads(lab).items()}


def expect_once_each(lab, away_from=None):
    for domain, at in cluster.where(lab).items():
        expect(len(at) == 1, f"{domain} runs on {', '.join(at) or 'no host'}")
        expect(at != [away_from], f"{domain} is still on {away_from}")


def expect_whole_disks(lab):
    for report in disks.read_all(lab):
        expect(not report.faults, f"disk of {report.domain}: {'; '.join(report.faults[:3])}")


def power_told(lab, since):
    """What the BMCs were told to switch since then."""
    told = []
    for host in lab.hosts:
        try:
            with open(lab.log(f"power-{host}.log")) as log:
                told += [f"{host} {line.split(None, 1)[1].strip()}" for line in log
                         if float(line.split(None, 1)[0]) >= since and "BMC told" in line]
        except FileNotFoundError:
            continue
    return told


class Sign:
    """Somebody answers on a port of the monitoring node, as a guest would that gives its sign."""

    def __init__(self, lab, port):
        self.words = monitor.enter(
            lab, sys.executable, "-c",
            f"import socket; s = socket.create_server(('127.0.0.1', {port}))\n"
            "while True: s.accept()[0].close()")

    def __enter__(self):
        self.child = subprocess.Popen(self.words, start_new_session=True)

    def __exit__(self, *_):
        # What brings it onto the monitor has a child of its own.
        os.killpg(self.child.pid, signal.SIGKILL)
        self.child.wait()


class SecretWatch:
    """While it is open, it looks for secrets in the command lines and environments of all processes
    on the monitor; at its end in all files that domkeeper wrote. Leaving it raises Wrong."""

    def __init__(self, lab, secrets):
        self.lab = lab
        self.secrets = [secret.encode() for secret in secrets]
        self.looks = 0
        self.programs = set()
        self.found = set()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, kind, *_):
        self._end.set()
        self._thread.join()
        if kind is not None:
            return
        for folder, _, names in os.walk(site.state_dir(self.lab)):
            for name in names:
                self._search(os.path.join(folder, name), os.path.join(folder, name))
        expect(not self.found, f"a secret is in {'; '.join(sorted(self.found))}")
        expect(self.looks >= 20, f"only {self.looks} looks for secrets")
        expect("handle_host" in self.programs, f"no handler was looked at: {self.programs}")

    def _search(self, path, what):
        try:
            with open(path, "rb") as file:
                text = file.read()
        except OSError:
            return  # it ended meanwhile
        if any(secret in text for secret in self.secrets):
            self.found.add(what)

    def _watch(self):
        while not self._end.wait(0.01):
            for pid, words in namespace_processes(monitor.pid_file(self.lab).read()):
                name = os.path.basename(words[0]) if words else "?"
                self.programs.add(name)
                self._search(f"/proc/{pid}/cmdline", f"the command line of {name}")
                self._search(f"/proc/{pid}/environ", f"the environment of {name}")
            self.looks += 1


def need_program(name):
    if shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin") is None:
        raise LabError(f"{name} is not installed")


def need_overlay():
    run("modprobe", "-q", "overlay", check=False)
    with open("/proc/filesystems") as known:
        if "overlay" not in known.read().split():
            raise LabError("this kernel has no overlay file system, which hosts with AoE disks need")


def try_case(name, work):
    """Whether it passed; says so."""
    began = time.monotonic()
    why = None
    try:
        work()
    except (Wrong, LabError) as error:
        why = str(error)
    except Exception:  # noqa: BLE001 - a test that breaks has failed, and the lab must come down
        why = traceback.format_exc()
    took = f"{time.monotonic() - began:.1f} s"
    print(f"  {'FAILED' if why else 'ok'}  {name} ({took}){': ' + why if why else ''}", flush=True)
    return why is None


def try_until_one_fails(cases, work):
    """How many passed. Where a failure may leave the lab as the next case can't use it, the rest is
    not run, and counts as failed."""
    passed = 0
    for case in cases:
        if not try_case(case.__name__, lambda case=case: work(case)):
            break
        passed += 1
    return passed


def try_and_mend(cases, work, mended):
    """How many passed. Where mended() can't make the lab as the next case must find it after a
    failure, the rest is not run, and counts as failed."""
    passed = 0
    for case in cases:
        if try_case(case.__name__, lambda case=case: work(case)):
            passed += 1
        elif not mended():
            break
    return passed


def wanted(cases):
    """Those named on the command line, or all."""
    return [case for case in cases if len(sys.argv) < 2 or case.__name__ in sys.argv[1:]]


def _interrupted(_number, _frame):
    for each in SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt


def run_lab(lab, cases, run_cases, keep_logs=keeper.keep_logs):
    """How many cases passed of run_cases(lab, cases), which brings the lab up; then it is down."""
    for each in SIGNALS:
        signal.signal(each, _interrupted)
    passed = 0
    try:
        passed = run_cases(lab, cases)
    except LabError as error:
        print(f"  FAILED  {error}")
    finally:
        for each in SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        keep_logs(lab)
        cluster.down(lab, keep_logs=passed < len(cases))
    if passed < len(cases):
        print(f"  logs: {lab.path('log')}")
    return passed


def why_not(kind="kvm", programs=PROGRAMS, need=lambda: None):
    """Why a lab can't be had here; None: it can. `need` throws LabError for what is missing."""
    try:
        cluster.check_machine(kind)
        need()
        for name in programs:
            keeper.program(name)
    except LabError as error:
        return str(error)
    return None


def count(passed, failed, skipped):
    """Prints the last line of a test, and returns its exit code."""
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


def run_file(cases, make_lab, run_cases, keep_logs=keeper.keep_logs, **needs):
    """All of a test with one lab; the exit code."""
    cases = wanted(cases)
    why = why_not(**needs)
    if why:
        print(f"  SKIPPED: {why}")
        return count(0, 0, len(cases))
    passed = run_lab(make_lab(), cases, run_cases, keep_logs)
    return count(passed, len(cases) - passed, 0)


def main(function):
    """Ends the program with what the function returns."""
    try:
        sys.exit(function())
    except KeyboardInterrupt:
        sys.exit(130)
