# SPDX-License-Identifier: GPL-3.0-or-later
"""The guests of Xen hosts as libvirt domains: PV or PVH, on an AoE or an iSCSI disk."""

import uuid

from .layout import IQN, STORAGE

MEMORY_MIB = {"pv": 96, "pvh": 128}
MACHINE = {"pv": ("xenpv", "linux"), "pvh": ("xenpvh", "xenpvh")}
CMDLINE = (
    "console=hvc0 quiet panic=1 mitigations=off audit=0 nowatchdog cryptomgr.notests "
    "ipv6.disable=1 apparmor=0 random.trust_cpu=on rcupdate.rcu_expedited=1 init_on_alloc=0 "
    "rodata=off hardened_usercopy=off cgroup_disable=memory 8250.nr_uarts=0 "
    "initcall_blacklist=init_kprobe_trace,init_blk_tracer,crypto_kdf108_init"
)
XML = """<domain type='xen'>
  <name>{name}</name>
  <uuid>{uuid}</uuid>
  <memory unit='MiB'>{memory}</memory>
  <vcpu>1</vcpu>
  <os>
    <type arch='x86_64' machine='{machine}'>{os}</type>
    <kernel>/lab/vmlinux</kernel>
    <initrd>/lab/initrd</initrd>
    <cmdline>{cmdline}</cmdline>
  </os>{features}
  <on_poweroff>destroy</on_poweroff>
  <on_reboot>restart</on_reboot>
  <on_crash>destroy</on_crash>
  <devices>
    <disk type='block' device='disk'>
      <driver name='phy' type='raw'/>
      <source dev='{disk}'/>
      <target dev='xvda' bus='xen'/>
    </disk>{nic}
    <console type='pty'><target type='xen' port='0'/></console>
  </devices>
</domain>
"""
# Under emulation the scripts that plug an interface in take longer than all the rest of a start.
NIC = """
    <interface type='bridge'>
      <mac address='00:16:3e:dc:00:{number:02x}'/>
      <source bridge='xbr0'/>
    </interface>"""
FEATURES = "\n  <features><acpi/></features>"


def disk(lab, domain):
    """The path of a domain's disk in dom0."""
    if lab.disks[domain] == "aoe":
        return "/dev/etherd/e{}.{}".format(*lab.aoe_address(domain))
    return f"/dev/disk/by-path/ip-{STORAGE}:3260-iscsi-{IQN}:{domain}-lun-1"


def xml(lab, domain):
    kind = lab.types[domain]
    machine, system = MACHINE[kind]
    return XML.format(
        name=domain,
        uuid=uuid.uuid5(uuid.NAMESPACE_DNS, f"{domain}.{lab.id}.lab"),
        memory=MEMORY_MIB[kind],
        machine=machine,
        os=system,
        cmdline=CMDLINE,
        features=FEATURES if kind == "pvh" else "",
        disk=disk(lab, domain),
        nic=NIC.format(number=lab.domains.index(domain) + 1) if domain in lab.nics else "",
    )
