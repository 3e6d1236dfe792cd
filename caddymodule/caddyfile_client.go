package caddymodule

import (
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
)

// readClient reads one client. Syntax:
//
//	client <id> {
//		name <text>
//		secret <placeholder> [<old placeholder>]
//		public
//		redirect_uris <url>...
//		grants authorization_code|refresh_token|client_credentials...
//		scopes <scope>...
//		required_scopes <scope>...
//		provider <connection>...
//		consent remember|always|trusted
//		trusted
//		pkce required|optional
//		id_token_signed_response_alg RS256|ES256
//		token_endpoint_auth_method client_secret_basic|client_secret_post
//		application_type web|native
//		subject_type public|pairwise
//		sector_identifier_uri <url>
//		client_uri <url>
//		logo_uri <url>
//		policy_uri <url>
//		tos_uri <url>
//	}
func (a *App) readClient(d *caddyfile.Dispenser) error {
	c := &Client{Origin: originOf(d)}
	if !d.AllArgs(&c.ID) || c.ID == "" {
		return d.Errf("client takes one argument, its id")
	}
	for _, other := range a.Clients {
		if other.ID == c.ID {
			return d.Errf("client: the id %s is taken by that at %s; give one of them another id", c.ID, other.Origin)
		}
	}
	given := map[string]bool{}
	if err := readBlock(d, "client "+c.ID, c.words(), given); err != nil {
		return err
	}
	if given["trusted"] && given["consent"] {
		return d.Errf("client %s: trusted is consent trusted; keep one of the two", c.ID)
	}
	a.Clients = append(a.Clients, *c)
	return nil
}

func (c *Client) words() []word {
	return []word{
		{name: "name", read: text(&c.Name)},
		{name: "secret", read: list(&c.Secrets)},
		{name: "public", read: toggle(&c.Public)},
		{name: "redirect_uris", read: list(&c.RedirectURIs), many: true},
		{name: "grants", read: someOf(&c.Grants, oauth.Grants()...)},
		{name: "scopes", read: list(&c.Scopes)},
		{name: "required_scopes", read: list(&c.RequiredScopes)},
		{name: "provider", read: list(&c.Providers)},
		{name: "consent", read: oneOf(&c.Consent, oauth.ConsentRemember, oauth.ConsentAlways, oauth.ConsentTrusted)},
		{name: "trusted", read: c.readTrusted},
		{name: "pkce", read: oneOf(&c.PKCE, "required", "optional")},
		{name: "id_token_signed_response_alg", read: oneOf(&c.IDTokenSignedResponseAlg, "RS256", "ES256")},
		{name: "token_endpoint_auth_method", read: oneOf(&c.TokenEndpointAuthMethod, oauth.AuthBasic, oauth.AuthPost)},
		{name: "application_type", read: oneOf(&c.ApplicationType, "web", "native")},
		{name: "subject_type", read: oneOf(&c.SubjectType, oauth.SubjectPublic, oauth.SubjectPairwise)},
		{name: "sector_identifier_uri", read: text(&c.SectorIdentifierURI)},
		{name: "client_uri", read: text(&c.ClientURI)},
		{name: "logo_uri", read: text(&c.LogoURI)},
		{name: "policy_uri", read: text(&c.PolicyURI)},
		{name: "tos_uri", read: text(&c.TOSURI)},
	}
}

func (c *Client) readTrusted(d *caddyfile.Dispenser) error {
	var on bool
	if err := toggle(&on)(d); err != nil {
		return err
	}
	c.Consent = oauth.ConsentTrusted
	return nil
}
