package outbound

import (
	"errors"
	"net/netip"
	"net/url"
	"testing"
)

// public is an independent reading of "public address", from the predicates
// of net/netip and the registries' byte values.
func public(ip netip.Addr) bool {
	ip = ip.Unmap()
	if !ip.IsGlobalUnicast() || ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast() {
		return false
	}
	b := ip.AsSlice()
	if ip.Is4() {
		return b[0] != 0 && b[0] < 224 &&
			!(b[0] == 100 && b[1]&0xc0 == 64) &&
			!(b[0] == 192 && b[1] == 0 && (b[2] == 0 || b[2] == 2)) &&
			!(b[0] == 192 && b[1] == 88 && b[2] == 99) &&
			!(b[0] == 198 && b[1]&0xfe == 18) &&
			!(b[0] == 198 && b[1] == 51 && b[2] == 100) &&
			!(b[0] == 203 && b[1] == 0 && b[2] == 113)
	}
	return b[0]&0xe0 == 0x20 &&
		!(b[0] == 0x20 && b[1] == 0x01 && b[2] < 2) &&
		!(b[0] == 0x20 && b[1] == 0x01 && b[2] == 0x0d && b[3] == 0xb8) &&
		!(b[0] == 0x20 && b[1] == 0x02) &&
		!(b[0] == 0x3f && b[1] == 0xff && b[2] < 0x10)
}

// Whatever the text of a URL and whatever DNS answers for its host, a dial
// that passes goes to a public address, over https.
func FuzzF15_Dialer(f *testing.F) {
	for _, text := range []string{
		"https://idp.example/", "https://0x7f.1/", "https://2130706433/", "https://0177.0.0.1/",
		"https://[::ffff:127.0.0.1]/", "https://[::1%25lo]/", "https://127.0.0.1.nip.example/", "http://localhost/",
		"https://user@10.0.0.1/", "https://[64:ff9b::10.0.0.1]/", "https://idp.example.:443/", "https:\\\\10.0.0.1/",
	} {
		f.Add(text, []byte{127, 0, 0, 1})
		f.Add(text, []byte{8, 8, 8, 8})
	}
	f.Add("https://idp.example/", netip.MustParseAddr("::ffff:169.254.169.254").AsSlice())
	f.Add("https://idp.example/", netip.MustParseAddr("2606:4700::1").AsSlice())
	f.Fuzz(func(t *testing.T, text string, answer []byte) {
		ip, ok := netip.AddrFromSlice(answer)
		u, err := url.Parse(text)
		if err != nil || !ok {
			return
		}
		if err := New(Config{}).CheckURL(u); err != nil {
			return
		}
		if u.Scheme != "https" || u.User != nil {
			t.Fatalf("%q passed", text)
		}
		host := u.Hostname()
		if literal, err := netip.ParseAddr(host); err == nil {
			ip = literal
		}
		if err := newGuard(Config{}).checkAddr(host, ip); err == nil && !public(ip) {
			t.Fatalf("%q at %s passed", host, ip)
		}
		if len(host) < 64 && !public(ip) {
			if err := dialOutcome(Config{}, host, ip); errors.Is(err, errDialed) {
				t.Fatalf("%q at %s was dialed", host, ip)
			}
		}
	})
}
