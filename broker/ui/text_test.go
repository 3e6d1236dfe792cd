package ui

import (
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
)

// sameOnPurpose lists, for each language, the English texts that are right
// in it, too. Whatever else equals the English text was forgotten.
func sameOnPurpose(lang string) []string {
	return map[string][]string{
		"de": {"Name", "Region", "Website", "in %s"},
	}[lang]
}

// others are the catalogues that translate the English one.
func others() []*catalogue {
	return slices.DeleteFunc(languages(), func(c *catalogue) bool { return c.Lang == "en" })
}

// texts lists every text of a catalogue under the name of its place.
func texts(c *catalogue) map[string]string {
	out := map[string]string{}
	collectTexts(out, "", reflect.ValueOf(*c))
	return out
}

func collectTexts(out map[string]string, name string, v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		out[name] = v.String()
	case reflect.Struct:
		for i := range v.NumField() {
			collectTexts(out, name+"."+v.Type().Field(i).Name, v.Field(i))
		}
	case reflect.Array:
		for i := range v.Len() {
			collectTexts(out, name+"[]"+string(rune('0'+i)), v.Index(i))
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			collectTexts(out, name+" "+key.String(), v.MapIndex(key))
		}
	default:
		panic(name + " is a " + v.Kind().String())
	}
}

func TestEveryTextIsThere(t *testing.T) {
	for _, c := range languages() {
		for name, s := range texts(c) {
			if strings.TrimSpace(s) != s || s == "" {
				t.Errorf("%s: %s is %q", c.Lang, name, s)
			}
		}
	}
}

func TestEveryTextIsTranslated(t *testing.T) {
	in := texts(english())
	for _, c := range others() {
		for name, s := range texts(c) {
			if original, ok := in[name]; ok && s == original && !slices.Contains(sameOnPurpose(c.Lang), s) {
				t.Errorf("%s: %s is still %q", c.Lang, name, s)
			}
		}
		for original, s := range c.Defaults {
			if s == original && !slices.Contains(sameOnPurpose(c.Lang), s) {
				t.Errorf("%s: default %q is not translated", c.Lang, s)
			}
		}
	}
}

// A translation takes what the English text takes, or a page would say
// "%!s(MISSING)".
func TestTranslationsTakeTheSameParameters(t *testing.T) {
	verb := regexp.MustCompile(`%.`)
	in := texts(english())
	for _, c := range others() {
		for name, s := range texts(c) {
			if d := cmp.Diff(verb.FindAllString(in[name], -1), verb.FindAllString(s, -1)); d != "" {
				t.Errorf("%s: %s: %s", c.Lang, name, d)
			}
		}
	}
}

func TestEveryReasonIsExplained(t *testing.T) {
	stop := regexp.MustCompile(`[.!?]$`)
	keys := slices.Sorted(maps.Keys(allReasons()))
	for _, c := range languages() {
		if d := cmp.Diff(keys, slices.Sorted(maps.Keys(c.Reasons))); d != "" {
			t.Errorf("%s: %s", c.Lang, d)
		}
		for key, e := range c.Reasons {
			if stop.MatchString(e.What) {
				t.Errorf("%s: %s: heading %q", c.Lang, key, e.What)
			}
			if !stop.MatchString(e.Why) || !stop.MatchString(e.Do) {
				t.Errorf("%s: %s: texts %q, %q", c.Lang, key, e.Why, e.Do)
			}
			if all := e.What + e.Why + e.Do; strings.ContainsAny(all, "%{") {
				t.Errorf("%s: %s: a text takes a parameter", c.Lang, key)
			}
		}
		if e := c.Reasons["access_denied"]; !strings.Contains(e.Do, c.Allow) {
			t.Errorf("%s: %q does not name the button %q", c.Lang, e.Do, c.Allow)
		}
	}
}

// What the broker says by itself, without configuration, is in English in
// packages that know of no pages.
func TestEveryDefaultIsTranslated(t *testing.T) {
	defaults := map[string]bool{}
	for _, s := range claims.DefaultScopes() {
		defaults[s.DisplayName], defaults[s.Description] = true, true
	}
	schema, err := authn.NewSchema()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range schema.Fields() {
		defaults[f.Description] = true
	}
	want := slices.Sorted(maps.Keys(defaults))
	if len(english().Defaults) != 0 {
		t.Error("English is translated into English")
	}
	for _, c := range others() {
		if d := cmp.Diff(want, slices.Sorted(maps.Keys(c.Defaults))); d != "" {
			t.Errorf("%s: %s", c.Lang, d)
		}
	}
}

// Names of months and days come out of package time in English.
func TestTimesAreInTheLanguage(t *testing.T) {
	at := time.Date(2026, time.March, 5, 7, 8, 9, 0, time.UTC)
	for lang, want := range map[string]string{"en": "5 Mar 2026, 07:08:09 UTC", "de": "05.03.2026, 07:08:09 UTC"} {
		i := slices.IndexFunc(languages(), func(c *catalogue) bool { return c.Lang == lang })
		if got := at.Format(languages()[i].TimeLayout); got != want {
			t.Errorf("%s: %q", lang, got)
		}
	}
	for _, c := range others() {
		for _, name := range []string{"Jan", "Mon"} {
			if strings.Contains(c.TimeLayout, name) {
				t.Errorf("%s: layout %q has an English name in it", c.Lang, c.TimeLayout)
			}
		}
	}
}

func TestDurations(t *testing.T) {
	const day = 24 * time.Hour
	for _, tt := range []struct {
		d      time.Duration
		en, de string
	}{
		{180 * day, "180 days", "180 Tage"},
		{day, "1 day", "1 Tag"},
		{36 * time.Hour, "36 hours", "36 Stunden"},
		{time.Hour, "1 hour", "1 Stunde"},
		{90 * time.Minute, "90 minutes", "90 Minuten"},
		{time.Minute + time.Second, "1 minute", "1 Minute"},
		{time.Second, "1 minute", "1 Minute"},
	} {
		if en, de := english().duration(tt.d), german().duration(tt.d); en != tt.en || de != tt.de {
			t.Errorf("%v: %q, %q", tt.d, en, de)
		}
	}
}

// The polite form, and the quotation marks and dashes of the language.
func TestGermanTypography(t *testing.T) {
	wrong := regexp.MustCompile(`"|'| - |\.\.\.|\b([Dd]u|[Dd]ein\w*|[Dd]ich|[Dd]ir|[Ee]uch|[Ee]uer)\b`)
	for name, s := range texts(german()) {
		if found := wrong.FindString(s); found != "" {
			t.Errorf("%s: %q in %q", name, found, s)
		}
		if strings.Count(s, "„") != strings.Count(s, "“") {
			t.Errorf("%s: quotation marks of %q", name, s)
		}
	}
}
