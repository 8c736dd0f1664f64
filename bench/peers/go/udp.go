package main

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
)

const (
	udpBufferBytes = 4 << 20
	datagramBytes  = 2048
	askBytes       = 4
	requestBytes   = 8
)

func serveUDP(handle func(*net.UDPConn) error) error {
	socket, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return err
	}
	_ = socket.SetReadBuffer(udpBufferBytes)
	_ = socket.SetWriteBuffer(udpBufferBytes)
	fmt.Printf("ready %d\n", socket.LocalAddr().(*net.UDPAddr).Port)
	return handle(socket)
}

func echoDatagrams(socket *net.UDPConn) error {
	buffer := make([]byte, datagramBytes)
	for {
		got, remote, err := socket.ReadFromUDPAddrPort(buffer)
		if err != nil {
			return err
		}
		_, _ = socket.WriteToUDPAddrPort(buffer[:got], remote)
	}
}

func answerCount(socket *net.UDPConn, count uint64, remote netip.AddrPort) {
	var answer [8]byte
	binary.BigEndian.PutUint64(answer[:], count)
	_, _ = socket.WriteToUDPAddrPort(answer[:], remote)
}

func countDatagrams(socket *net.UDPConn) error {
	buffer := make([]byte, datagramBytes)
	var count uint64
	for {
		got, remote, err := socket.ReadFromUDPAddrPort(buffer)
		if err != nil {
			return err
		}
		if got == askBytes {
			answerCount(socket, count, remote)
		} else {
			count++
		}
	}
}

func sendDatagrams(socket *net.UDPConn) error {
	buffer := make([]byte, datagramBytes)
	var count uint64
	for {
		got, remote, err := socket.ReadFromUDPAddrPort(buffer)
		if err != nil {
			return err
		}
		if got == askBytes {
			answerCount(socket, count, remote)
		}
		if got != requestBytes {
			continue
		}
		data := make([]byte, binary.BigEndian.Uint32(buffer[4:]))
		for left := binary.BigEndian.Uint32(buffer); left > 0; left-- {
			_, _ = socket.WriteToUDPAddrPort(data, remote)
			count++
		}
	}
}
