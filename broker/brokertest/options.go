package brokertest

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"go.uber.org/zap"
)

// Options describe a stand-in tenant. The zero value of every field has a
// meaning, except that [NewTenant] needs Issuer; [Start], [StartTLS] and
// [Listen] fill it in.
type Options struct {
	// CA issues the certificate of [StartTLS]. Default: a new one.
	CA *CA

	// Issuer is the tenant's address, with the trailing slash that Auth0
	// has: "https://tenant.example.com/".
	Issuer string

	// Host is the name that [Start], [StartTLS] and [Listen] put into the
	// issuer; they listen on loopback whatever it is. Default "localhost".
	Host string

	// Clients are the registered applications; more can be added with
	// [Tenant.Register].
	Clients []Client

	// Users are the people of the tenant. Default [Users].
	Users []User

	// APIs are the audiences that access tokens can be asked for.
	APIs []API

	// Organizations that may be named in an authorization request.
	Organizations []Organization

	// Connections are the names that the connection parameter may have.
	// Default "Username-Password-Authentication" and "google-oauth2".
	Connections []string

	// DefaultAudience is used when a request names no audience.
	DefaultAudience string

	// AskConsent shows the tenant's own consent page, once per user,
	// application and set of scopes. Off, as for first-party applications.
	AskConsent bool

	// ConfirmLoopback shows the confirmation page that Auth0 puts in
	// front of loopback callbacks, and refuses prompt=none for them.
	ConfirmLoopback bool

	// RateLimits switches on the limits of Auth0's free plan: userinfo 10
	// at once and then 5 a minute for each user, tokens 30 a second, keys
	// 20 a second.
	RateLimits bool

	// NoLogoutDiscovery leaves end_session_endpoint out of discovery, as
	// in tenants made before 14 November 2023.
	NoLogoutDiscovery bool

	// PushedRequests announces the pushed authorization request endpoint.
	PushedRequests bool

	// SignedUserinfo makes userinfo answer with a signed JWT, as providers
	// other than Auth0 can.
	SignedUserinfo bool

	// FreshKeys gives this tenant signing keys of its own. Without it all
	// tenants of a process share keys, because making a pair takes as
	// long as a hundred sign-ins.
	FreshKeys bool

	// Now is the tenant's clock. Default time.Now.
	Now func() time.Time

	// Rand is where codes, tokens and session identifiers come from.
	// Default crypto/rand.
	Rand io.Reader

	// Logger gets a line for every sign-in and every refusal, without
	// codes, tokens or passwords. Default: none.
	Logger *zap.Logger
}

// A Client is an application registered at the tenant. An ID that begins
// with "tpc_" makes it a third-party application, which gets no ID token.
type Client struct {
	// ID and Secret are the application's credentials.
	ID, Secret string

	// Name is shown on the login and consent pages. Default: ID.
	Name string

	// Callbacks are the exact redirect URIs; LogoutURLs the exact
	// addresses to return to after logout, query included.
	Callbacks, LogoutURLs []string

	// InitiateLoginURI is where the browser goes, with iss, from a login
	// page that has lain open too long. Default: an error page.
	InitiateLoginURI string

	// AuthMethod is the only client authentication accepted at the token
	// endpoint: "client_secret_post", "client_secret_basic",
	// "private_key_jwt" or "none". Default: post or basic.
	AuthMethod string

	// Keys verify the assertions of private_key_jwt: RSA keys, Auth0 takes
	// no other. A key's Algorithm, if it has one, is the only one it may be
	// used with, and an assertion that names a kid must name the key's.
	Keys *jose.JSONWebKeySet

	// SigningAlg signs the ID tokens: "RS256" (default), "PS256", or
	// "HS256" with the secret, Auth0's legacy setting.
	SigningAlg string

	// NoRefresh takes the refresh token grant away.
	NoRefresh bool

	// OrganizationUsage is "allow" (default), "deny" or "require".
	OrganizationUsage string
}

// An API is a resource server registered at the tenant.
type API struct {
	// Identifier is the audience.
	Identifier string

	// RFC9068 selects that token profile ("typ": "at+jwt", client_id,
	// jti) instead of Auth0's own ("typ": "JWT", azp).
	RFC9068 bool

	// HS256 makes its access tokens unverifiable to anyone but the API.
	HS256 bool

	// NoOfflineAccess withholds refresh tokens.
	NoOfflineAccess bool
}

// An Organization groups users; its ID begins with "org_".
type Organization struct{ ID, Name string }

// complete returns o with its defaults filled in, or why it cannot be used.
func (o Options) complete() (Options, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	if o.Logger == nil {
		o.Logger = zap.NewNop()
	}
	if o.Users == nil {
		o.Users = Users()
	}
	if o.Connections == nil {
		o.Connections = []string{"Username-Password-Authentication", "google-oauth2"}
	}
	u, err := url.Parse(o.Issuer)
	if err != nil || u.Host == "" || u.Path != "/" || (u.Scheme != "http" && u.Scheme != "https") {
		return o, errors.New("brokertest: Options.Issuer must look like https://tenant.example.com/")
	}
	for _, c := range o.Clients {
		if err := c.validate(); err != nil {
			return o, err
		}
	}
	for i, user := range o.Users {
		if err := user.validate(); err != nil {
			return o, err
		}
		if slices.ContainsFunc(o.Users[:i], func(p User) bool { return p.Name == user.Name }) {
			return o, fmt.Errorf("brokertest: two users are called %q", user.Name)
		}
	}
	return o, nil
}

func (c Client) validate() error {
	if c.ID == "" {
		return errors.New("brokertest: Client.ID is empty")
	}
	switch c.AuthMethod {
	case "", "client_secret_post", "client_secret_basic":
		if c.Secret == "" {
			return fmt.Errorf("brokertest: client %q: Secret is empty; set it, or AuthMethod none", c.ID)
		}
	case "private_key_jwt":
		if c.Keys == nil {
			return fmt.Errorf("brokertest: client %q: private_key_jwt needs Keys", c.ID)
		}
	case "none":
	default:
		return fmt.Errorf("brokertest: client %q: unknown AuthMethod %q", c.ID, c.AuthMethod)
	}
	switch c.SigningAlg {
	case "", "RS256", "PS256", "HS256":
	default:
		return fmt.Errorf("brokertest: client %q: unknown SigningAlg %q", c.ID, c.SigningAlg)
	}
	switch c.OrganizationUsage {
	case "", "allow", "deny", "require":
	default:
		return fmt.Errorf("brokertest: client %q: unknown OrganizationUsage %q", c.ID, c.OrganizationUsage)
	}
	return nil
}

// title is the name a person sees.
func (c Client) title() string {
	if c.Name != "" {
		return c.Name
	}
	return c.ID
}

// thirdParty says whether Auth0 would treat c as somebody else's.
func (c Client) thirdParty() bool { return strings.HasPrefix(c.ID, "tpc_") }
