# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A libvirt binding without a daemon: two hosts, their domains and bridges, and what is asked of them."""

from __future__ import annotations

import threading

from ansible_collections.stretchnet.fabric.plugins.module_utils.hypervisors.endpoint import Endpoint
from ansible_collections.stretchnet.fabric.plugins.module_utils.hypervisors.libvirt import LibvirtHypervisors
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.change import Workload

XML = """<domain type='{type}'><name>web01</name><memory unit='KiB'>98304</memory>
<cpu mode='custom'><model>Skylake</model></cpu><devices>{devices}
<interface type='bridge'><mac address='52:54:00:00:00:10'/><source bridge='br10'/><target dev='vnet0'/></interface>
</devices></domain>"""
BRIDGE = "<interface type='bridge'><mtu size='{mtu}'/><bridge>{ports}</bridge></interface>"
UPLINK = "<interface name='up0'><link state='up'/></interface><interface name='vnet3'><link state='up'/></interface>"


class LibvirtError(Exception):
    def __init__(self, text="failed", code=1):
        super().__init__(text)
        self.code = code

    def get_error_code(self):
        return self.code


class FakeInterface:
    def __init__(self, xml, active=True):
        self.xml, self.active = xml, active

    def isActive(self):
        return self.active

    def XMLDesc(self):
        return self.xml


class FakeDomain:
    def __init__(self, host, xml, state=1):
        self.host, self.xml, self.at_state, self.ended = host, xml, state, threading.Event()
        self.calls, self.earlier = host.lib.calls, []

    def name(self):
        return "web01"

    def UUIDString(self):
        return "uuid-1"

    def state(self):
        return [self.at_state, 0]

    def isActive(self):
        return self.at_state in (1, 3)

    def isPersistent(self):
        return True

    def XMLDesc(self, flags=0):
        return self.xml

    def jobStats(self, flags=0):
        if not flags and self.earlier:
            self.earlier.pop(0)()
            return {"operation": FakeLibvirt.VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT}
        return {"downtime_net": 135} if flags else {"data_total": 100, "data_processed": 40}

    def migrateToURI3(self, peer, parameters, flags):
        self.calls.append(("migrate", peer, parameters, flags))
        self.host.lib.on_migrate(self)

    def abortJob(self):
        self.calls.append(("abort",))
        self.ended.set()

    def shutdown(self):
        self.at_state = 5

    def create(self):
        if self.host.refuses_to_start:
            raise LibvirtError("Cannot get interface MTU on 'br10': No such device")
        self.at_state = 1

    def undefine(self):
        self.host.domains.remove(self)


class FakeHost:
    def __init__(self, lib):
        self.lib, self.domains, self.bridges = lib, [], {"br10": FakeInterface(BRIDGE.format(mtu=1500, ports=UPLINK))}
        self.free_kib, self.cpu, self.down, self.refuses_to_start = 1 << 20, 1, False, False

    def listAllDomains(self, flags=0):
        return [d for d in self.domains if not flags or d.at_state != 5]

    def lookupByName(self, name):
        if not self.domains:
            raise LibvirtError("no domain", FakeLibvirt.VIR_ERR_NO_DOMAIN)
        return self.domains[0]

    def compareCPU(self, xml, flags):
        return self.cpu

    def getMemoryStats(self, cell):
        return {"total": 1 << 22, "free": self.free_kib // 2, "buffers": 0, "cached": self.free_kib // 2}

    def interfaceLookupByName(self, name):
        if name not in self.bridges:
            raise LibvirtError("no interface", FakeLibvirt.VIR_ERR_NO_INTERFACE)
        return self.bridges[name]

    def defineXML(self, xml):
        self.domains.append(FakeDomain(self, xml, state=5))
        return self.domains[-1]

    def close(self):
        pass


class FakeLibvirt:
    libvirtError = LibvirtError  # noqa: N815 - the binding's name
    VIR_ERR_NO_INTERFACE, VIR_ERR_NO_DOMAIN, VIR_ERR_OPERATION_INVALID = 53, 42, 55
    VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT = 4
    VIR_CONNECT_LIST_DOMAINS_ACTIVE, VIR_DOMAIN_RUNNING, VIR_CPU_COMPARE_INCOMPATIBLE = 1, 1, 0
    VIR_NODE_MEMORY_STATS_ALL_CELLS, VIR_DOMAIN_JOB_STATS_COMPLETED = -1, 1
    VIR_MIGRATE_LIVE, VIR_MIGRATE_PEER2PEER, VIR_MIGRATE_PERSIST_DEST, VIR_MIGRATE_UNDEFINE_SOURCE = 1, 2, 8, 16
    VIR_MIGRATE_AUTO_CONVERGE, VIR_MIGRATE_ABORT_ON_ERROR, VIR_MIGRATE_POSTCOPY = 8192, 4096, 32768
    VIR_DOMAIN_XML_SECURE, VIR_DOMAIN_XML_MIGRATABLE, VIR_DOMAIN_XML_INACTIVE = 1, 8, 2
    VIR_MIGRATE_PARAM_DEST_XML, VIR_MIGRATE_PARAM_PERSIST_XML = "destination_xml", "persistent_xml"
    VIR_MIGRATE_PARAM_URI, VIR_MIGRATE_PARAM_BANDWIDTH = "migrate_uri", "bandwidth"

    def __init__(self):
        self.calls = []
        self.hosts = {"qemu+ssh://hv-a/system": FakeHost(self), "qemu+ssh://hv-b/system": FakeHost(self)}
        self.on_migrate = self.arrive

    def open(self, uri):
        if self.hosts[uri].down:
            raise LibvirtError("unable to connect")
        return self.hosts[uri]

    def arrive(self, dom):
        a, b = self.hosts.values()
        source, destination = (a, b) if dom in a.domains else (b, a)
        source.domains.remove(dom)
        destination.domains.append(FakeDomain(destination, dom.xml))


def start(lib, side=0, devices="", kind="kvm"):
    host = list(lib.hosts.values())[side]
    host.domains.append(FakeDomain(host, XML.format(type=kind, devices=devices)))
    return host.domains[-1]


def adapter(lib, shells=None, **more):
    endpoints = {
        n: Endpoint(n, f"qemu+ssh://{n}/system", f"qemu+tcp://{n}/system", f"tcp://{n}") for n in ("hv-a", "hv-b")
    }
    return LibvirtHypervisors(endpoints, shells, library=lib, **more)


def workload(**more):
    return Workload("web01", "hv-a", "hv-b", "52:54:00:00:00:10", **more)
