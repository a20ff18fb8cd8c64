# SPDX-License-Identifier: GPL-3.0-or-later
"""The monitor: a node of its own with Nagios 4, run by Debian's nagios user."""

import os
import pwd
import re
import signal

from .layout import HERE
from .proc import PidFile, inside, namespace_processes, run, spawn, wait_for

NAGIOS = """log_file={home}/nagios.log
cfg_file={home}/objects.cfg
{extra}
resource_file={home}/resource.cfg
object_cache_file={home}/var/objects.cache
precached_object_file={home}/var/objects.precache
status_file={home}/var/status.dat
lock_file={home}/var/nagios.lock
temp_file={home}/var/nagios.tmp
temp_path={home}/var
check_result_path={home}/var/checkresults
command_file={home}/var/nagios.cmd
query_socket={home}/var/nagios.qh
nagios_user=nagios
nagios_group=nagios
use_syslog=0
check_external_commands=0
check_for_updates=0
interval_length=60
status_update_interval=1
max_host_check_spread=1
max_service_check_spread=1
host_inter_check_delay_method=n
service_inter_check_delay_method=n
service_interleave_factor=1
check_result_reaper_frequency=1
cached_host_check_horizon=0
cached_service_check_horizon=0
enable_predictive_host_dependency_checks=0
enable_predictive_service_dependency_checks=0
enable_event_handlers=1
log_event_handlers=1
log_initial_states=1
enable_notifications=0
enable_flap_detection=0
retain_state_information=0
service_check_timeout=60
host_check_timeout=5
event_handler_timeout=30
check_workers=3
illegal_macro_output_chars=`~$&|'"<>
illegal_object_name_chars=`~!$%^&*|'"<>?,()=
"""
TIMES = """define timeperiod {
    timeperiod_name 24x7
    alias always
    sunday 00:00-24:00
    monday 00:00-24:00
    tuesday 00:00-24:00
    wednesday 00:00-24:00
    thursday 00:00-24:00
    friday 00:00-24:00
    saturday 00:00-24:00
}
"""


def home(lab):
    return lab.path("monitor")


def pid_file(lab):
    return PidFile(lab.path("monitor", "pid"))


def up(lab):
    """Brings the node up; Nagios comes later."""
    os.makedirs(home(lab), exist_ok=True)
    # As Debian's hosts have it: any group may send pings without privileges.
    group_range = "net.ipv4.ping_group_range=0 2147483647"
    run(*inside(lab.ns("monitor"), "sysctl", "-q", "-w", group_range))
    init = os.path.join(HERE, "node_init")
    node = ("unshare", "-m", "-u", "-p", "--fork", "--kill-child", init, lab.dir, "monitor")
    spawn(
        lab.path("pids", "monitor"),
        lab.log("monitor.log"),
        *inside(lab.ns("monitor"), *node, "monitor"),
    )
    wait_for(lambda: pid_file(lab).read(), 5, "the monitor node does not start")


def enter(lab, *command):
    """The command line that runs `command` on the monitor."""
    pid = pid_file(lab).read()
    return ("nsenter", f"--target={pid}", "--mount", "--net", "--uts", "--pid", *command)


def own(folder):
    """Gives a folder and all in it to the monitor's user."""
    owner = pwd.getpwnam("nagios")
    for base, folders, files in os.walk(folder):
        for name in (base, *(os.path.join(base, f) for f in folders + files)):
            os.chown(name, owner.pw_uid, owner.pw_gid)


def host_objects(lab, attempts, handler):
    """Hosts with a ping of about 0.1 s (0.006 s when they live) and a handler; Nagios insists on a
    service too. `handler` is a command line with Nagios macros."""
    text = f"""define command {{
    command_name lab_ping
    command_line $USER1$/check_icmp -H $HOSTADDRESS$ -n 2 -i 10ms -w 20,60% -c 30,100%
}}
define command {{
    command_name lab_handler
    command_line {handler}
}}
define command {{
    command_name lab_ok
    command_line /bin/true
}}
define contact {{
    contact_name nobody
    host_notification_commands lab_ok
    service_notification_commands lab_ok
    host_notification_period 24x7
    service_notification_period 24x7
}}
"""
    for host in lab.hosts:
        text += f"""define host {{
    host_name {host}
    address {lab.address(host)}
    check_command lab_ping
    check_interval 0.02
    retry_interval 0.02
    max_check_attempts {attempts}
    check_period 24x7
    event_handler lab_handler
    contacts nobody
    notification_period 24x7
}}
"""
    return text + f"""define service {{
    host_name {','.join(lab.hosts)}
    service_description nothing
    check_command lab_ok
    check_interval 1
    max_check_attempts 1
    check_period 24x7
    contacts nobody
    notification_period 24x7
}}
"""


def write_nagios(lab, objects, extra_files=(), user_macros=()):
    """A self-contained Nagios: `objects` is the text of hosts, services and lab commands;
    `extra_files` are read as they are, `user_macros` become $USER2$ and so on."""
    folder = lab.path("monitor", "nagios")
    os.makedirs(folder + "/var/checkresults", exist_ok=True)
    extra = "\n".join(f"cfg_file={path}" for path in extra_files)
    with open(folder + "/nagios.cfg", "w") as out:
        out.write(NAGIOS.format(home=folder, extra=extra))
    with open(folder + "/objects.cfg", "w") as out:
        out.write(TIMES + objects)
    with open(folder + "/resource.cfg", "w") as out:
        out.write("$USER1$=/usr/lib/nagios/plugins\n")
        for number, value in enumerate(user_macros, 2):
            out.write(f"$USER{number}$={value}\n")
    own(folder)


def nagios_log(lab):
    return lab.path("monitor", "nagios", "nagios.log")


def _nagios_pid(lab):
    return PidFile(lab.path("pids", "nagios"))


def status_blocks(lab, kind):
    """Nagios's own view: a dictionary for each "hoststatus" or "servicestatus"."""
    try:
        with open(lab.path("monitor", "nagios", "var", "status.dat")) as text:
            found = re.findall(kind + r" \{(.*?)\n\t\}", text.read(), re.S)
    except FileNotFoundError:
        return []
    pairs = [re.findall(r"^\t(\w+)=(.*)$", block, re.M) for block in found]
    return [dict(block) for block in pairs]


def start_nagios(lab, env=None):
    """Starts Nagios, with `env` added to its environment, and waits until it has seen every host."""
    config = lab.path("monitor", "nagios", "nagios.cfg")
    run(*enter(lab, "nagios4", "-v", config))
    # What an earlier Nagios left would be taken for the new one's.
    for name in ("status.dat", "nagios.cmd", "nagios.qh"):
        try:
            os.unlink(lab.path("monitor", "nagios", "var", name))
        except FileNotFoundError:
            pass
    spawn(
        _nagios_pid(lab).path,
        lab.log("nagios.out"),
        *enter(lab, "nagios4", config),
        env={**os.environ, **(env or {})},
    )

    def saw_all():
        blocks = status_blocks(lab, "hoststatus")
        seen = sum(block["has_been_checked"] == "1" for block in blocks)
        return seen == len(blocks) >= len(lab.hosts)

    wait_for(saw_all, 15, f"Nagios does not run, see {lab.log('nagios.out')}", step=0.05)


def nagios_runs(lab):
    return _nagios_pid(lab).read() is not None


def stop_nagios(lab):
    """Ends Nagios; handlers' workers in sessions of their own live on, as on a real monitor."""
    for pid, words in namespace_processes(pid_file(lab).read()):
        if words and words[0] == "nagios4":
            try:
                os.kill(pid, signal.SIGTERM)
            except ProcessLookupError:
                pass
    wait_for(lambda: _nagios_pid(lab).read() is None, 10, "Nagios does not end")


def down(lab):
    pid_file(lab).kill()
    PidFile(lab.path("pids", "monitor")).kill()
