package caddymodule

import (
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

// readScript reads a post-authentication script. Syntax:
//
//	script <file> {
//		timeout <time>
//		wait <time>
//		on_error deny|continue
//		secret <name> <placeholder>
//		allow_hosts <host>...
//	}
func (p *Provider) readScript(d *caddyfile.Dispenser) error {
	s := &Script{Origin: originOf(d)}
	if !d.AllArgs(&s.File) || s.File == "" {
		return d.Errf("script takes one argument, the file, such as: script /etc/caddy/post_authn.js")
	}
	p.Script = s
	return readBlock(d, "script", s.words(), map[string]bool{})
}

func (s *Script) words() []word {
	return []word{
		{name: "timeout", read: duration(&s.Timeout)},
		{name: "wait", read: duration(&s.Wait)},
		{name: "on_error", read: oneOf(&s.OnError, onErrorDeny, onErrorContinue)},
		{name: "secret", read: s.readSecret, many: true},
		{name: "allow_hosts", read: list(&s.AllowHosts), many: true},
	}
}

func (s *Script) readSecret(d *caddyfile.Dispenser) error {
	var name, value string
	if !d.AllArgs(&name, &value) || name == "" || value == "" {
		return d.Errf("secret takes a name and a value, such as: secret crm_key {env.CRM_KEY}")
	}
	if _, taken := s.Secrets[name]; taken {
		return d.Errf("secret: %s is given twice; keep one", name)
	}
	if s.Secrets == nil {
		s.Secrets = map[string]string{}
	}
	s.Secrets[name] = value
	return nil
}
