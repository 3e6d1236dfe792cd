package ui

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func languageOf(p *Pages, locales string, accept ...string) string {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header["Accept-Language"] = accept
	return p.language(r, locales).Lang
}

// OpenID Connect Core, 3.1.2.1, and RFC 9110, 12.5.4.
func TestLanguage(t *testing.T) {
	long := strings.Repeat("x", 10<<10)
	for _, tt := range []struct {
		name, locales, accept, want string
	}{
		{"nothing said", "", "", "en"},
		{"the browser's", "", "de", "de"},
		{"the sign-in's before the browser's", "de", "en", "de"},
		{"the sign-in's before the browser's, the other way", "en", "de", "en"},
		{"the sign-in's first that we speak", "fr de en", "en", "de"},
		{"a sign-in in a language that we do not speak", "fr", "de", "de"},
		{"a region", "", "de-AT", "de"},
		{"a region in the sign-in", "de-CH", "", "de"},
		{"a locale of a system", "de_DE", "", "de"},
		{"a script and a variant", "", "de-Latn-DE-1996", "de"},
		{"letter case", "DE-at", "", "de"},
		{"longer words are other languages", "", "den, deu, d", "en"},
		{"blanks in ui_locales", " \t de  ", "", "de"},

		{"the order", "", "de, en", "de"},
		{"the weight before the order", "", "en;q=0.7, de;q=0.8", "de"},
		{"as browsers send it", "", "de-DE,de;q=0.9,en-US;q=0.8,en;q=0.7", "de"},
		{"as English browsers send it", "", "en-GB,en;q=0.9,de;q=0.8", "en"},
		{"what we do not speak is passed over", "", "fr, nl;q=0.9, de;q=0.1", "de"},
		{"a language refused", "", "de;q=0, fr", "en"},
		{"anything", "", "*", "en"},
		{"anything but English", "", "en;q=0, *", "de"},
		{"anything rather than English", "", "en;q=0.1, *;q=0.9", "de"},
		{"anything, when the named ones are better", "", "de, *;q=0.5", "de"},
		{"anything, when it is as good", "", "de, *", "de"},
		{"nothing at all", "", "*;q=0", "en"},
		{"letter case and blanks of a weight", "", "en;q=0.2 ,\tde ; Q=0.3", "de"},

		{"weights that are none", "", "de;q=2, de;q=-1, de;q=NaN, de;q=Inf, de;q=, de;q, de;level=1, de;q=0.12345", "en"},
		{"a bad element does not spoil the others", "", ";;;, =, -, de;q=x, de;q=0.4", "de"},
		{"no text", "\xff\x00", "\xff\x00,\x01", "en"},
		{"markup", "<script>", "<script>, de", "de"},
		{"one long element", long, long, "en"},
		{"one long element before", long + " de", long + ", de", "de"},
		{"a long weight", "", "de;q=" + long, "en"},
		{"thousands of elements", strings.Repeat("x ", 5<<10) + "de", strings.Repeat("x,", 5<<10) + "de", "en"},
		{"thousands of elements after", "de " + strings.Repeat("x ", 5<<10), "", "de"},
		{"thousands of separators", "", strings.Repeat(",", 10<<10) + "de", "en"},
		{"hyphens only", strings.Repeat("-", 10<<10), strings.Repeat("-", 10<<10), "en"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := languageOf(newPages(t), tt.locales, tt.accept); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
	t.Run("several lines are one list", func(t *testing.T) {
		if got := languageOf(newPages(t), "", "fr", "en;q=0.2", "de;q=0.3"); got != "de" {
			t.Errorf("got %s", got)
		}
	})
}

// A client sends a header of any size; what it costs must not grow with what
// is in it.
func TestLanguageLooksAtNoMoreThanItsLimit(t *testing.T) {
	p := newPages(t)
	inside := strings.Repeat("x,", maxRanges-1) + "de"
	if got := languageOf(p, "", inside); got != "de" {
		t.Errorf("the last one within the limit: %s", got)
	}
	if got := languageOf(p, "", "x,"+inside); got != "en" {
		t.Errorf("the first one beyond the limit: %s", got)
	}
	if got := languageOf(p, "", "x", inside); got != "en" {
		t.Errorf("the first one beyond the limit, on a line of its own: %s", got)
	}
}

func TestLanguages(t *testing.T) {
	if d := cmp.Diff([]string{"en", "de"}, Languages()); d != "" {
		t.Error(d)
	}
}

// Every page speaks the language of the sign-in, that of the browser else,
// and has the same elements under the same ids whichever it is.
func TestPagesInEveryLanguage(t *testing.T) {
	p := newPages(t)
	for _, tt := range []struct{ page, en, de string }{
		{"chooser", "Remember my choice", "Auswahl merken"},
		{"consent", "Allow access", "Zugriff erlauben"},
		{"error", "Sign-in was refused by your identity provider", "Ihr Identitätsanbieter hat die Anmeldung abgelehnt"},
		{"logout confirm", "Do you want to sign out?", "Möchten Sie sich abmelden?"},
		{"signed out", "You are signed out", "Sie sind abgemeldet"},
	} {
		t.Run(tt.page, func(t *testing.T) {
			english := serve("GET", allPages(p)[tt.page])
			german := serve("GET", speaking("de-AT, en;q=0.5", allPages(p)[tt.page]))
			en, de := parse(t, english.Body.String()), parse(t, german.Body.String())
			if !strings.Contains(text(en), tt.en) || strings.Contains(text(en), tt.de) {
				t.Errorf("English: %s", text(en))
			}
			if !strings.Contains(text(de), tt.de) || strings.Contains(text(de), tt.en) {
				t.Errorf("German: %s", text(de))
			}
			if d := cmp.Diff(outline(en), outline(de)); d != "" {
				t.Errorf("the pages differ: %s", d)
			}
			var enIDs, deIDs []string
			for _, n := range elements(en, "") {
				enIDs = append(enIDs, attr(n, "id"))
			}
			for _, n := range elements(de, "") {
				deIDs = append(deIDs, attr(n, "id"))
			}
			if d := cmp.Diff(enIDs, deIDs); d != "" {
				t.Errorf("ids: %s", d)
			}
			if german.Code != english.Code || german.Header().Get("Content-Language") != "de" {
				t.Errorf("status %d, Content-Language %q", german.Code, german.Header().Get("Content-Language"))
			}
		})
	}
}

func TestLocalesOfTheSignInReachEveryPage(t *testing.T) {
	p := newPages(t)
	for name, page := range map[string]func(http.ResponseWriter, *http.Request){
		"chooser":        func(w http.ResponseWriter, r *http.Request) { p.Chooser(w, r, Chooser{Locales: "de"}) },
		"consent":        func(w http.ResponseWriter, r *http.Request) { p.Consent(w, r, Consent{Locales: "de"}) },
		"error":          func(w http.ResponseWriter, r *http.Request) { p.Error(w, r, Error{Locales: "de"}) },
		"logout confirm": func(w http.ResponseWriter, r *http.Request) { p.LogoutConfirm(w, r, LogoutConfirm{Locales: "de"}) },
		"signed out":     func(w http.ResponseWriter, r *http.Request) { p.SignedOut(w, r, SignedOut{Locales: "de"}) },
	} {
		if got := serve("GET", speaking("en", page)).Header().Get("Content-Language"); got != "de" {
			t.Errorf("%s speaks %s", name, got)
		}
	}
}

// What operators write is theirs in every language; what nobody wrote is
// translated.
func TestConsentTranslatesDefaultsOnly(t *testing.T) {
	p := newPages(t)
	v := Consent{
		Locales: "de",
		Scopes: []Scope{
			{Name: "openid", DisplayName: "Confirm who you are", Description: "Recognise you when you come back", Fixed: true},
			{Name: "profile", DisplayName: "Profile", Description: "What we print on your badge"},
			{Name: "orders", DisplayName: "Your orders", Description: "Read orders", Service: "Shop"},
			{Name: "phone", DisplayName: "Phone", Granted: true},
		},
		Claims: []Claim{{Name: "birthdate", DisplayName: "Birthdate"}, {Name: "badge", DisplayName: "Badge number"}},
	}
	doc := parse(t, serve("GET", func(w http.ResponseWriter, r *http.Request) { p.Consent(w, r, v) }).Body.String())
	page := text(doc)
	for _, want := range []string{
		"Ihre Identität", "Sie wiedererkennen", "Profil", "What we print on your badge", "Your orders", "Read orders",
		"Shop", "Telefonnummer", "Geburtsdatum", "Badge number", "bis Sie ihn widerrufen",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, wrong := range []string{"Confirm who you are", "Recognise", "Birthdate", "Phone"} {
		if strings.Contains(page, wrong) {
			t.Errorf("the page says %q", wrong)
		}
	}
}

func FuzzLanguage(f *testing.F) {
	p := newPages(f)
	f.Add("de-AT fr", "de-DE,de;q=0.9,en-US;q=0.8,*;q=0.1")
	f.Add("", "*;q=0,,;q=, de ; q=1.000")
	f.Fuzz(func(t *testing.T, locales, accept string) {
		if got := languageOf(p, locales, accept); got != "en" && got != "de" {
			t.Errorf("got %q", got)
		}
	})
}
