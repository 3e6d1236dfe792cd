package caddymodule

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// A site is where a handler stands.
type site struct {
	// hosts are the host matchers of the handler's route, in lower case;
	// none if it serves every host.
	hosts []string

	// bases are how browsers reach the site's listeners: scheme and port,
	// the port empty where it is the scheme's own.
	bases []base
}

type base struct{ scheme, port string }

var errNoSite = errors.New("its site cannot be found")

// findSite returns the site of the handler that is configured at origin.
//
// A handler is not told where it stands. But while it is provisioned the
// context holds its server, whose top-level routes have their matchers
// ready and still have, in JSON, the handlers that are being made: the
// route that holds our origin is ours. Several can be, and then the handler
// may be in any of them.
func findSite(ctx caddy.Context, origin string) (site, error) {
	server, ok := ctx.Value(caddyhttp.ServerCtxKey).(*caddyhttp.Server)
	if !ok || origin == "" {
		return site{}, errNoSite
	}
	mark, err := json.Marshal(origin)
	if err != nil {
		return site{}, err
	}
	var s site
	found := false
	for _, route := range server.Routes {
		holds := func(raw json.RawMessage) bool { return bytes.Contains(raw, mark) }
		if !slices.ContainsFunc(route.HandlersRaw, holds) {
			continue
		}
		hosts, err := hostsOf(route)
		if err != nil {
			return site{}, err
		}
		if len(hosts) == 0 {
			s.hosts, found = nil, true
			break // any host
		}
		s.hosts, found = append(s.hosts, hosts...), true
	}
	if !found {
		return site{}, errNoSite
	}
	s.bases, err = basesOf(ctx, server)
	return s, err
}

// hostsOf returns the hosts of a route; none means every host.
func hostsOf(route caddyhttp.Route) ([]string, error) {
	repl := caddy.NewReplacer()
	var hosts []string
	for _, set := range route.MatcherSets {
		every := true
		for _, matcher := range set {
			match, ok := matcher.(*caddyhttp.MatchHost)
			if !ok {
				continue
			}
			every = false
			for _, host := range *match {
				host, err := repl.ReplaceOrErr(host, true, true)
				if err != nil {
					return nil, fmt.Errorf("site address: %w", err)
				}
				hosts = append(hosts, strings.ToLower(host))
			}
		}
		if every {
			return nil, nil
		}
	}
	return hosts, nil
}

// basesOf returns how the server's listeners are reached. A listener on
// Caddy's own HTTP or HTTPS port, if that was moved, is also reached at the
// scheme's usual one: such a port is moved because something in front maps
// the usual one to it.
func basesOf(ctx caddy.Context, server *caddyhttp.Server) ([]base, error) {
	httpPort, httpsPort := strconv.Itoa(caddyhttp.DefaultHTTPPort), strconv.Itoa(caddyhttp.DefaultHTTPSPort)
	if app, err := ctx.AppIfConfigured("http"); err == nil {
		if app, ok := app.(*caddyhttp.App); ok && app.HTTPPort != 0 {
			httpPort = strconv.Itoa(app.HTTPPort)
		}
		if app, ok := app.(*caddyhttp.App); ok && app.HTTPSPort != 0 {
			httpsPort = strconv.Itoa(app.HTTPSPort)
		}
	}
	var bases []base
	add := func(b base) {
		if !slices.Contains(bases, b) {
			bases = append(bases, b)
		}
	}
	for _, listen := range server.Listen {
		address, err := caddy.ParseNetworkAddress(listen)
		if err != nil {
			return nil, fmt.Errorf("listener %s: %w", listen, err)
		}
		for port := address.StartPort; port <= address.EndPort; port++ {
			b := base{scheme: "http"}
			own, usual := httpPort, "80"
			if name := strconv.Itoa(int(port)); len(server.TLSConnPolicies) > 0 && name != httpPort {
				b.scheme, own, usual = "https", httpsPort, "443"
			}
			if port != 0 && !address.IsUnixNetwork() {
				b.port = strconv.Itoa(int(port))
			}
			if b.port == usual {
				b.port = ""
			}
			add(b)
			if b.port == own {
				add(base{scheme: b.scheme})
			}
		}
	}
	return bases, nil
}

// exact returns the site's hosts for a gate, which must know each by name:
// cookies and redirect URIs belong to one host.
func (s site) exact() ([]string, error) {
	if len(s.hosts) == 0 {
		return nil, errors.New("this site answers for every host; name those of the gate, such as: hosts app.example.com")
	}
	for _, host := range s.hosts {
		if strings.Contains(host, "*") {
			return nil, fmt.Errorf("the site %s is a wildcard; name the hosts of the gate, such as: hosts %s",
				host, strings.ReplaceAll(host, "*", "app"))
		}
	}
	return s.hosts, nil
}

// serves says whether the site answers for host.
func (s site) serves(host string) bool {
	return len(s.hosts) == 0 || slices.ContainsFunc(s.hosts, func(pattern string) bool {
		return pattern == host || matchWildcard(pattern, host)
	})
}

// matchWildcard says whether pattern, in which a label may be "*", matches
// host as Caddy's host matcher does.
func matchWildcard(pattern, host string) bool {
	patterns, labels := strings.Split(pattern, "."), strings.Split(host, ".")
	if len(patterns) != len(labels) {
		return false
	}
	for i, p := range patterns {
		if p != "*" && p != labels[i] {
			return false
		}
	}
	return true
}

// origins returns the origins of hosts, each of which is a host name, or
// with port, or a whole origin.
func (s site) origins(hosts []string) ([]string, error) {
	var out []string
	for _, host := range hosts {
		if strings.Contains(host, "*") {
			return nil, fmt.Errorf("%s is not one host; write the exact ones, such as: hosts %s", host, strings.ReplaceAll(host, "*", "app"))
		}
		if strings.Contains(host, "://") {
			u, err := url.Parse(host)
			if err != nil || u.Host == "" || u.Path != "" && u.Path != "/" || u.RawQuery != "" {
				return nil, fmt.Errorf("hosts: %q is not a host or origin; write app.example.com or https://app.example.com", host)
			}
			out = append(out, u.Scheme+"://"+strings.ToLower(u.Host))
			continue
		}
		for _, b := range s.bases {
			if origin := b.origin(host); !slices.Contains(out, origin) {
				out = append(out, origin)
			}
		}
	}
	return out, nil
}

func (b base) origin(host string) string {
	if _, _, err := net.SplitHostPort(host); err == nil {
		return b.scheme + "://" + host // it brings its port
	}
	host = strings.Trim(host, "[]")
	if b.port != "" {
		return b.scheme + "://" + net.JoinHostPort(host, b.port)
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return b.scheme + "://" + host
}
