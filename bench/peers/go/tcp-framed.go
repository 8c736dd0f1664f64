package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net"
)

const maxFrameBytes = 1 << 20

func readFrame(reader *bufio.Reader, message []byte) ([]byte, error) {
	var prefix [4]byte
	if _, err := io.ReadFull(reader, prefix[:]); err != nil {
		return nil, err
	}
	length := binary.BigEndian.Uint32(prefix[:])
	if length > maxFrameBytes {
		return nil, errors.New("cannot read frame: too large")
	}
	if int(length) > cap(message) {
		message = make([]byte, length)
	}
	message = message[:length]
	_, err := io.ReadFull(reader, message)
	return message, err
}

func writeFrame(writer *bufio.Writer, message []byte) error {
	var prefix [4]byte
	binary.BigEndian.PutUint32(prefix[:], uint32(len(message)))
	if _, err := writer.Write(prefix[:]); err != nil {
		return err
	}
	_, err := writer.Write(message)
	return err
}

// echoFrames writes what it has before it would wait for the next frame.
func echoFrames(connection *net.TCPConn) error {
	reader := bufio.NewReaderSize(connection, bufferBytes)
	writer := bufio.NewWriterSize(connection, bufferBytes)
	message := make([]byte, 0, echoBytes)
	for {
		var err error
		if message, err = readFrame(reader, message); err != nil {
			return err
		}
		if err := writeFrame(writer, message); err != nil {
			return err
		}
		if reader.Buffered() > 0 {
			continue
		}
		if err := writer.Flush(); err != nil {
			return err
		}
	}
}
