package brokertest

import (
	"fmt"
	"regexp"
)

// Password is the password of every user of [Users].
const Password = "not-a-secret"

// A User is a person of the tenant.
type User struct {
	// Name identifies the user in tests, on the login page (the element
	// id "tenant-user-<name>") and in [Browser.SignIn].
	Name string

	// About says what the user is good for; the login page shows it.
	About string

	// Username and Password are what the login form wants.
	Username, Password string

	// Subject is the "sub" claim, "auth0|..." for a database user.
	Subject string

	// Claims are everything the tenant knows, standard claims and those
	// with a URL for a name alike. Scopes decide which are told. Values
	// are whatever encoding/json takes: json.Number holds an integer
	// beyond 2^53, json.RawMessage any JSON, a nil an explicit null.
	Claims map[string]any

	// IDTokenClaims, AccessTokenClaims and UserinfoClaims are told in that
	// document alone, whatever the scopes, as an Action can set them. They
	// win over Claims, and lose to the claims of the protocol.
	IDTokenClaims, AccessTokenClaims, UserinfoClaims map[string]any

	// Permissions stand in access tokens for an API.
	Permissions []string

	// SecondFactor makes every fresh sign-in of this user ask for one,
	// and lets an application ask for it by acr_values.
	SecondFactor bool

	// Blocked refuses the user with Auth0's error "unauthorized".
	Blocked bool

	// DeniedBy is what an Action says when it refuses the user with
	// access_denied. The SSO session lives on, so that asking again
	// without prompt=login ends the same way at once.
	DeniedBy string

	// Organizations are the IDs of those the user belongs to.
	Organizations []string
}

var userName = regexp.MustCompile(`^[a-z0-9-]+$`)

func (u User) validate() error {
	if !userName.MatchString(u.Name) {
		return fmt.Errorf("brokertest: user name %q: use a-z, 0-9 and -", u.Name)
	}
	if u.Subject == "" {
		return fmt.Errorf("brokertest: user %q: Subject is empty", u.Name)
	}
	return nil
}

// displayName is what the login and consent pages call the user.
func (u User) displayName() string {
	if name, ok := u.Claims["name"].(string); ok {
		return name
	}
	return u.Username
}

// Users returns the users a tenant has by default, one for each shape of
// person that a broker must cope with. The caller may change the result.
func Users() []User {
	return []User{
		ada(), grace(), second("mfa", "Mia Example", "Signs in with a second factor: amr and acr are told, once."),
		noEmail(), unverified(), hostile(), blocked(), denied(),
	}
}

// ada has every standard claim of OpenID Connect Core, 5.1.
func ada() User {
	return User{
		Name: "ada", About: "Every standard claim, two groups, a plan.",
		Username: "ada@example.com", Password: Password, Subject: "auth0|ada",
		Permissions:   []string{"read:orders", "write:orders"},
		Organizations: []string{"org_example"},
		Claims: map[string]any{
			"name": "Ada Example", "given_name": "Ada", "middle_name": "B.", "family_name": "Example",
			"nickname": "ada", "preferred_username": "ada",
			"profile": "https://example.com/people/ada", "picture": "https://example.com/people/ada.png",
			"website": "https://example.com/~ada", "gender": "female", "birthdate": "1985-12-10",
			"zoneinfo": "Europe/London", "locale": "en-GB",
			"email": "ada@example.com", "email_verified": true,
			"phone_number": "+1 555 0100", "phone_number_verified": true,
			"address": map[string]any{
				"formatted":      "1 Example Street\nExampleton EX1 1EX\nUnited Kingdom",
				"street_address": "1 Example Street", "locality": "Exampleton", "region": "Exampleshire",
				"postal_code": "EX1 1EX", "country": "United Kingdom",
			},
			"updated_at":                  "2026-01-01T10:20:30.456Z",
			"https://example.com/groups":  []string{"admin", "staff"},
			"https://example.com/plan":    "enterprise",
			"https://example.com/profile": map[string]any{"team": map[string]any{"name": "engines", "size": 7}},
		},
	}
}

// plain is an ordinary user with a verified e-mail address.
func plain(name, fullName, about string) User {
	return User{
		Name: name, About: about,
		Username: name + "@example.com", Password: Password, Subject: "auth0|" + name,
		Claims: map[string]any{
			"name": fullName, "nickname": name, "picture": "https://example.com/people/" + name + ".png",
			"email": name + "@example.com", "email_verified": true,
			"updated_at":                 "2026-01-01T10:20:30.456Z",
			"https://example.com/groups": []string{"staff"},
			"https://example.com/plan":   "free",
		},
	}
}

func grace() User {
	u := plain("grace", "Grace Example", "An ordinary second person: one group, free plan.")
	u.Permissions = []string{"read:orders"}
	return u
}

func second(name, fullName, about string) User {
	u := plain(name, fullName, about)
	u.SecondFactor = true
	return u
}

// noEmail signs in by text message, as Auth0's passwordless users do.
func noEmail() User {
	return User{
		Name: "no-email", About: "Signs in by phone: no e-mail address, no groups.",
		Username: "+1 555 0101", Password: Password, Subject: "sms|5550101",
		Claims: map[string]any{
			"name": "+1 555 0101", "nickname": "", "phone_number": "+1 555 0101", "phone_number_verified": true,
			"updated_at": "2026-01-01T10:20:30.456Z",
		},
	}
}

// unverified claims somebody else's address: Ada's, in mixed case.
func unverified() User {
	u := plain("unverified", "Una Example", "Says that Ada's e-mail address is hers; it is not verified.")
	u.Claims["email"] = "Ada@Example.com"
	u.Claims["email_verified"] = false
	return u
}

// hostile tries every injection that a value can carry.
func hostile() User {
	u := plain("hostile", "Mallory <script>alert(1)</script>\r\nX-Injected: yes\x00{env.SECRET}",
		"Line breaks, markup, commas, placeholders and odd letters in every value.")
	u.Subject = "samlp|corp|mallory =,/ü%0d%0a"
	u.Claims["nickname"] = "{env.SECRET}{http.request.uri}{{.}}"
	u.Claims["given_name"] = "Zoë\u202e\u0000"
	u.Claims["family_name"] = `"><img src=x onerror=alert(1)>`
	u.Claims["picture"] = "javascript:alert(1)"
	u.Claims["email"] = "mallory+a,b@example.com\r\nBcc: all@example.com"
	u.Claims["https://example.com/groups"] = []string{"staff,admin", "a b", "", "ad\r\nmin", "{env.SECRET}", "グループ"}
	u.Claims["https://example.com/plan"] = nil
	return u
}

func blocked() User {
	u := plain("blocked", "Ben Example", "Blocked by an administrator: the tenant answers unauthorized.")
	u.Blocked = true
	return u
}

func denied() User {
	u := plain("denied", "Dan Example", "Refused by an Action: the tenant answers access_denied.")
	u.DeniedBy = "Your account is not allowed in."
	return u
}
