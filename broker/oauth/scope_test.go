package oauth

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseScope(t *testing.T) {
	for name, tc := range map[string]struct {
		in   string
		want []string
	}{
		"nothing":                  {"", nil},
		"only spaces":              {"   ", nil},
		"one":                      {"openid", []string{"openid"}},
		"order of the request":     {"email openid profile", []string{"email", "openid", "profile"}},
		"repetition counts once":   {"openid email openid", []string{"openid", "email"}},
		"spaces around":            {" openid  email ", []string{"openid", "email"}},
		"an address as a name":     {"https://api.example.com/read:all", []string{"https://api.example.com/read:all"}},
		"every end of the grammar": {"! # [ ] ~", []string{"!", "#", "[", "]", "~"}},
		"letters' case counts":     {"openid OpenID", []string{"openid", "OpenID"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := ParseScope(tc.in)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestParseScope_RefusesOtherCharacters(t *testing.T) {
	for name, in := range map[string]string{
		"quote":             `openid "email"`,
		"backslash":         `openid\email`,
		"tab between":       "openid\temail",
		"line break":        "openid\nemail",
		"NUL":               "openid\x00",
		"DEL":               "openid\x7f",
		"no-break space":    "openid\u00a0email",
		"not ASCII":         "öpenid",
		"not UTF-8":         "openid \xff",
		"full-width letter": "ｏpenid",
	} {
		t.Run(name, func(t *testing.T) {
			got, err := ParseScope(in)
			checkError(t, err, InvalidScope, "a scope holds a character that scopes cannot have")
			if got != nil {
				t.Errorf("names %q beside an error", got)
			}
		})
	}
}

func TestSubset(t *testing.T) {
	for _, tc := range []struct {
		sub, set []string
		want     bool
	}{
		{nil, nil, true},
		{nil, []string{"a"}, true},
		{[]string{"a"}, nil, false},
		{[]string{"a", "b"}, []string{"b", "c", "a"}, true},
		{[]string{"a", "d"}, []string{"b", "c", "a"}, false},
		{[]string{"A"}, []string{"a"}, false},
	} {
		if got := Subset(tc.sub, tc.set); got != tc.want {
			t.Errorf("Subset(%q, %q) = %v", tc.sub, tc.set, got)
		}
	}
}
