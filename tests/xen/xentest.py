# SPDX-License-Identifier: GPL-3.0-or-later
"""The frame of the tests on real Xen hosts. A test file is an executable tests/xen/NAME_test:

    from xentest import expect, main, plugin
    def some_case(lab): ...
    main(some_case, another_case)

Every case gets a lab of two hosts, with web1 (PVH on AoE) on xen1 and web2 (PV on AoE) on xen2, and
leaves it so; `whole` mends what a failed case left. tests/xen/run brings one lab up for all the files
($XENLAB_DIR); a file that is run by itself brings up its own, where XENSTORED=oxenstored boots xen1
with the other xenstored."""

import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
import traceback

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
BUILD = os.path.join(ROOT, os.environ.get("BUILD", "build"))
sys.path.insert(0, os.path.join(ROOT, "contrib", "lab"))
from dklab import cluster, disks, domains, hosts, net, site, xen_hosts, xen_image  # noqa: E402
from dklab.layout import RUN_PREFIX, Lab, LabError  # noqa: E402
from dklab.proc import run, wait_for  # noqa: E402

OK, WARNING, CRITICAL, UNKNOWN = range(4)
HOSTS, DOMAINS = 2, 2
THERE = "/opt/domkeeper"  # in a dom0


class Wrong(Exception):
    """What a case found wrong."""


class Skip(Exception):
    """Why a case can't be run here."""


def expect(true, text):
    if not true:
        raise Wrong(text)


class Said:
    """How a program ended: its exit code, what it said, and how many seconds it took."""

    def __init__(self, code, text, took):
        self.code = code
        self.text = text
        self.took = took

    def must(self, code, *patterns, within=None):
        """Raises Wrong unless it ended with `code`, said all that, and took at most so long."""
        expect(self.code == code, f"exit {self.code} and not {code}: {self.text.strip()}")
        for pattern in patterns:
            expect(re.search(pattern, self.text), f"no {pattern!r} in: {self.text.strip()}")
        expect(within is None or self.took <= within, f"took {self.took:.1f} s: {self.text.strip()}")
        return self


def plugin(lab, name, *arguments, seconds=60, env=None):
    """Runs a built program (plugins/NAME, fence/NAME, eventhandlers/NAME) on the lab's monitor, as a
    user without any privilege."""
    found = [os.path.join(BUILD, d, name) for d in ("plugins", "fence", "eventhandlers")]
    path = next((p for p in found if os.access(p, os.X_OK)), None)
    expect(path, f"{name} is not built in {BUILD}")
    began = time.monotonic()
    words = site.as_nagios(lab, path, *arguments)
    done = subprocess.run(
        words,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=seconds + 60,
        env={**os.environ, **(env or {})},
    )
    return Said(done.returncode, done.stdout, time.monotonic() - began)


def dom0(lab, host, command, check=True, timeout=120):
    """Runs a shell command in a host's dom0."""
    return xen_hosts.ssh(lab, host, command, check=check, timeout=timeout)


def push(lab, host, path, target="/root/"):
    """Copies a file into a dom0, say a plugin that must run there."""
    with open(path, "rb") as file:
        words = [*xen_hosts.ssh_words(lab, host), f"cat > {shlex.quote(target)}; chmod 755 {target}"]
        done = subprocess.run(words, stdin=file, capture_output=True, timeout=300)
    if done.returncode != 0:
        raise LabError(f"{target} on {host}: {done.stderr.decode(errors='replace').strip()}")


def push_text(lab, host, text, target):
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(text)
        file.flush()
        push(lab, host, file.name, target)


def bring(lab, host, *programs):
    """Copies built programs ("plugins/check_dom0") into a dom0, without what only a debugger wants,
    and the libraries that they need and it lacks."""
    there = dom0(lab, host, f"mkdir -p {THERE}; ls {THERE}").split()
    for path in (os.path.join(BUILD, p) for p in programs if os.path.basename(p) not in there):
        _push_stripped(lab, host, path)
        found = dict(re.findall(r"(\S+) => (/\S+)", run("ldd", path)))
        lacks = f"LD_LIBRARY_PATH={THERE} ldd {THERE}/{os.path.basename(path)}"
        # A library that is brought may itself need one that is not there.
        while missing := re.findall(r"(\S+) => not found", dom0(lab, host, lacks)):
            for name in missing:
                _push_stripped(lab, host, found[name], name)


def _push_stripped(lab, host, path, name=None):
    with tempfile.NamedTemporaryFile() as small:
        run("strip", "-o", small.name, os.path.realpath(path))
        push(lab, host, small.name, f"{THERE}/{name or os.path.basename(path)}")


def inside(lab, host, words, before="true", after="true"):
    """A program that was brought there, with the shell commands that must come right before and after
    it in the same session."""
    script = f"{before}; LD_LIBRARY_PATH={THERE} {THERE}/{words}; code=$?; {after}; echo; echo code=$code"
    began = time.monotonic()
    text, _, code = dom0(lab, host, f"{{ {script}; }} 2>&1", check=False).rpartition("code=")
    return Said(int(code.strip() or 99), text, time.monotonic() - began)


def home(lab, domain):
    return lab.home(domain)


def whole(lab):
    """Every host on and reachable, every domain running once, on its home."""
    for host in lab.hosts:
        hosts.heal(lab, host)
        dom0(lab, host, "systemctl is-active -q libvirtd || systemctl start libvirtd-tcp.socket libvirtd")
    for domain, at in cluster.where(lab).items():
        if at == [lab.home(domain)] and domain in domains.listed(lab, at[0]):
            continue
        for host in set(at):
            dom0(lab, host, f"xl destroy {domain}", check=False)
        domains.create(lab, lab.home(domain), domain)
    cluster.wait_writing(lab, disks.heads(lab), lab.patience(60))


def new_lab():
    """A lab as every case expects it."""
    lab = Lab.create(tempfile.mkdtemp(prefix=RUN_PREFIX), HOSTS, DOMAINS, "xen")
    if os.environ.get("XENSTORED"):
        xen_hosts.make_cold(lab, lab.hosts[0], dom0="lab.xenstored=" + os.environ["XENSTORED"])
    try:
        cluster.up(lab, lambda text: print("  " + text, flush=True))
        site.install(lab)
        site.write_config(lab, 1)
        cluster.start_domains(lab)
    except BaseException:
        cluster.down(lab)
        raise
    return lab


def why_not():
    """Why the tests can't be run here; None when they can."""
    try:
        cluster.check_machine("xen")
    except LabError as error:
        return str(error)
    if not os.access(os.path.join(BUILD, "plugins", "check_dom0"), os.X_OK):
        return f"the programs are not built in {BUILD}"
    return None


def _try(lab, case):
    """("ok" | "FAILED" | "SKIPPED", why)"""
    try:
        case(lab)
        return "ok", None
    except Skip as why:
        return "SKIPPED", str(why)
    except (Wrong, LabError) as error:
        return "FAILED", str(error)
    except Exception:  # whatever a case does wrong, the others are to run
        return "FAILED", traceback.format_exc()


def _run(lab, cases):
    count = {"ok": 0, "FAILED": 0, "SKIPPED": 0}
    for number, case in enumerate(cases):
        began = time.monotonic()
        verdict, why = _try(lab, case)
        count[verdict] += 1
        took = f"{time.monotonic() - began:.1f} s"
        print(f"  {verdict}  {case.__name__} ({took}){': ' + why if why else ''}", flush=True)
        if verdict == "FAILED":
            try:
                whole(lab)
            except LabError as error:
                rest = len(cases) - number - 1
                print(f"  the lab can't be mended ({error}); {rest} cases not run count as failed")
                count["FAILED"] += rest
                break
    return count


def interrupted(_number, _frame):
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt


def main(*cases):
    """Runs the cases, or those named on the command line, and ends the program."""
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, interrupted)
    wanted = [case for case in cases if len(sys.argv) < 2 or case.__name__ in sys.argv[1:]]
    why = why_not()
    if why:
        print(f"  SKIPPED: {why}\n0 passed, 0 failed, {len(wanted)} skipped")
        sys.exit(0)
    folder = os.environ.get("XENLAB_DIR")
    lab, count = None, {"ok": 0, "FAILED": len(wanted), "SKIPPED": 0}
    try:
        lab = Lab.load(folder) if folder else new_lab()
        count = _run(lab, wanted)
    except LabError as error:
        print(f"  FAILED  {error}")
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        if lab and not folder:
            cluster.down(lab, keep_logs=count["FAILED"] > 0)
    print(f"{count['ok']} passed, {count['FAILED']} failed, {count['SKIPPED']} skipped")
    sys.exit(1 if count["FAILED"] else 0)
