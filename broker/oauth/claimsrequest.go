package oauth

import (
	"encoding/json"
	"maps"
	"slices"
)

// A ClaimsRequest is the claims parameter of an authorization request
// (OpenID Connect Core, 5.5): claims asked for one by one, beside those of
// the scopes.
type ClaimsRequest struct {
	IDToken  map[string]*ClaimRequest `json:"id_token,omitempty"`
	Userinfo map[string]*ClaimRequest `json:"userinfo,omitempty"`
}

// A ClaimRequest is how one claim is asked for. A nil one asks for it
// voluntarily and without a wish for its value.
type ClaimRequest struct {
	Essential bool  `json:"essential,omitempty"`
	Value     any   `json:"value,omitempty"`
	Values    []any `json:"values,omitempty"`
}

// maxClaimsRequested bounds each half of a claims parameter.
const maxClaimsRequested = 100

// parseClaims reads the parameter. Members that are unknown are ignored, as
// the specification demands; a parameter that is no such object is an error.
func parseClaims(text string) (*ClaimsRequest, *Error) {
	if text == "" {
		return nil, nil
	}
	c := new(ClaimsRequest)
	if err := json.Unmarshal([]byte(text), c); err != nil {
		return nil, newError(InvalidRequest, "claims must be a JSON object with the members id_token and userinfo")
	}
	if len(c.IDToken) > maxClaimsRequested || len(c.Userinfo) > maxClaimsRequested {
		return nil, newError(InvalidRequest, "claims asks for too many claims")
	}
	if len(c.IDToken) == 0 && len(c.Userinfo) == 0 {
		return nil, nil
	}
	return c, nil
}

// Names returns the names asked for, sorted, for the ID token and for
// userinfo. A nil request asks for none.
func (c *ClaimsRequest) Names() (idToken, userinfo []string) {
	if c == nil {
		return nil, nil
	}
	return slices.Sorted(maps.Keys(c.IDToken)), slices.Sorted(maps.Keys(c.Userinfo))
}

// EssentialACR returns the authentication context classes of which one must
// be met (OpenID Connect Core, 5.5.1.1), none where any will do.
func (c *ClaimsRequest) EssentialACR() []string {
	acr := c.idToken("acr")
	if acr == nil || !acr.Essential {
		return nil
	}
	return acr.texts()
}

// Subject returns the only subject that the answer may be about (OpenID
// Connect Core, 5.5.1), empty where any may.
func (c *ClaimsRequest) Subject() string {
	if sub := c.idToken("sub"); sub != nil {
		text, _ := sub.Value.(string)
		return text
	}
	return ""
}

func (c *ClaimsRequest) idToken(name string) *ClaimRequest {
	if c == nil {
		return nil
	}
	return c.IDToken[name]
}

// texts returns value and values, as far as they are strings.
func (r *ClaimRequest) texts() (out []string) {
	for _, v := range append([]any{r.Value}, r.Values...) {
		if s, ok := v.(string); ok {
			out = append(out, s)
		}
	}
	return out
}
