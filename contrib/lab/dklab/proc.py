# SPDX-License-Identifier: GPL-3.0-or-later
"""Running commands, and keeping track of the processes that the lab started.

A process is known by its pid and its start time, so that a pid used again is never hit.
"""

import os
import signal
import subprocess
import time

from .layout import LabError


def run(*command, stdin=None, check=True, timeout=60, env=None):
    """Runs a command to its end and returns its output; raises LabError when it fails."""
    try:
        done = subprocess.run(
            command,
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=timeout,
            env=env,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LabError(f"{command[0]}: {error}") from error
    if check and done.returncode != 0:
        raise LabError(f"{' '.join(command)}: exit {done.returncode}: {done.stdout.strip()}")
    return done.stdout


def inside(netns, *command):
    """The command line that runs `command` in a named network namespace."""
    return ("nsenter", f"--net=/run/netns/{netns}", *command)


def start_time(pid):
    """The start time of a living process in clock ticks since boot; None when it is gone."""
    try:
        with open(f"/proc/{pid}/stat") as text:
            fields = text.read().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in "ZX" else int(fields[19])


def started_at(pid):
    """The same in seconds since 1970, as exact as a clock tick (10 ms); None when it is gone."""
    ticks = start_time(pid)
    if ticks is None:
        return None
    boot = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    return boot + ticks / os.sysconf("SC_CLK_TCK")


class PidFile:
    """A file with the pid and the start time of one process."""

    def __init__(self, path):
        self.path = path

    def read(self):
        """The pid when that very process lives, else None."""
        try:
            with open(self.path) as text:
                pid, started = (int(word) for word in text.read().split())
        except (FileNotFoundError, ValueError):
            return None
        return pid if start_time(pid) == started else None

    def write(self, pid):
        started = start_time(pid)
        if started is None:
            raise LabError(f"{self.path}: process {pid} ended at once")
        os.makedirs(os.path.dirname(self.path), exist_ok=True)
        with open(self.path + ".new", "w") as out:
            out.write(f"{pid} {started}\n")
        os.rename(self.path + ".new", self.path)

    def signal(self, number):
        """Sends a signal; False when the process is gone."""
        pid = self.read()
        if pid is None:
            return False
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return False
        return True

    def kill(self, seconds=5.0):
        """Kills the process and waits until it is gone."""
        if self.signal(signal.SIGKILL):
            wait_for(lambda: self.read() is None, seconds, f"{self.path}: process does not die")
        try:
            os.unlink(self.path)
        except FileNotFoundError:
            pass


def spawn(pid_path, log_path, *command, env=None):
    """Starts a long-lived process in a session of its own, its output to a log file."""
    with open(log_path, "ab") as log:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=env,
        )
    PidFile(pid_path).write(child.pid)
    return child


def wait_for(true, seconds, what, step=0.01):
    """Waits until `true()` holds; raises LabError(`what`) when time is up."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise LabError(what)
        time.sleep(step)


def namespace_processes(first):
    """(pid, command line as words) of every process in the pid namespace of process `first`."""
    if first is None:
        return []
    found = []
    try:
        space = os.readlink(f"/proc/{first}/ns/pid")
        for name in filter(str.isdigit, os.listdir("/proc")):
            try:
                if os.readlink(f"/proc/{name}/ns/pid") != space:
                    continue
                with open(f"/proc/{name}/cmdline", "rb") as text:
                    words = text.read().decode(errors="replace").split("\0")[:-1]
            except OSError:
                continue  # it ended meanwhile, or is none of ours to read
            found.append((int(name), words))
    except OSError:
        return []
    return found
