package authn

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
)

// A Context is the authentication context of one sign-in.
//
// Its JSON form brings back exactly what went in: UnmarshalJSON keeps
// numbers as texts whichever way the surrounding record is decoded. (Do
// not embed a Context in another struct: its UnmarshalJSON would be
// promoted and swallow the other fields.)
type Context struct {
	// Attributes are the values of the [Schema] but the computed ones, as
	// JSON. Dotted names are nested: address.country is
	// Attributes["address"].(map[string]any)["country"].
	Attributes map[string]any `json:"attributes"`

	// Connection is the id of the connection, Issuer and IDPSubject are
	// the upstream's: who signed in.
	Connection string `json:"connection"`
	Issuer     string `json:"issuer"`
	IDPSubject string `json:"idp_sub"`

	// Subject is what clients call the person, see [Subject]. The
	// pipeline leaves it empty.
	Subject string `json:"sub"`

	// UpstreamSID is the upstream's session, empty if unknown.
	UpstreamSID string `json:"upstream_sid,omitempty"`

	// AuthTime is when the person authenticated, in UTC. Asserted tells
	// that the upstream said so in this answer; any other time is what
	// the broker has to go by, and answers no max_age.
	AuthTime         time.Time `json:"auth_time,omitzero"`
	AuthTimeAsserted bool      `json:"auth_time_asserted,omitempty"`

	// AMR and ACR say how (RFC 8176; OpenID Connect Core, 2). AMR is nil
	// or has an element, ACR is empty if unknown. The times say since when
	// that holds, in UTC: an inherited value keeps the time of the answer
	// that had it, see [Inherit].
	AMR     []string  `json:"amr,omitempty"`
	AMRTime time.Time `json:"amr_time,omitzero"`
	ACR     string    `json:"acr,omitempty"`
	ACRTime time.Time `json:"acr_time,omitzero"`

	// TrustEmail says that the operator takes the e-mail addresses of this
	// connection for verified, whatever email_verified says.
	TrustEmail bool `json:"trust_email,omitempty"`

	// Origins tell where the attributes come from; nil until the last stage
	// is through, and in copies that have no use for it.
	Origins Origins `json:"origins,omitempty"`
}

// UnmarshalJSON replaces the whole of c and keeps numbers exact.
func (c *Context) UnmarshalJSON(data []byte) error {
	type plain Context // without this method
	// Decoding into the old value would merge its attributes with the
	// new ones: a reused record would carry one person's data into
	// another's context.
	var fresh plain
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	if err := decoder.Decode(&fresh); err != nil {
		return err
	}
	*c = Context(fresh)
	return nil
}

// Clone returns a deep copy. The clone of nil is nil.
func (c *Context) Clone() *Context {
	if c == nil {
		return nil
	}
	out := *c
	out.Attributes, _ = claims.Clone(c.Attributes).(map[string]any)
	out.AMR = slices.Clone(c.AMR)
	out.Origins = maps.Clone(c.Origins)
	return &out
}

// View returns what a claim can be read from: the attributes, with sub,
// idp_sub, amr and acr of the context, and the granted scopes as scp. The
// map is the caller's, the values in it are the context's.
func (c *Context) View(granted []string) map[string]any {
	out := make(map[string]any, len(c.Attributes)+5)
	for name, v := range c.Attributes {
		if !claims.Reserved(name) {
			out[name] = v
		}
	}
	for name, v := range map[string]string{"sub": c.Subject, "idp_sub": c.IDPSubject, "acr": c.ACR} {
		if v != "" {
			out[name] = v
		}
	}
	for name, list := range map[string][]string{"scp": granted, "amr": c.AMR} {
		if len(list) > 0 {
			out[name] = array(list)
		}
	}
	return out
}

func array(list []string) []any {
	out := make([]any, len(list))
	for i, s := range list {
		out[i] = s
	}
	return out
}
