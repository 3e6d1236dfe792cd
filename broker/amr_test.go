package broker_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
)

// withAMR has the tenant tell this amr, nil for none.
func (w *world) withAMR(amr any) {
	w.tenant.SetFaults(brokertest.Faults{EditIDToken: func(c map[string]any) {
		delete(c, "amr")
		if amr != nil {
			c["amr"] = amr
		}
	}})
}

func TestM42_M43_AMR(t *testing.T) {
	for name, tc := range map[string]struct {
		upstream any
		setting  []string
		want     any
	}{
		"M42 written where the upstream has none": {nil, []string{"mfa"}, []any{"mfa"}},
		"M43 replaced where it has one":           {[]string{"pwd"}, []string{"mfa"}, []any{"mfa"}},
		"M43 without the setting it passes":       {[]string{"pwd"}, nil, []any{"pwd"}},
		"neither: omitted":                        {nil, nil, nil},
		"several":                                 {nil, []string{"pwd", "otp"}, []any{"pwd", "otp"}},
		"D12 a string is an array of one":         {"pwd", nil, []any{"pwd"}},
		"D12 elements that are no strings":        {[]any{"pwd", 7, nil, "otp"}, nil, []any{"pwd", "otp"}},
		"D12 another type counts as absent":       {map[string]any{"pwd": true}, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, options{config: func(_ *world, c *broker.Config) { c.Connections[0].Pipeline.StaticAMR = tc.setting }})
			w.withAMR(tc.upstream)
			id, access := w.tokens("ada")
			for token, got := range map[string]any{"ID token": id["amr"], "access token": access["amr"]} {
				if diff := cmp.Diff(tc.want, got); diff != "" {
					t.Errorf("%s: %s", token, diff)
				}
			}
		})
	}
}

// An upstream that tells amr and acr right after the challenge
// only, as Auth0 does, does not make later tokens of that session weaker.
func TestAMR_InheritedPerUpstreamSession(t *testing.T) {
	w := newWorld(t, options{})
	b := w.newBrowser()
	methods := func(user string, changes ...string) (any, any) {
		t.Helper()
		_, tokens := w.exchange(w.authorize(b, user, changes...).Get("code"))
		id := payload(t, tokens["id_token"])
		return id["amr"], id["acr"]
	}
	amr, acr := methods("mfa")
	if diff := cmp.Diff([]any{"mfa"}, amr); diff != "" || acr == nil {
		t.Fatalf("fresh: amr %v, acr %v", amr, acr)
	}
	w.clock.Advance(10 * time.Minute)
	laterAMR, laterACR := methods("")
	if diff := cmp.Diff(amr, laterAMR); diff != "" || laterACR != acr {
		t.Errorf("silent: amr %v, acr %v", laterAMR, laterACR)
	}
	// The tenant forgets the session: the next one is another.
	w.tenant.EndSessions("mfa")
	w.withAMR(nil)
	if amr, _ := methods("mfa"); amr != nil {
		t.Errorf("another upstream session inherits amr %v", amr)
	}
}
