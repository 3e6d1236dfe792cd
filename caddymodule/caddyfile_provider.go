package caddymodule

import (
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/provider/oidc"
)

// readProvider reads one provider. What follows the kind can be on the line
// for auth0, and any word can be in the block. Syntax:
//
//	provider auth0 [<domain> <client_id> <client_secret>] {
//		<common word>
//		domain <host[:port]>
//		organization <id or name>
//		organizations <id>...
//		connection <name>
//		screen_hint <page>
//		authentication_method client_secret_post|private_key_jwt <key>
//	}
//	provider oidc {
//		<common word>
//		issuer <url>
//		authentication_method client_secret_basic|client_secret_post|private_key_jwt <key>|none
//		algorithms <name>...
//	}
//
// Common words:
//
//	id <id>
//	name <text>
//	display_order <number>
//	hidden
//	disabled
//	client_id <id>
//	client_secret <placeholder>
//	scopes <scope>...
//	userinfo [optional]
//	send_login_hint
//	authorize_param <name> <value>
//	audience <url>
//	logo_uri <url>
//	domains <domain>...
//	attribute <name> <source> <claim path> [<type> [<display name>]]
//	map <attribute> <context attribute> [weak] [required]
//	map_static <value>... <context attribute>
//	unmap <context attribute>
//	amr <method>...
//	allow_custom_amr
//	trust_email
//	context_cache <time>
//	subject_namespace <issuer>
//	script <file> { ... }
//	post_authn_app { ... }
func (a *App) readProvider(d *caddyfile.Dispenser) error {
	p := &Provider{Origin: originOf(d)}
	if !d.NextArg() {
		return d.Errf("provider: name its kind; use one of: auth0, oidc, saml")
	}
	p.Kind = d.Val()
	if err := checkKind(p.Kind); err != nil {
		return d.WrapErr(err)
	}
	given := map[string]bool{}
	if err := p.readArguments(d, given); err != nil {
		return err
	}
	if err := readBlock(d, "provider "+p.Kind, p.words(), given); err != nil {
		return err
	}
	if err := p.checkAMR(); err != nil {
		return err
	}
	for _, other := range a.Providers {
		if id := p.id(); id == other.id() {
			return d.Errf("provider: the id %s is taken by that at %s; give one of them another id", id, other.Origin)
		}
	}
	a.Providers = append(a.Providers, *p)
	return nil
}

// readArguments reads the short form.
func (p *Provider) readArguments(d *caddyfile.Dispenser, given map[string]bool) error {
	args := d.RemainingArgs()
	switch {
	case len(args) == 0:
		return nil
	case p.Kind != kindAuth0:
		return d.Errf("provider %s takes no argument; write its words in a block", p.Kind)
	case len(args) != 3:
		return d.Errf("provider auth0: write: provider auth0 DOMAIN CLIENT_ID CLIENT_SECRET, or a block")
	}
	p.Domain, p.ClientID, p.ClientSecret = args[0], args[1], args[2]
	given["domain"], given["client_id"], given["client_secret"] = true, true, true
	return nil
}

func (p *Provider) words() []word {
	words := append(p.commonWords(), p.attributeWords()...)
	if p.Kind == kindAuth0 {
		return append(words,
			word{name: "domain", read: text(&p.Domain)},
			word{name: "authentication_method", read: p.readMethod(oidc.AuthPost, oidc.AuthPrivateKeyJWT)},
			word{name: "organization", read: text(&p.Organization)},
			word{name: "organizations", read: list(&p.Organizations)},
			word{name: "connection", read: text(&p.Connection)},
			word{name: "screen_hint", read: text(&p.ScreenHint)})
	}
	return append(words,
		word{name: "issuer", read: text(&p.Issuer)},
		word{name: "authentication_method", read: p.readMethod(oidc.AuthBasic, oidc.AuthPost, oidc.AuthPrivateKeyJWT, oidc.AuthNone)},
		word{name: "algorithms", read: list(&p.Algorithms)})
}

func (p *Provider) commonWords() []word {
	return []word{
		{name: "id", read: text(&p.ID)},
		{name: "name", read: text(&p.Name)},
		{name: "logo_uri", read: text(&p.LogoURI)},
		{name: "display_order", read: number(&p.DisplayOrder)},
		{name: "hidden", read: toggle(&p.Hidden)},
		{name: "disabled", read: toggle(&p.Disabled)},
		{name: "domains", read: list(&p.Domains)},
		{name: "client_id", read: text(&p.ClientID)},
		{name: "client_secret", read: text(&p.ClientSecret)},
		{name: "scopes", read: list(&p.Scopes)},
		{name: "audience", read: text(&p.Audience)},
		{name: "userinfo", read: p.readUserinfo},
		{name: "send_login_hint", read: toggle(&p.SendLoginHint)},
		{name: "authorize_param", read: p.readAuthorizeParam, many: true},
		{name: "script", read: p.readScript},
		{name: "post_authn_app", read: p.readPostAuthnApp},
	}
}

// readMethod reads how the client proves itself, out of methods. One of
// them takes a key.
func (p *Provider) readMethod(methods ...string) func(*caddyfile.Dispenser) error {
	return func(d *caddyfile.Dispenser) error {
		args := d.RemainingArgs()
		if len(args) == 0 || !slices.Contains(methods, args[0]) {
			return d.Errf("authentication_method: write one of: %s", strings.Join(methods, ", "))
		}
		p.AuthenticationMethod = args[0]
		switch keyed := args[0] == oidc.AuthPrivateKeyJWT; {
		case keyed && len(args) == 2 && args[1] != "":
			p.SigningKey = args[1]
		case keyed:
			return d.Errf("authentication_method private_key_jwt takes the key, such as: authentication_method private_key_jwt {file./run/secrets/key.pem}")
		case len(args) > 1:
			return d.Errf("authentication_method %s takes nothing more", args[0])
		}
		return nil
	}
}

func (p *Provider) readUserinfo(d *caddyfile.Dispenser) error {
	switch args := d.RemainingArgs(); {
	case len(args) == 0:
		p.GetUserInfo = "on"
	case len(args) == 1 && args[0] == "optional":
		p.GetUserInfo = "optional"
	default:
		return d.Errf("userinfo: write userinfo, or userinfo optional")
	}
	return nil
}

func (p *Provider) readAuthorizeParam(d *caddyfile.Dispenser) error {
	var name, value string
	if !d.AllArgs(&name, &value) || name == "" {
		return d.Errf("authorize_param takes a name and a value")
	}
	if _, taken := p.AuthorizeParams[name]; taken {
		return d.Errf("authorize_param: %s is given twice; keep one", name)
	}
	if p.AuthorizeParams == nil {
		p.AuthorizeParams = map[string]string{}
	}
	p.AuthorizeParams[name] = value
	return nil
}
