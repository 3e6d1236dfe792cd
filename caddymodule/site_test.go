package caddymodule

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSiteServes(t *testing.T) {
	for _, test := range []struct {
		hosts []string
		host  string
		want  bool
	}{
		{nil, "auth.example.com", true},
		{[]string{"auth.example.com"}, "auth.example.com", true},
		{[]string{"app.example.com", "auth.example.com"}, "auth.example.com", true},
		{[]string{"app.example.com"}, "auth.example.com", false},
		{[]string{"*.example.com"}, "auth.example.com", true},
		{[]string{"*.example.com"}, "a.auth.example.com", false},
		{[]string{"*.example.com"}, "example.com", false},
	} {
		if got := (site{hosts: test.hosts}).serves(test.host); got != test.want {
			t.Errorf("a site of %v serves %s: %v, want %v", test.hosts, test.host, got, test.want)
		}
	}
}

func TestSiteOrigins(t *testing.T) {
	s := site{bases: []base{{"https", "8443"}, {"https", ""}}}
	for _, test := range []struct {
		host string
		want []string
	}{
		{"app.example.com", []string{"https://app.example.com:8443", "https://app.example.com"}},
		{"app.example.com:9000", []string{"https://app.example.com:9000"}},
		{"https://App.example.com", []string{"https://app.example.com"}},
		{"http://localhost:3000/", []string{"http://localhost:3000"}},
		{"[::1]", []string{"https://[::1]:8443", "https://[::1]"}},
		{"::1", []string{"https://[::1]:8443", "https://[::1]"}},
		{"https://app.example.com/path", nil},
		{"https://", nil},
		{"*.example.com", nil},
	} {
		got, err := s.origins([]string{test.host})
		if (err != nil) != (test.want == nil) {
			t.Errorf("origins(%s): error %v", test.host, err)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("origins(%s) (-want +got):\n%s", test.host, diff)
		}
	}
}
