# SPDX-License-Identifier: GPL-3.0-or-later
"""domkeeper on a lab's monitor straight from the build tree, without Nagios: for tests that give the
orders and the reports themselves."""

import json
import os
import shutil
import signal
import subprocess

from . import monitor, site
from .layout import LabError
from .proc import namespace_processes, run, wait_for


def program(name):
    """The path of a built program such as "eventhandlers/domkeeper"."""
    build = os.path.join(site.SOURCE, os.environ.get("BUILD", "build"))
    path = os.path.join(build, name)
    if not os.access(path, os.X_OK):
        raise LabError(f"{path} is not built")
    return path


def set_up(lab, policy="", domain_keys=None, text=None):
    """Writes the cluster file and arms. `policy` are further lines of [policy], `domain_keys` lines
    for single domains."""
    site.write_config(lab, 3)
    path = site.config(lab)
    with open(path) as file:
        cluster = file.read()
    cluster = cluster.replace("[policy]\n", "[policy]\n" + policy, 1)
    for domain, keys in (domain_keys or {}).items():
        line = f'name = "{domain}"\n'
        cluster = cluster.replace(line, line + keys + "\n")
    if text is not None:
        cluster = text(cluster)
    with open(path, "w") as file:
        file.write(cluster)
    domkeeper(lab, "arm", "--reason", "lab")


def words(lab, name, *arguments):
    return site.as_nagios(lab, program(name), "--config", site.config(lab), *arguments)


def domkeeper(lab, *arguments, check=True, timeout=300):
    return run(*words(lab, "eventhandlers/domkeeper", *arguments), check=check, timeout=timeout)


def start(lab, *arguments):
    """A domkeeper command in the background."""
    return subprocess.Popen(
        words(lab, "eventhandlers/domkeeper", *arguments),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def ask(lab, *arguments):
    return json.loads(domkeeper(lab, "--json", *arguments))


def record(lab):
    """Lets check_cluster take the record of what runs where."""
    return run(*words(lab, "plugins/check_cluster", "-t", "20"), check=False)


def _report(lab, host, state):
    return run(
        *words(lab, "eventhandlers/handle_host", "--host", host, "--state", state, "--type", "HARD")
    )


def report_down(lab, host):
    """What the monitor would say of a dead host."""
    return _report(lab, host, "DOWN")


def report_up(lab, host):
    """What the monitor would say of a host that is back."""
    return _report(lab, host, "UP")


def take_in(lab, host):
    """The monitor says that a host which was fenced is up; waits until domkeeper has taken it in."""
    report_up(lab, host)
    wait_for(
        lambda: host not in (mark["host"] for mark in ask(lab, "status")["maintenance"]),
        lab.patience(60),
        f"{host} is not taken in",
        step=0.2,
    )


def report_domain(lab, domain, state="CRITICAL", kind="HARD", host=None):
    """What the monitor would say of a failed domain; without one, of those of a host."""
    named = ("--domain", domain) if domain else ("--host", host)
    words_ = words(lab, "eventhandlers/handle_domu", *named, "--state", state, "--type", kind)
    return run(*words_)


def _programs(lab):
    """(pid, whether it works in the background) of domkeeper's processes on the monitor: a
    supervisor leads a session of its own, in which its worker is."""
    sessions = {}
    for pid, line in namespace_processes(monitor.pid_file(lab).read()):
        if line and os.path.basename(line[0]) in ("handle_host", "handle_domu", "domkeeper"):
            try:
                sessions[pid] = os.getsid(pid)
            except ProcessLookupError:
                continue
    return [(pid, session in sessions) for pid, session in sessions.items()]


def workers(lab):
    """Supervisors and their workers."""
    return [pid for pid, background in _programs(lab) if background]


def followers(lab):
    """Commands that somebody waits for."""
    return [pid for pid, background in _programs(lab) if not background]


def kill_workers(lab):
    killed = workers(lab)
    for pid in killed:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    return killed


def incidents(lab, host):
    """All incidents of a host with their timelines, newest first."""
    return [ask(lab, "incident", str(i["id"])) for i in ask(lab, "incidents") if i["host"] == host]


def domain_incidents(lab, domain):
    """All incidents of a domain with their timelines, newest first."""
    return [
        ask(lab, "incident", str(i["id"])) for i in ask(lab, "incidents") if i["domain"] == domain
    ]


def keep_logs(lab):
    """Copies what would go with the lab into its logs, whatever state the lab is in."""
    for path, name in (
        (site.config(lab), "domkeeper.toml"),
        (os.path.join(site.state_dir(lab), "worker.log"), "worker.log"),
    ):
        try:
            shutil.copyfile(path, lab.log(name))
        except OSError:
            continue
    try:
        with open(lab.log("incidents"), "w") as out:
            for incident in reversed(ask(lab, "incidents")):
                out.write("\n" + domkeeper(lab, "incident", str(incident["id"]), timeout=10))
    except (LabError, OSError, ValueError):
        return  # it was not that far yet
