# SPDX-License-Identifier: GPL-3.0-or-later
"""The guests of kvm hosts as libvirt domains."""

import os
import uuid

from . import storage
from .kernel import CMDLINE
from .layout import HERE, IQN, STORAGE

MEMORY_MIB = 96
XML = """<domain type='qemu'>
  <name>{name}</name>
  <uuid>{uuid}</uuid>
  <memory unit='MiB'>{memory}</memory>
  <vcpu>1</vcpu>
  <os>
    <type arch='x86_64' machine='pc'>hvm</type>
    <kernel>{guest}/vmlinux</kernel>
    <initrd>{guest}/initrd</initrd>
    <cmdline>{cmdline}</cmdline>
  </os>
  <cpu mode='custom' match='exact'><model>qemu64</model></cpu>
  <clock offset='utc'><timer name='hpet' present='no'/></clock>
  <on_poweroff>destroy</on_poweroff>
  <on_reboot>restart</on_reboot>
  <on_crash>destroy</on_crash>
  <devices>
    <emulator>{emulator}</emulator>
    <disk type='{type}' device='disk'>
      <driver name='qemu' type='raw' cache='none' error_policy='report'/>
{source}
      <target dev='vda' bus='virtio'/>
    </disk>
{lease}    <controller type='usb' model='none'/>
    <serial type='file'>
      <source path='/var/log/libvirt/console-{name}.log' append='on'/>
      <target port='0'/>
    </serial>
    <memballoon model='none'/>
  </devices>
</domain>
"""
ISCSI = """      <source protocol='iscsi' name='{iqn}:{name}/1'>
        <host name='{storage}' port='3260'/>
        <initiator><iqn name='{iqn}:guest-{name}'/></initiator>
      </source>"""
AOE = """      <source dev='/dev/etherd/e{shelf}.{slot}'/>"""
LEASE = """    <lease>
      <lockspace>lockspace</lockspace>
      <key>{name}</key>
      <target path='{leases}'/>
    </lease>
"""


def xml(lab, domain):
    leases = os.path.dirname(storage.lockspace(lab))
    if lab.disks[domain] == "aoe":
        shelf, slot = lab.aoe_address(domain)
        kind, source = "block", AOE.format(shelf=shelf, slot=slot)
        emulator = os.path.join(HERE, "kvm", "qemu_aoe")
    else:
        kind, source = "network", ISCSI.format(name=domain, iqn=IQN, storage=STORAGE)
        emulator = "/usr/bin/qemu-system-x86_64"
    return XML.format(
        name=domain,
        emulator=emulator,
        type=kind,
        source=source,
        uuid=uuid.uuid5(uuid.NAMESPACE_DNS, f"{domain}.{lab.id}.lab"),
        memory=MEMORY_MIB,
        guest=lab.path("guest"),
        cmdline=CMDLINE,
        lease="" if lab.keys else LEASE.format(name=domain, leases=leases),
    )
