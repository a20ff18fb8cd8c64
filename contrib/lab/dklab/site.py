# SPDX-License-Identifier: GPL-3.0-or-later
"""domkeeper on the lab's monitor, as a site has it: installed by `make install`, with a cluster file,
secrets and Nagios objects, all run by Nagios's user."""

import json
import os
import shlex
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from . import cluster, disks, domains, floor, hosts, monitor
from .layout import BMC_USER, HERE, WITNESS, LabError
from .proc import run, wait_for

SOURCE = os.path.dirname(os.path.dirname(HERE))
# Nagios counts in whole seconds: with three attempts its worst moment leaves 0.35 s of the target's
# 3.5 s to the worker, which needs 0.1 s beside its look. With one attempt the second look is the
# only second opinion, so it gets the time that is left.
LOOK_MS = {1: 400, 3: 200}
SETTLE = 5
HANDLER = "handle_host"
OBJECTS = ("domkeeper.cfg", "domkeeper-templates.cfg")  # as `make install` names them

MONITOR_OBJECTS = """define command {
    command_name lab_ok
    command_line /bin/true
}
define contact {
    contact_name nobody
    host_notification_commands lab_ok
    service_notification_commands lab_ok
    host_notification_period 24x7
    service_notification_period 24x7
}
define host {
    name lab-host
    register 0
    check_period 24x7
    notification_period 24x7
    contacts nobody
}
define service {
    name lab-service
    register 0
    check_period 24x7
    notification_period 24x7
    contacts nobody
}
define host {
    use lab-host
    host_name monitor
    address 127.0.0.1
    check_command lab_ok
    check_interval 1
    max_check_attempts 1
}
define service {
    use domkeeper-cluster,lab-service
    host_name monitor{slow}
}
"""
# Each question costs an emulated dom0 a good part of a second, and it answers when it can.
SLOW_CLUSTER = """
    check_command check_cluster!--host-time 20 -t 50
    check_interval 0.2"""
SLOW_DOM0 = """
    check_command check_dom0!-t 50
    check_interval 3"""
# Its answer to a ping may take long, too: silence for a second counts.
SLOW_HOST = """
    check_command lab_slow_ping"""
SLOW_COMMAND = """define command {
    command_name lab_slow_ping
    command_line $USER1$/check_icmp -H $HOSTADDRESS$ -n 2 -i 10ms -w 900,60% -c 1000,100%
}
"""
HOST_OBJECTS = """define host {{
    use domkeeper-host,lab-host
    host_name {host}
    address {address}
    max_check_attempts {attempts}
    event_handler {handler}{slow_host}
}}
define service {{
    use domkeeper-dom0,lab-service
    host_name {host}{slow}
}}
"""
FLOOR_COMMAND = """define command {{
    command_name lab_floor
    command_line {line}
}}
"""

CLUSTER = """[cluster]
name = "lab"
state_dir = "{state}"

[policy]
max_hosts_lost = 1
# Hosts die in turn, far more often than in life, and just after the monitor was started.
cool_down = "0s"
fences_per_hour = 0
quiet_time = "0s"
witnesses = ["{witness}"]
look_time = "{look}ms"
settle_time = "{settle}s"
starts_per_host = {lanes}
start_time = "{start}s"
fence_time = "{start}s"
"""
HOST = """
[[host]]
name = "{host}"
address = "{address}"
uri = "{uri}"
{memory}
fence = [["bmc-{host}"]]

[[device]]
name = "bmc-{host}"
agent = "fence_ipmi"
ip = "{bmc}"
ipport = 623
username = "{user}"
password_file = "{secret}"
"""
DOMAIN = """
[[domain]]
name = "{domain}"
"""


def look_ms(lab, attempts):
    """How long the second look may last, in milliseconds."""
    return 2000 if lab.kind == "xen" else LOOK_MS[attempts]


def prefix(lab):
    return lab.path("root")


def config(lab):
    return lab.path("etc", "domkeeper", "domkeeper.toml")


def state_dir(lab):
    return lab.path("var", "lib", "domkeeper")


def environment(lab):
    return {"DOMKEEPER_CONFIG": config(lab)}


def install(lab):
    """`make install` into the lab's folder: the programs and Nagios's commands."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}
    env.pop("DESTDIR", None)
    done = run("make", "-C", SOURCE, "install", "PREFIX=" + prefix(lab), env=env, timeout=900)
    with open(lab.log("install.log"), "w") as out:
        out.write(done)


def _secret(path, text):
    with open(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as out:
        out.write(text + "\n")


def write_config(lab, attempts):
    """The cluster file and its secrets, readable by Nagios's user alone."""
    secrets = lab.path("etc", "domkeeper", "secrets")
    os.makedirs(secrets, exist_ok=True)
    os.makedirs(state_dir(lab), exist_ok=True)
    text = CLUSTER.format(
        state=state_dir(lab),
        witness=WITNESS,
        look=look_ms(lab, attempts),
        settle=SETTLE,
        start=lab.patience(60),
        # libxl gives a disk's script 40 s, which an emulated host needs for one alone.
        lanes={"kvm": 4, "xen": 1}[lab.kind],
    )
    # A kvm host of the lab sees the whole machine's memory; a Xen host has its own.
    memory = {"kvm": 'memory = "1GiB"\nreserve = "256MiB"', "xen": 'reserve = "16MiB"'}[lab.kind]
    for host in lab.hosts:
        secret = os.path.join(secrets, "bmc-" + host)
        _secret(secret, lab.passwords[host])
        text += HOST.format(
            host=host,
            address=lab.address(host),
            uri=lab.uri(host),
            bmc=lab.bmc_address(host),
            user=BMC_USER,
            secret=secret,
            memory=memory,
        )
    text += "".join(DOMAIN.format(domain=domain) for domain in lab.domains)
    with open(config(lab), "w") as out:
        out.write(text)
    monitor.own(lab.path("etc", "domkeeper"))
    monitor.own(state_dir(lab))


def as_nagios(lab, *words):
    """The command line that runs a command on the monitor as Nagios's user."""
    user = ("setpriv", "--reuid=nagios", "--regid=nagios", "--init-groups")
    if "aoe" in lab.disks.values() and lab.kind == "kvm":
        # fence_aoe sends frames; a site gives its handler the same by setcap.
        user += ("--inh-caps=+net_raw", "--ambient-caps=+net_raw")
    return monitor.enter(lab, *user, *words)


def command(lab, *arguments):
    """The same for the domkeeper command."""
    program = os.path.join(prefix(lab), "sbin", "domkeeper")
    return as_nagios(lab, program, "--config", config(lab), *arguments)


def handler(lab):
    """Where the event handler stands."""
    return os.path.join(prefix(lab), "lib", "domkeeper", "eventhandlers", "handle_host")


def domkeeper(lab, *arguments, check=True, timeout=60):
    return run(*command(lab, *arguments), check=check, timeout=timeout)


def ask(lab, *arguments):
    """The same, for its JSON."""
    text = domkeeper(lab, "--json", *arguments)
    try:
        return json.loads(text)
    except ValueError as error:
        raise LabError(f"domkeeper --json {' '.join(arguments)}: {error}: {text[:300]}") from error


def when(text):
    """Seconds since 1970 of domkeeper's times, which are UTC with milliseconds."""
    return None if text is None else datetime.fromisoformat(text).timestamp()


def incidents(lab, host, since):
    """The whole incidents of a host that were opened after `since`, oldest first; all times as
    seconds since 1970."""
    found = []
    for listed in ask(lab, "incidents"):
        if listed["host"] != host or when(listed["opened"]) < since:
            continue
        incident = ask(lab, "incident", str(listed["id"]))
        for key in ("opened", "closed"):
            incident[key] = when(incident[key])
        for entry in incident["timeline"]:
            entry["at"] = when(entry["at"])
        found.append(incident)
    return sorted(found, key=lambda incident: incident["id"])


def wait_closed(lab, host, since, seconds=None):
    """The same, once there is one and all are closed."""
    found = []

    def closed():
        found[:] = incidents(lab, host, since)
        return found and all(i["closed"] is not None for i in found)

    seconds = seconds or lab.patience(60)
    wait_for(closed, seconds, f"no closed incident of {host} within {seconds} s", step=0.3)
    return found


def start_monitor(lab, attempts, with_floor=False):
    """Nagios afresh, with domkeeper's handler or the floor's, once its record of all is complete."""
    monitor.stop_nagios(lab)
    write_config(lab, attempts)
    domkeeper(lab, "arm", "--reason", "lab")
    slow = lab.kind == "xen"
    slow_host, slow_dom0 = (SLOW_HOST, SLOW_DOM0) if slow else ("", "")
    handler, objects = HANDLER, MONITOR_OBJECTS.replace("{slow}", SLOW_CLUSTER if slow else "")
    objects += SLOW_COMMAND if slow else ""
    if with_floor:
        handler = "lab_floor"
        objects += FLOOR_COMMAND.format(line=floor.command(lab))
    for host in lab.hosts:
        objects += HOST_OBJECTS.format(
            host=host,
            address=lab.address(host),
            attempts=attempts,
            handler=handler,
            slow=slow_dom0,
            slow_host=slow_host,
        )
    files = [os.path.join(prefix(lab), "share", "domkeeper", "nagios", name) for name in OBJECTS]
    monitor.write_nagios(lab, objects, files)
    monitor.start_nagios(lab, environment(lab))


def recorded(lab):
    """{domain: host} by domkeeper's record."""
    return {d["name"]: d["host"] for d in ask(lab, "status")["domains"] if d["state"] == "running"}


def wait_calm(lab, seconds=None):
    """Waits until Nagios sees every host up and check_cluster, run after this call, is content: the
    record then says where everything runs now."""
    began = int(time.time()) + 1

    def calm():
        hosts_up = monitor.status_blocks(lab, "hoststatus")
        services = monitor.status_blocks(lab, "servicestatus")
        record = [s for s in services if s["service_description"] == "domkeeper cluster"]
        return (
            hosts_up
            and all(h["current_state"] == "0" for h in hosts_up)
            and record
            and all(s["current_state"] == "0" for s in record)
            and all(int(s["last_check"]) >= began for s in record)
            and recorded(lab) == {d: at[0] for d, at in cluster.where(lab).items() if len(at) == 1}
        )

    def what():
        services = monitor.status_blocks(lab, "servicestatus")
        return "; ".join(s["plugin_output"] for s in services if s["current_state"] != "0")

    seconds = seconds or lab.patience(40)
    try:
        wait_for(calm, seconds, "calm", step=0.1 if lab.kind == "kvm" else 1)
    except LabError as error:
        raise LabError(f"Nagios does not get calm in {seconds} s: {what() or error}") from error


def rejoin(lab, host):
    """Power and cables as they should be, then the domains that belong here come home by live
    migration: when the host counts again, if it was fenced. What it still had defined is replaced by
    what comes home."""
    hosts.heal(lab, host)
    wait_for(
        lambda: host not in (mark["host"] for mark in ask(lab, "status")["maintenance"]),
        lab.patience(60),
        f"{host} is not taken in",
        step=0.2,
    )
    return bring_home(lab)


def bring_home(lab):
    """Each running domain to its home; returns the moves as (source, domain, target)."""
    moves = []
    for domain, at in cluster.where(lab).items():
        if len(at) == 1 and at[0] != lab.home(domain):
            moves.append((at[0], domain, lab.home(domain)))
    with ThreadPoolExecutor() as pool:
        for job in [pool.submit(domains.migrate, lab, *move) for move in moves]:
            job.result()
    return moves


def write_helper(lab):
    """A script that runs domkeeper on the monitor as Nagios's user; returns its path."""
    path = lab.path("domkeeper")
    with open(path, "w") as out:
        out.write("#!/bin/sh\nexec " + " ".join(map(shlex.quote, command(lab))) + ' "$@"\n')
    os.chmod(path, 0o755)
    return path


def keep_logs(lab):
    """Copies what would go with the lab into its logs, whatever state the lab is in; secrets stay
    behind."""
    for path, name in (
        (monitor.nagios_log(lab), "nagios.log"),
        (config(lab), "domkeeper.toml"),
        (os.path.join(state_dir(lab), "worker.log"), "worker.log"),
        (os.path.join(floor.folder(lab), "log"), "floor.log"),
    ):
        try:
            shutil.copyfile(path, lab.log(name))
        except OSError:
            continue
    try:
        with open(lab.log("disks"), "w") as out:
            out.write(disks.render(disks.read_all(lab)) + "\n")
        with open(lab.log("incidents"), "w") as out:
            out.write(domkeeper(lab, "incidents", timeout=10))
            for incident in reversed(ask(lab, "incidents")):
                out.write("\n" + domkeeper(lab, "incident", str(incident["id"]), timeout=10))
    except (LabError, OSError):
        return  # it was not that far yet
