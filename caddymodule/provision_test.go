package caddymodule

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// minimal is the Caddyfile of the README, as people will write it first.
const minimal = `{
	auth_broker {
		issuer https://auth.example.com
		provider auth0 {env.AUTH0_DOMAIN} {env.AUTH0_CLIENT_ID} {env.AUTH0_CLIENT_SECRET}
	}
}
auth.example.com {
	auth_broker
}
app.example.com {
	auth_gate
	reverse_proxy localhost:3000
}
`

const upstreamSecret = "not-a-secret-upstream"

func setVariables(t *testing.T) {
	t.Helper()
	t.Setenv("AUTH0_DOMAIN", "example.eu.auth0.com")
	t.Setenv("AUTH0_CLIENT_ID", "upstream-client")
	t.Setenv("AUTH0_CLIENT_SECRET", upstreamSecret)
}

// globals returns a Caddyfile with lines in the global block and sites
// behind it. The first of the lines is line 4.
func globals(lines string, sites string) string {
	return "{\n\tauth_broker {\n\t\tissuer https://auth.example.com\n" + lines + "\n\t}\n}\n" + sites
}

const provider4 = "\t\tprovider auth0 {env.AUTH0_DOMAIN} {env.AUTH0_CLIENT_ID} {env.AUTH0_CLIENT_SECRET}"

// TestM27_M31_ProvisionErrors proves that mistakes which only show when
// placeholders are replaced, or when site and broker meet, refuse the
// configuration and name line, word and cure.
func TestM27_M31_ProvisionErrors(t *testing.T) {
	for name, test := range map[string]struct {
		caddyfile string
		env       map[string]string
		want      string
	}{
		"secret variable empty": {
			globals(provider4, ""),
			map[string]string{"AUTH0_CLIENT_SECRET": ""},
			"Caddyfile:4: provider auth0: client_secret {env.AUTH0_CLIENT_SECRET} is empty; set the variable or use {file.path}",
		},
		"domain variable empty": {
			globals(provider4, ""),
			map[string]string{"AUTH0_DOMAIN": ""},
			"Caddyfile:4: provider auth0: domain {env.AUTH0_DOMAIN} is empty; set the variable or use {file.path}",
		},
		"client id variable empty": {
			globals(provider4, ""),
			map[string]string{"AUTH0_CLIENT_ID": ""},
			"Caddyfile:4: provider auth0: client_id {env.AUTH0_CLIENT_ID} is empty; set the variable or use {file.path}",
		},
		"secret file missing": {
			globals("\t\tprovider auth0 a.example b {file./does/not/exist}", ""), nil,
			"Caddyfile:4: provider auth0: client_secret {file./does/not/exist} is empty; write the value into that file",
		},
		"secret with braces": {
			globals("\t\tprovider auth0 a.example b not-a-{secret}-value", ""), nil,
			`Caddyfile:4: provider auth0: client_secret has braces that are no placeholder`,
		},
		"domain missing": {
			globals("\t\tprovider auth0 {\n\t\t\tclient_id a\n\t\t\tclient_secret {env.AUTH0_CLIENT_SECRET}\n\t\t}", ""), nil,
			"Caddyfile:4: provider auth0: domain is missing",
		},
		"client id missing": {
			globals("\t\tprovider auth0 {\n\t\t\tdomain a.example\n\t\t\tclient_secret {env.AUTH0_CLIENT_SECRET}\n\t\t}", ""), nil,
			"Caddyfile:4: provider auth0: client_id is missing",
		},
		"client secret missing": {
			globals("\t\tprovider auth0 {\n\t\t\tdomain a.example\n\t\t\tclient_id a\n\t\t}", ""), nil,
			"Caddyfile:4: provider auth0: client_secret is missing",
		},
		"domain with scheme": {
			globals(provider4, ""),
			map[string]string{"AUTH0_DOMAIN": "https://example.eu.auth0.com/"},
			"Caddyfile:4: provider auth0: domain",
		},
		"issuer of a provider missing": {
			globals("\t\tprovider oidc {\n\t\t\tclient_id a\n\t\t}", ""), nil,
			"Caddyfile:4: provider oidc: issuer is missing",
		},
		"scopes without openid": {
			globals("\t\tprovider auth0 a.example b {env.AUTH0_CLIENT_SECRET} {\n\t\t\tscopes email\n\t\t}", ""), nil,
			"Caddyfile:4: provider auth0: scopes lacks openid",
		},
		"id with capitals": {
			globals("\t\tprovider auth0 a.example b {env.AUTH0_CLIENT_SECRET} {\n\t\t\tid Acme\n\t\t}", ""), nil,
			`provider Acme: id must be 1 to 64 of a-z`,
		},
		"no provider": {globals("", ""), nil, "Caddyfile:2: no provider; add one"},
		"no issuer": {
			"{\n\tauth_broker {\n" + provider4 + "\n\t}\n}\n", nil,
			"Caddyfile:2: issuer is missing",
		},
		"issuer variable empty": {
			"{\n\tauth_broker {\n\t\tissuer {env.NO_ISSUER}\n" + provider4 + "\n\t}\n}\n", nil,
			"Caddyfile:2: auth_broker: issuer {env.NO_ISSUER} is empty",
		},
		"issuer with slash": {
			"{\n\tauth_broker {\n\t\tissuer https://auth.example.com/\n" + provider4 + "\n\t}\n}\n", nil,
			"must not end in a slash; write https://auth.example.com",
		},
		"client without redirect_uris": {
			globals(provider4+"\n\t\tclient a {\n\t\t\tpublic\n\t\t}", ""), nil,
			"Caddyfile:5: client a: redirect_uris is missing",
		},
		"client without secret": {
			globals(provider4+"\n\t\tclient a {\n\t\t\tredirect_uris https://a.example/\n\t\t}", ""), nil,
			"Caddyfile:5: client a: secret is missing; give one by {env.NAME} or {file.PATH}, or write public",
		},
		"client secret variable empty": {
			globals(provider4+"\n\t\tclient a {\n\t\t\tsecret {env.NO_SECRET}\n\t\t}", ""), nil,
			"Caddyfile:5: client a: secret {env.NO_SECRET} is empty; set the variable or use {file.path}",
		},
		"client of an unknown provider": {
			globals(provider4+"\n\t\tclient a {\n\t\t\tpublic\n\t\t\tprovider okta\n\t\t\tredirect_uris https://a.example/\n\t\t}", ""), nil,
			`Caddyfile:5: client a: provider "okta" is not configured; use one of: auth0`,
		},
		"roots missing": {
			globals(provider4+"\n\t\toutbound {\n\t\t\ttrusted_roots /does/not/exist.pem\n\t\t}", ""), nil,
			"Caddyfile:5: outbound: trusted_roots: open /does/not/exist.pem",
		},
		"range wrong": {
			globals(provider4+"\n\t\toutbound {\n\t\t\tallow 10.1.0.0\n\t\t}", ""), nil,
			`Caddyfile:5: outbound: allow "10.1.0.0" is not an address range`,
		},
		"endpoints without the global block": {
			"auth.example.com {\n\tauth_broker\n}\n", nil,
			"Caddyfile:2: auth_broker: the broker is not configured; add the global option auth_broker",
		},
		"gate without the global block": {
			"app.example.com {\n\tauth_gate\n}\n", nil,
			"Caddyfile:2: auth_gate: the broker is not configured; add the global option auth_broker",
		},
		"endpoints on another host": {
			globals(provider4, "app.example.com {\n\tauth_broker\n}\n"), nil,
			"Caddyfile:8: auth_broker: this site is app.example.com, but the issuer is https://auth.example.com; put auth_broker into the site auth.example.com, or change the issuer",
		},
		"gate on a wildcard": {
			globals(provider4, "*.example.com {\n\tauth_gate\n}\n"), nil,
			"Caddyfile:8: auth_gate: the site *.example.com is a wildcard; name the hosts of the gate, such as: hosts app.example.com",
		},
		"gate on every host": {
			globals(provider4, ":8443 {\n\tauth_gate\n}\n"), nil,
			"Caddyfile:8: auth_gate: this site answers for every host; name those of the gate, such as: hosts app.example.com",
		},
		"gate with a wildcard in hosts": {
			globals(provider4, "*.example.com {\n\tauth_gate {\n\t\thosts *.example.com\n\t}\n}\n"), nil,
			"Caddyfile:8: auth_gate: *.example.com is not one host",
		},
		"gate on plain http": {
			globals(provider4, "http://app.example.com {\n\tauth_gate\n}\n"), nil,
			"Caddyfile:8: auth_gate: the site http://app.example.com is not https",
		},
		"gate in handle_errors": {
			globals(provider4, "app.example.com {\n\thandle_errors {\n\t\tauth_gate\n\t}\n}\n"), nil,
			"Caddyfile:9: auth_gate: its site cannot be found; write its origins, such as: hosts https://app.example.com",
		},
		"gate of an unknown provider": {
			globals(provider4, "app.example.com {\n\tauth_gate {\n\t\tprovider okta\n\t}\n}\n"), nil,
			`Caddyfile:8: auth_gate of app.example.com: client gate:app.example.com: provider "okta" is not configured`,
		},
		"gate with required scopes it does not ask for": {
			globals(provider4, "app.example.com {\n\tauth_gate {\n\t\trequired_scopes phone\n\t}\n}\n"), nil,
			"Caddyfile:8: auth_gate of app.example.com: client gate:app.example.com: required_scopes must be among scopes",
		},
		"gate with an unknown placeholder": {
			globals(provider4, "app.example.com {\n\tauth_gate {\n\t\theader X-User {user}\n\t}\n}\n"), nil,
			"Caddyfile:9: auth_gate: header X-User: {user} is not known; use {claim.NAME}",
		},
		"gate with an ambiguous public path": {
			globals(provider4, "app.example.com {\n\tauth_gate {\n\t\tpublic /assets*\n\t}\n}\n"), nil,
			`Caddyfile:8: public "/assets*"`,
		},
		"two gates of one site that differ": {
			globals(provider4, "app.example.com {\n\tauth_gate /a/* {\n\t\ttrusted\n\t}\n\tauth_gate /b/*\n}\n"), nil,
			"another auth_gate of the same site has another name, scopes, provider or trusted; make them equal",
		},
	} {
		t.Run(name, func(t *testing.T) {
			setVariables(t)
			for k, v := range test.env {
				t.Setenv(k, v)
			}
			err := validate(isolated(t, test.caddyfile))
			if err == nil {
				t.Fatalf("no error; want %q", test.want)
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %q\nlacks %q", err, test.want)
			}
			if strings.Contains(err.Error(), "not-a-") {
				t.Errorf("error %q holds a secret", err)
			}
		})
	}
}

// isolated adapts a Caddyfile for validate: no line of it moves.
func isolated(t *testing.T, input string) []byte {
	t.Helper()
	s := &server{T: t, dir: t.TempDir()}
	raw, _, err := adapt(input)
	if err != nil {
		t.Fatal(err)
	}
	return s.quiet(s.patch(raw, nil))
}

// TestM29_UnknownKind proves that JSON, which no parser has looked at, is
// answered with the kinds there are.
func TestM29_UnknownKind(t *testing.T) {
	for kind, want := range map[string]string{
		"okta": `provider "okta" is of no known kind; use one of: auth0, oidc, saml`,
		"":     `provider "" is of no known kind; use one of: auth0, oidc, saml`,
		"saml": "provider saml belongs to the package",
	} {
		err := validate([]byte(`{"logging":{"logs":{"default":{"writer":{"output":"discard"}}}},"apps":{"auth_broker":{
			"issuer":"https://auth.example.com","providers":[{"kind":"` + kind + `"}]}}}`))
		if err == nil || !strings.Contains(err.Error(), "apps.auth_broker.providers[0]: "+want) {
			t.Errorf("kind %q: error %v, want %q", kind, err, want)
		}
	}
}

// TestJSONErrors covers mistakes that a Caddyfile cannot make.
func TestJSONErrors(t *testing.T) {
	const provider = `{"kind":"oidc","issuer":"https://login.example.com","client_id":"a","authentication_method":"none"}`
	for name, test := range map[string]struct{ app, want string }{
		"word of another kind": {
			`"providers":[{"kind":"oidc","domain":"a.example"}]`,
			"apps.auth_broker.providers[0]: provider oidc: domain is no word of provider oidc; remove it",
		},
		"word of another kind, auth0": {
			`"providers":[{"kind":"auth0","algorithms":["RS256"]}]`,
			"apps.auth_broker.providers[0]: provider auth0: algorithms is no word of provider auth0; remove it",
		},
		"null provider":      {`"providers":[null]`, `apps.auth_broker.providers[0]: provider "" is of no known kind`},
		"null client":        {`"providers":[` + provider + `],"clients":[null]`, "apps.auth_broker.clients[0]: client: id must have"},
		"unknown field":      {`"provider":[]`, `unknown field "provider"`},
		"id twice":           {`"providers":[` + provider + `,` + provider + `]`, "provider oidc: the id is given twice"},
		"storage":            {`"storage":{"kind":"redis"},"providers":[` + provider + `]`, `apps.auth_broker.storage: storage: "redis" is unknown; use: embedded`},
		"negative time":      {`"session":{"lifetime":-1},"providers":[` + provider + `]`, "session: lifetime: must not be negative"},
		"pkce":               {`"providers":[` + provider + `],"clients":[{"id":"a","pkce":"plain"}]`, `apps.auth_broker.clients[0]: client a: pkce "plain" is unknown; use required or optional`},
		"application type":   {`"providers":[` + provider + `],"clients":[{"id":"a","application_type":"x"}]`, `application_type "x" is unknown; use web or native`},
		"empty secret":       {`"providers":[` + provider + `],"clients":[{"id":"a","secrets":[""]}]`, "client a: secret is empty"},
		"userinfo":           {`"providers":[{"kind":"oidc","issuer":"https://login.example.com","client_id":"a","authentication_method":"none","get_user_info":"x"}]`, `userinfo "x" is unknown`},
		"authorization mode": {`"providers":[{"kind":"oidc","issuer":"https://login.example.com","client_id":"a","authentication_method":"x"}]`, `authentication_method "x" is unknown`},
		"subject format":     {`"subject_format":"sub","providers":[` + provider + `]`, `auth_broker: subject_format "sub" is unknown; use hash or legacy`},
		"feature":            {`"features":["x"],"providers":[` + provider + `]`, `auth_broker: feature "x" is unknown; use one or more of: custom_apps`},
		"context path":       {`"context":[{"name":"a..b","type":"string"}],"providers":[` + provider + `]`, "apps.auth_broker.context[0]: context: claim path `a..b`: column 3"},
		"context type":       {`"context":[{"name":"a","type":"x"}],"providers":[` + provider + `]`, `apps.auth_broker.context[0]: context "a": unknown type "x"`},
		"scope name":         {`"scopes":[{"name":"a b"}],"providers":[` + provider + `]`, `apps.auth_broker.scopes[0]: scope "a b": not a scope name`},
		"scope twice":        {`"scopes":[{"name":"a"},{"name":"a"}],"providers":[` + provider + `]`, `apps.auth_broker.scopes[1]: scope "a": declared twice`},
		"scope":              {`"scopes":[{"name":"a","implicit_grant":true,"transient":true}],"providers":[` + provider + `]`, `apps.auth_broker.scopes[0]: scope "a": implicit_grant never asks`},
		"claim path":         {`"claims":[{"name":"a","types":["id_token"],"source_path":"a\\b"}],"providers":[` + provider + `]`, `apps.auth_broker.claims[0]: claim "a": from: claim path`},
		"claim types":        {`"claims":[{"name":"groups"}],"providers":[` + provider + `]`, `apps.auth_broker.claims[0]: claim "groups": no token type`},
		"grants":             {`"providers":[` + provider + `],"clients":[{"id":"a","grants":["x"]}]`, `apps.auth_broker.clients[0]: client a: grants: "x" is unknown`},
	} {
		t.Run(name, func(t *testing.T) {
			err := validate([]byte(`{"logging":{"logs":{"default":{"writer":{"output":"discard"}}}},"apps":{"auth_broker":{
				"issuer":"https://auth.example.com",` + test.app + `}}}`))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v\nlacks %q", err, test.want)
			}
		})
	}
}

// TestJSONErrorsOfAttributes covers mistakes in what is made of a provider's
// answers; each is named by its JSON path.
func TestJSONErrorsOfAttributes(t *testing.T) {
	const place = "apps.auth_broker.providers[0]"
	for name, test := range map[string]struct{ words, want string }{
		"attribute path":      {`"attributes":[{"name":"a","source":"id_token","claim":"."}]`, place + `.attributes[0]: attribute "a": claim path`},
		"attribute source":    {`"attributes":[{"name":"a","source":"saml","claim":"a"}]`, place + `.attributes[0]: attribute "a": source "saml" is unknown`},
		"attribute assertion": {`"attributes":[{"name":"a","source":"assertion","claim":"a"}]`, "source assertion is of provider saml only"},
		"attribute twice":     {`"attributes":[{"name":"a","source":"id_token","claim":"a"},{"name":"a","source":"id_token","claim":"b"}]`, place + `.attributes[1]: attribute "a": already declared (` + place + `.attributes[0])`},
		"attribute name":      {`"attributes":[{"source":"id_token","claim":"a"}]`, place + `.attributes[0]: attribute "": name is empty`},
		"userinfo off":        {`"attributes":[{"name":"a","source":"userinfo","claim":"a"}]`, place + `.attributes[0]: attribute "a": its source is userinfo, which provider oidc (` + place + `) does not ask`},
		"mapping source":      {`"mappings":[{"source":"emial","target":"nickname"}]`, place + `.mappings[0]: mapping: source "emial" is not a declared attribute; did you mean "email"`},
		"mapping nothing":     {`"mappings":[{"target":"nickname"}]`, place + `.mappings[0]: mapping: source is empty`},
		"mapping target":      {`"mappings":[{"source":"email","target":"a..b"}]`, place + `.mappings[0]: mapping: target: claim path`},
		"mapping type":        {`"mappings":[{"source":"email","target":"nickname","type":"number"}]`, place + `.mappings[0]: mapping: type number is not that of target "nickname"`},
		"mapping mode":        {`"mappings":[{"source":"email","target":"nickname","mode":"x"}]`, place + `.mappings[0]: mapping: mode "x" is unknown; use dynamic or static`},
		"static without mode": {`"mappings":[{"target":"nickname","static":"a"}]`, place + `.mappings[0]: mapping: a static value needs: "mode": "static"`},
		"mode without static": {`"mappings":[{"target":"nickname","mode":"static"}]`, place + `.mappings[0]: mapping: mode "static" needs the value: static`},
		"static null":         {`"mappings":[{"target":"nickname","mode":"static","static":null}]`, place + `.mappings[0]: mapping: the static value of "nickname"`},
		"static and source":   {`"mappings":[{"source":"email","target":"nickname","mode":"static","static":"a"}]`, place + `.mappings[0]: mapping: source and static value exclude each other`},
		"unmap":               {`"unmap":["groups"]`, place + `: provider oidc: unmap: "groups" has no default mapping; use one of: name`},
		"amr":                 {`"static_amr":["x"]`, place + `: provider oidc: amr: "x" is not a method of RFC 8176`},
		"negative cache":      {`"context_cache":-1`, place + `: provider oidc: context_cache: must not be negative`},
		"script file":         {`"script":{}`, place + `.script: provider oidc: script: file is missing`},
		"script on_error":     {`"script":{"file":"testdata/scripts/ok.js","on_error":"x"}`, place + `.script: provider oidc: script: on_error "x" is unknown; use deny or continue`},
		"script time":         {`"script":{"file":"testdata/scripts/ok.js","timeout":-1}`, place + `.script: provider oidc: script: testdata/scripts/ok.js: a running time of -1ns`},
		"application":         {`"post_authn_app":{}`, place + `.post_authn_app: provider oidc: post_authn_app is switched off`},
		"key without method":  {`"signing_key":"{env.EC_KEY}"`, place + `: provider oidc: a signing key is given, but authentication_method is none`},
		"method without key":  {`"authentication_method":"private_key_jwt"`, place + `: provider oidc: authentication_method private_key_jwt lacks its key`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("EC_KEY", ecKey(t))
			err := validate([]byte(`{"logging":{"logs":{"default":{"writer":{"output":"discard"}}}},"apps":{"auth_broker":{
				"issuer":"https://auth.example.com","providers":[{"kind":"oidc","issuer":"https://login.example.com","client_id":"a","authentication_method":"none",` + test.words + `}]}}}`))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v\nlacks %q", err, test.want)
			}
		})
	}
	assertPoolsEmpty(t)
}

// TestValidateLeavesNothingBehind proves that provisioning opens no store
// and makes no key: "caddy validate" beside a server must do no harm.
func TestValidateLeavesNothingBehind(t *testing.T) {
	setVariables(t)
	s := &server{T: t, dir: t.TempDir()}
	raw, _, err := adapt(minimal)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate(s.quiet(s.patch(raw, nil))); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Dir(s.database())); !os.IsNotExist(err) {
		t.Errorf("validation made %s: %v", filepath.Dir(s.database()), err)
	}
	assertPoolsEmpty(t)
}

// assertPoolsEmpty proves that Cleanup gave back all that Provision took.
func assertPoolsEmpty(t *testing.T) {
	t.Helper()
	states.Range(func(key, _ any) bool { t.Errorf("a store is still held: %v", key); return true })
	providers.Range(func(any, any) bool { t.Error("a provider is still held"); return true })
	engines.Range(func(any, any) bool { t.Error("the engine of scripts is still held"); return true })
}

// TestCleanupTwice proves that an app which was never provisioned, and one
// that is cleaned up again, give back nothing: once too often panics.
func TestCleanupTwice(t *testing.T) {
	a := new(App)
	if err := a.Cleanup(); err != nil {
		t.Error(err)
	}
	a.pooled.state(filepath.Join(t.TempDir(), "a.db"))
	for range 2 {
		if err := a.Cleanup(); err != nil {
			t.Error(err)
		}
	}
	assertPoolsEmpty(t)
}
