package broker_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
)

// singleClaims can be asked for one by one: no scope that the tests ask for
// carries them.
var singleClaims = []string{"nickname", "given_name", "family_name"}

// withSingleClaims declares them, and a client that may ask for much.
func withSingleClaims() options {
	return options{
		client: func(c *oauth.Client) {
			c.Scopes = []string{"openid", "profile", "email", "phone", "address", "more"}
			c.RequiredScopes = []string{"email"}
		},
		config: func(_ *world, c *broker.Config) {
			for _, name := range singleClaims {
				c.Claims = append(c.Claims, claims.Claim{Name: name, Types: []claims.TokenType{claims.Userinfo}, Scopes: []string{"more"}})
			}
		},
	}
}

// somebody is a user whom nobody has asked anything yet.
func (w *world) somebody(name string) string {
	w.tenant.PutUser(brokertest.User{
		Name: name, Username: name + "@example.com", Password: brokertest.Password, Subject: "auth0|" + name,
		Claims: map[string]any{
			"name": "Some Body", "email": name + "@example.com", "email_verified": true, "phone_number": "+1 555 0100",
			"nickname": name, "given_name": "Some", "family_name": "Body",
		},
	})
	return name
}

// claimsRequest asks userinfo for claims by name.
func claimsRequest(names []string) string {
	var members []string
	for _, name := range names {
		members = append(members, fmt.Sprintf("%q:null", name))
	}
	return `{"userinfo":{` + strings.Join(members, ",") + `}}`
}

// askedFor brings a browser to the consent page of a user, for scopes and
// single claims.
func (w *world) askedFor(b *brokertest.Browser, user string, scopes, names []string) *brokertest.Page {
	w.Helper()
	b.StopBefore = clientSite
	page := b.Get(authorizeURL("scope", strings.Join(scopes, " "), "claims", claimsRequest(names), "prompt", "consent"))
	if page.Has("tenant-login-form") {
		page = b.SignIn(user)
	}
	if !page.Has("consent-form") {
		w.Fatalf("no consent page: %d %s\n%s", page.Status, page.URL, page.Body)
	}
	return page
}

// got redeems an answer's code, and returns the scopes and the single claims
// that the client has got.
func (w *world) got(answer url.Values) (scopes, single []string) {
	w.Helper()
	status, tokens := w.exchange(answer.Get("code"))
	if status != http.StatusOK {
		w.Fatalf("the client gets %v, and for the code %d %v", answer, status, tokens)
	}
	_, info := w.userinfo(tokens["access_token"].(string))
	for _, name := range singleClaims {
		if info[name] != nil {
			single = append(single, name)
		}
	}
	return strings.Fields(tokens["scope"].(string)), single
}

// A form that is not what the page sends: written by the user's own tools, or
// by an extension that an application has talked the user into. The page's
// limits are the server's.
func TestR52_TamperedConsentForms(t *testing.T) {
	w := newWorld(t, withSingleClaims())
	asked, single := []string{"openid", "profile", "email", "phone"}, []string{"nickname", "given_name"}
	all := strings.Join(asked, " ")
	for i, tt := range []struct {
		name   string
		change url.Values // replaces fields
		scopes string     // that the client gets; empty if it gets nothing
		single string
	}{
		{"what the page sends", url.Values{}, all, "nickname"},
		{"a scope that nobody asked for", url.Values{"scope": {"profile", "phone", "address"}}, all, "nickname"},
		{"a scope outside the client's list", url.Values{"scope": {"profile", "phone", "offline_access", "orders:pay", "revoke_tokens"}}, all, "nickname"},
		{"the required scope left out", url.Values{"scope": {"profile", "phone"}}, all, "nickname"},
		{"openid left out, and all else", url.Values{"scope": nil, "claim": nil}, "openid email", ""},
		{"scopes repeated", url.Values{"scope": {"phone", "phone", "phone"}}, "openid email phone", "nickname"},
		{"scopes in one value", url.Values{"scope": {"profile phone"}}, "openid email", "nickname"},
		{"a list by another name", url.Values{"scope[]": {"profile"}, "scopes": {"profile"}, "Scope": {"profile"}, "scope": nil}, "openid email", "nickname"},
		{"scopes of another case", url.Values{"scope": {"PROFILE", "Phone"}}, "openid email", "nickname"},
		{"scopes with blanks", url.Values{"scope": {" profile", "phone ", "pro\x00file", "profile\n"}}, "openid email", "nickname"},
		{"quotes and line breaks", url.Values{"scope": {"profile\"", "a\r\nb", "<b>", "phone"}}, "openid email phone", "nickname"},
		{"a claim that nobody asked for", url.Values{"claim": {"family_name", "given_name"}}, all, "given_name"},
		{"a claim that does not exist", url.Values{"claim": {"password", "sub"}}, all, ""},
		{"a claim for a scope, and back", url.Values{"claim": {"profile", "phone"}, "scope": {"given_name", "nickname"}}, "openid email", ""},
		{"the scope of the claims", url.Values{"scope": {"more"}, "claim": nil}, "openid email", ""},
		{"no decision", url.Values{"decision": nil}, "", ""},
		{"an empty decision", url.Values{"decision": {""}}, "", ""},
		{"ALLOW", url.Values{"decision": {"ALLOW"}}, "", ""},
		{"allow and a blank", url.Values{"decision": {"allow "}}, "", ""},
		{"true", url.Values{"decision": {"true"}}, "", ""},
		{"Cancel, then Allow", url.Values{"decision": {"deny", "allow"}}, "", ""},
		{"Allow, then Cancel", url.Values{"decision": {"allow", "deny"}}, "", ""},
		{"Allow twice", url.Values{"decision": {"allow", "allow"}}, "", ""},
		{"nothing, then Allow", url.Values{"decision": {"", "allow"}}, "", ""},
		{"a second sign-in", url.Values{"login_id": {"the page's", "x"}}, "", ""},
		{"a second proof", url.Values{"login_state": {"the page's", "x"}}, "", ""},
		{"another client", url.Values{"client_id": {"gate:app.example.com"}, "redirect_uri": {"https://evil.example.com/"}}, all, "nickname"},
		{"another user", url.Values{"sub": {"ada"}, "user": {"ada"}, "trusted": {"true"}}, all, "nickname"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := w.newBrowser()
			form := answerOf(w.askedFor(b, w.somebody(fmt.Sprintf("tamper-%d", i)), asked, single))
			form["scope"], form["claim"] = []string{"profile", "phone"}, []string{"nickname"}
			for name, values := range tt.change {
				if strings.HasPrefix(name, "login_") { // the page's own, and another behind it
					values = append(slices.Clone(form[name]), values[1:]...)
				}
				form[name] = values
			}
			page := b.Post(consentURL, form)
			if tt.scopes == "" {
				if page.Location != nil && page.Location.Query().Has("code") {
					t.Errorf("the client gets %s", page.Location)
				}
				if page.Status != http.StatusBadRequest || !page.Has("error-code") {
					t.Errorf("answered %d %s", page.Status, page.Body)
				}
				return
			}
			scopes, claims := w.got(w.answer(page))
			if got := strings.Join(scopes, " "); got != tt.scopes || strings.Join(claims, " ") != tt.single {
				t.Errorf("granted %q and %q, want %q and %q", got, claims, tt.scopes, tt.single)
			}
		})
	}
}

// Over any requests, any answers and any forms: what the client has got is
// what cannot be withheld, what was granted earlier, and what was shown and
// ticked. Never more, and of that all.
func TestR52_NothingIsGrantedThatWasNotShownAndTicked(t *testing.T) {
	w := newWorld(t, withSingleClaims())
	people := 0
	names := []string{"profile", "email", "phone", "address", "more", "offline_access", "openid", "nickname", "given_name", "family_name", "", "*", "profile email"}
	rapid.Check(t, func(rt *rapid.T) {
		people++
		user, b := w.somebody(fmt.Sprintf("person-%d", people)), w.newBrowser()
		earlierScopes, earlierClaims := map[string]bool{}, map[string]bool{}
		for range rapid.IntRange(1, 3).Draw(rt, "rounds") {
			asked := append([]string{"openid"}, rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"profile", "email", "phone", "address"}), 0, 4, rapid.ID).Draw(rt, "scopes")...)
			single := rapid.SliceOfNDistinct(rapid.SampledFrom(singleClaims), 0, 3, rapid.ID).Draw(rt, "claims")
			page := w.askedFor(b, user, asked, single)
			form := answerOf(page)
			form["scope"] = rapid.SliceOfN(rapid.SampledFrom(names), 0, 6).Draw(rt, "ticked scopes")
			form["claim"] = rapid.SliceOfN(rapid.SampledFrom(names), 0, 6).Draw(rt, "ticked claims")

			want := func(asked []string, fixed func(string) bool, earlier map[string]bool, ticked []string, kind string) (out []string) {
				for _, name := range asked {
					shown := page.ByID(kind + "-" + name)
					box := shown != nil && shown.Tag() == "input"
					if fixed(name) || earlier[name] || box && slices.Contains(ticked, name) {
						out = append(out, name)
						earlier[name] = true
					}
				}
				return out
			}
			wantScopes := want(asked, func(s string) bool { return s == "openid" || s == "email" }, earlierScopes, form["scope"], "scope")
			wantClaims := want(single, func(string) bool { return false }, earlierClaims, form["claim"], "claim")
			scopes, claims := w.got(w.answer(b.Post(consentURL, form)))
			slices.Sort(wantClaims)
			slices.Sort(claims)
			if !slices.Equal(scopes, wantScopes) || !slices.Equal(claims, wantClaims) {
				rt.Fatalf("granted %q and %q, want %q and %q", scopes, claims, wantScopes, wantClaims)
			}
		}
	})
}
