package caddymodule

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/op"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/script"
)

// Script runs once for each sign-in at the provider, after the mappings,
// and may change the authentication context.
type Script struct {
	// The file, whose JavaScript sets module.exports to a function of the
	// context. A relative name starts from the directory that Caddy was
	// started in. The file is read when the configuration is loaded.
	// Required.
	File string `json:"file,omitempty"`

	// How long it may run. Default: 50ms.
	Timeout caddy.Duration `json:"timeout,omitempty"`

	// How long it may take together with waiting for answers. Default: 2s.
	Wait caddy.Duration `json:"wait,omitempty"`

	// What its failure means: "deny" (the default) ends the sign-in;
	// "continue" goes on as if there were no script.
	OnError string `json:"on_error,omitempty"`

	// What the script finds in context.secrets, by name, each as
	// {env.NAME} or {file.PATH}.
	Secrets map[string]string `json:"secrets,omitempty"`

	// The hosts, with a port unless it is 443, that the script may fetch
	// from, by https. Default: it has no network.
	AllowHosts []string `json:"allow_hosts,omitempty"`

	// Where this is configured, such as "Caddyfile:9".
	Origin string `json:"origin,omitempty"`
}

// What the failure of a script means.
const (
	onErrorDeny     = "deny"
	onErrorContinue = "continue"
)

// resolve returns the settings without placeholders. Place names the
// provider.
func (s *Script) resolve(r resolver, place string) (*Script, error) {
	out := *s
	out.Origin, out.Secrets = "", make(map[string]string, len(s.Secrets))
	var err error
	if out.File, err = r.text(place, "script", s.File); err != nil {
		return nil, err
	}
	if out.File == "" {
		return nil, fmt.Errorf("%s: script: file is missing; name the file", place)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Secrets)) {
		if out.Secrets[name], err = r.secret(place, "script: secret "+name, s.Secrets[name]); err != nil {
			return nil, err
		}
	}
	if out.AllowHosts, err = r.texts(place, "script: allow_hosts", s.AllowHosts); err != nil {
		return nil, err
	}
	return &out, nil
}

// script reads and compiles the script of resolved settings.
func (s *Script) script(b *builder, place string) (*op.Script, error) {
	source, err := os.ReadFile(s.File)
	if err != nil {
		return nil, fmt.Errorf("%s: script: %w; name a file that Caddy can read", place, err)
	}
	onError, err := either(s.OnError, onErrorDeny, onErrorContinue)
	if err != nil {
		return nil, fmt.Errorf("%s: script: on_error %w", place, err)
	}
	compiled, err := b.pooled.engine().Compile(script.Config{
		Name: s.File, Source: string(source), Timeout: time.Duration(s.Timeout), Wait: time.Duration(s.Wait),
		Secrets: s.Secrets, AllowHosts: s.AllowHosts, Client: b.client.HTTP(),
	})
	if err != nil {
		return nil, fmt.Errorf("%s: script: %w", place, err)
	}
	return &op.Script{Compiled: compiled, ContinueOnError: onError}, nil
}
