package main

import (
	"io"
	"net"
	"os"
)

// io.Copy finds sendfile(2) by itself.
func sendFile(connection *net.TCPConn) error {
	file, err := os.Open(option("path"))
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = io.Copy(connection, file)
	return err
}

func receiveFile(connection *net.TCPConn) error {
	file, err := os.Create(option("path"))
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = io.Copy(file, connection)
	return err
}
