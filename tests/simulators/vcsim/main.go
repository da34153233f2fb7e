// SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
// SPDX-License-Identifier: GPL-3.0-or-later

// vcsim: a vCenter for tests, by VMware's own simulator (Debian: golang-github-vmware-govmomi-dev).
// It prints its address and ends when its standard input is closed.
//
//	GO111MODULE=off GOPATH=/usr/share/gocode go build -o vcsim main.go
package main

import (
	"fmt"
	"io"
	"log"
	"os"
	"strings"

	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"
)

// uplinks gives a host a port of the distributed switch, as the simulator does not: with a link, or without any port.
func uplinks(host *simulator.HostSystem, uuid string, mtu int32, pnics []string) {
	network := *host.Config.Network
	network.ProxySwitch = []types.HostProxySwitch{{
		DvsUuid: uuid, DvsName: "DVS0", Key: "key-DVS0", Mtu: mtu, Pnic: pnics,
	}}
	network.OpaqueSwitch = []types.HostOpaqueSwitch{{Key: "nsx", Name: "nsx", Pnic: pnics, Status: "up"}}
	config := *host.Config
	config.Network = &network
	host.Config = &config
}

func main() {
	model := simulator.VPX()
	model.Datacenter, model.Datastore, model.Host, model.ClusterHost = 1, 2, 1, 3
	model.Machine, model.Portgroup = 2, 2
	defer model.Remove()
	if err := model.Create(); err != nil {
		log.Fatal(err)
	}
	datacenter := simulator.Map.Any("Datacenter").(*simulator.Datacenter)
	folder := simulator.Map.Get(datacenter.NetworkFolder).(*simulator.Folder)
	if err := folder.AddOpaqueNetwork(types.OpaqueNetworkSummary{
		NetworkSummary: types.NetworkSummary{Name: "nsx-app"}, OpaqueNetworkId: "nsx-1", OpaqueNetworkType: "nsx.LogicalSwitch",
	}); err != nil {
		log.Fatal(err)
	}
	dvs := simulator.Map.Any("DistributedVirtualSwitch").(*simulator.DistributedVirtualSwitch)
	for _, entity := range simulator.Map.All("HostSystem") {
		host := entity.(*simulator.HostSystem)
		host.Network = append(host.Network, simulator.Map.Any("OpaqueNetwork").Reference())
		switch host.Name {
		case "DC0_C0_H2": // its port group is there, and leads nowhere
			uplinks(host, dvs.Uuid, 1500, nil)
		default:
			uplinks(host, dvs.Uuid, 1500, []string{"key-vim.host.PhysicalNic-vmnic1"})
		}
	}
	for _, entity := range simulator.Map.All("DistributedVirtualPortgroup") {
		group := entity.(*simulator.DistributedVirtualPortgroup)
		group.Config.Uplink = types.NewBool(strings.Contains(group.Name, "DVUplinks"))
	}
	for _, entity := range simulator.Map.All("VirtualMachine") {
		vm := entity.(*simulator.VirtualMachine)
		vm.Guest.ToolsRunningStatus = "guestToolsRunning"
		devices := object.VirtualDeviceList(vm.Config.Hardware.Device)
		for _, drive := range devices.SelectByType((*types.VirtualCdrom)(nil)) {
			drive.GetVirtualDevice().Connectable = &types.VirtualDeviceConnectInfo{Connected: false}
		}
	}
	server := model.Service.NewServer()
	fmt.Println(server.URL.Host)
	_, _ = io.Copy(io.Discard, os.Stdin)
}
