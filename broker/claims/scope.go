package claims

import "fmt"

// A Scope is what a person grants a client, as they read it.
type Scope struct {
	Name        string `json:"name"`
	DisplayName string `json:"display_name,omitempty"`
	Description string `json:"description,omitempty"`

	// Service groups scopes on the consent page. Empty is the group of
	// the person's own data.
	Service string `json:"service,omitempty"`

	// ImplicitGrant never asks for consent.
	ImplicitGrant bool `json:"implicit_grant,omitempty"`

	// Transient asks every time and remembers nothing.
	Transient bool `json:"transient,omitempty"`

	// Origin is where the scope is configured, such as "Caddyfile:12";
	// empty for the default ones.
	Origin string `json:"origin,omitempty"`
}

// Misconfigured returns err as the mistake of this scope.
func (s Scope) Misconfigured(err error) error {
	return Misconfigured(s.Origin, fmt.Sprintf("scope %q", s.Name), err)
}

// Label returns the display name, or the name if there is none.
func (s Scope) Label() string {
	if s.DisplayName == "" {
		return s.Name
	}
	return s.DisplayName
}

// ServiceOAuth2 is the service of the scopes that open the broker's own
// interfaces.
const ServiceOAuth2 = "OAuth2"

// Scopes of the broker's own interfaces. All but the first are of
// ServiceOAuth2.
const (
	ScopeOfflineAccess = "offline_access"
	ScopeIntrospect    = "introspect_tokens"
	ScopeRevokeTokens  = "revoke_tokens"
	ScopeListClients   = "list_clients_with_access"
	ScopeWithdraw      = "revoke_client_access"
)

// DefaultScopes returns the scopes every broker knows.
func DefaultScopes() []Scope {
	return []Scope{
		{Name: "openid", DisplayName: "Confirm who you are", Description: "Recognise you when you come back"},
		{Name: "profile", DisplayName: "Profile", Description: "Your name, picture and other profile details"},
		{Name: "email", DisplayName: "Email", Description: "Your email address and whether it is verified"},
		{Name: "address", DisplayName: "Address", Description: "Your postal address"},
		{Name: "phone", DisplayName: "Phone", Description: "Your phone number and whether it is verified"},
		{Name: ScopeOfflineAccess, DisplayName: "Access while you are away", Description: "Keep access when you are not using the application"},
		{Name: ScopeIntrospect, DisplayName: "Inspect tokens", Description: "Look up whether tokens of other applications are valid", Service: ServiceOAuth2},
		{Name: ScopeRevokeTokens, DisplayName: "Sign you out everywhere", Description: "End all your sessions and tokens", Service: ServiceOAuth2},
		{Name: ScopeListClients, DisplayName: "See your applications", Description: "List the applications you gave access to", Service: ServiceOAuth2},
		{Name: ScopeWithdraw, DisplayName: "Withdraw access", Description: "Withdraw the access you gave to applications", Service: ServiceOAuth2},
		{Name: "manage_post_authn", DisplayName: "Take part in sign-in", Description: "Read and complete sign-ins in progress", Service: ServiceOAuth2},
	}
}
