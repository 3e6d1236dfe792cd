package ui

import (
	"strings"
	"testing"
)

func TestLinks(t *testing.T) {
	tests := []struct {
		url        string
		web, local bool
	}{
		{"https://example.com/a?b=c#d", true, false},
		{"http://localhost:3000", true, false},
		{"https://[2001:db8::1]/", true, false},
		{"https://b\u00fccher.example/", true, false},
		{"/", false, true},
		{"/oauth2/login?connection=acme&x=%2F", false, true},

		{"", false, false},
		{"login", false, false},
		{"../login", false, false},
		{"?a", false, false},
		{"//evil.example/", false, false},
		{`/\evil.example/`, false, false},
		{`\\evil.example\`, false, false},
		{"/\t/evil.example/", false, false},
		{"/\n/evil.example/", false, false},
		{" https://example.com", false, false},
		{"https://example.com/a b", false, false},
		{"https://bank.example@evil.example/", false, false},
		{"https://", false, false},
		{"https://\"", false, false},
		{"https://<b>.example/", false, false},
		{"https://a%22b.example/", false, false},
		{"https://[fe80::1%25eth0]/", false, false},
		{"https:example.com", false, false},
		{"javascript:alert(1)", false, false},
		{"JaVaScRiPt:alert(1)", false, false},
		{"java\nscript:alert(1)", false, false},
		{"\x01javascript:alert(1)", false, false},
		{"data:text/html,<script>alert(1)</script>", false, false},
		{"vbscript:x", false, false},
		{"mailto:ada@example.com", false, false},
		{"tel:+1", false, false},
		{"file:///etc/passwd", false, false},
		{"ftp://example.com/", false, false},
		{"/%zz", false, false},
		{"https://exa mple.com", false, false},
		{"/" + strings.Repeat("a", maxURL), false, false},
	}
	for _, tt := range tests {
		if got := webURL(tt.url) != ""; got != tt.web {
			t.Errorf("webURL(%q) accepted: %v", tt.url, got)
		}
		if got := localPath(tt.url) != ""; got != tt.local {
			t.Errorf("localPath(%q) accepted: %v", tt.url, got)
		}
		if got := target(tt.url) != ""; got != (tt.web || tt.local) {
			t.Errorf("target(%q) accepted: %v", tt.url, got)
		}
	}
}
