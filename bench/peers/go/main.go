// One program for all roles: peer ROLE [--path FILE]. It prints `ready PORT`,
// answers "gc" on stdin with "collected", and ends with stdin.
package main

import (
	"bufio"
	"fmt"
	"log"
	"net"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
)

var tcpRoles = map[string]func(*net.TCPConn) error{
	"tcp-echo":     echo,
	"tcp-framed":   echoFrames,
	"tcp-sink":     sink,
	"tcp-source":   source,
	"file-send":    sendFile,
	"file-receive": receiveFile,
}

var udpRoles = map[string]func(*net.UDPConn) error{
	"udp-echo":   echoDatagrams,
	"udp-sink":   countDatagrams,
	"udp-source": sendDatagrams,
}

func watchStdin() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		if lines.Text() == "gc" {
			debug.FreeOSMemory()
			fmt.Println("collected")
		}
	}
	os.Exit(0)
}

func option(name string) string {
	for i, argument := range os.Args {
		if argument == "--"+name && i+1 < len(os.Args) {
			return os.Args[i+1]
		}
	}
	return ""
}

func main() {
	log.SetFlags(0)
	if len(os.Args) < 2 {
		log.Fatal("usage: peer ROLE")
	}
	if processors, err := strconv.Atoi(option("threads")); err == nil {
		runtime.GOMAXPROCS(processors)
	}
	go watchStdin()
	if handle, ok := tcpRoles[os.Args[1]]; ok {
		log.Fatal(serveTCP(handle))
	}
	if handle, ok := udpRoles[os.Args[1]]; ok {
		log.Fatal(serveUDP(handle))
	}
	log.Fatalf("no such role: %s", os.Args[1])
}
