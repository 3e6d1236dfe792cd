package brokertest

import (
	"crypto/rand"
	"math/big"
	"net"
	"strconv"
	"testing"
)

// FreePort returns a port of loopback on which nothing listens. It is not
// one of those that the system gives to outgoing connections: one of these
// could take it before the test's server does.
func FreePort(t testing.TB) string {
	t.Helper()
	const first, ports = 20000, 10000
	for range 100 {
		n, err := rand.Int(rand.Reader, big.NewInt(ports))
		if err != nil {
			t.Fatal(err)
		}
		port := strconv.Itoa(first + int(n.Int64()))
		l, err := net.Listen("tcp", "127.0.0.1:"+port)
		if err != nil {
			continue
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		return port
	}
	t.Fatal("no free port")
	return ""
}
