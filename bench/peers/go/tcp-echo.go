package main

import (
	"fmt"
	"net"
)

const bufferBytes = 64 << 10

// A small first buffer, as net/http and bufio have it, keeps an idle connection cheap.
const echoBytes = 4 << 10

func serveTCP(handle func(*net.TCPConn) error) error {
	listener, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return err
	}
	fmt.Printf("ready %d\n", listener.Addr().(*net.TCPAddr).Port)
	for {
		connection, err := listener.AcceptTCP()
		if err != nil {
			return err
		}
		go func() {
			defer connection.Close()
			_ = handle(connection)
		}()
	}
}

// echo doubles its buffer while the peer's messages fill it.
func echo(connection *net.TCPConn) error {
	buffer := make([]byte, echoBytes)
	for {
		got, err := connection.Read(buffer)
		if err != nil {
			return err
		}
		if _, err := connection.Write(buffer[:got]); err != nil {
			return err
		}
		if got == len(buffer) && got < bufferBytes {
			buffer = make([]byte, 2*got)
		}
	}
}
