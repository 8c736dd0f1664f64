package main

import (
	"bytes"
	"net"
)

func sink(connection *net.TCPConn) error {
	buffer := make([]byte, bufferBytes)
	for {
		if _, err := connection.Read(buffer); err != nil {
			return err
		}
	}
}

func source(connection *net.TCPConn) error {
	chunk := bytes.Repeat([]byte{'x'}, bufferBytes)
	for {
		if _, err := connection.Write(chunk); err != nil {
			return err
		}
	}
}
