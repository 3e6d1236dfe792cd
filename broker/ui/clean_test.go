package ui

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestClean(t *testing.T) {
	tests := []struct {
		name, in string
		limit    int
		want     string
	}{
		{"plain text stays", "Grafana", 10, "Grafana"},
		{"lines become one", "  two \r\n\t\u2028 lines  ", 10, "two lines"},
		{"reading direction cannot be turned", "\u202egpj.exe \u2066b\u2069c\u200fd\u061ce", 20, "gpj.exe bcde"},
		{"control characters go", "nul\x00 and bell\a", 20, "nul and bell"},
		{"invalid UTF-8 goes", "bad \xff utf-8", 20, "bad utf-8"},
		{"what cannot be seen goes", "tag\U000E0041s, \ufefffiller\u3164", 20, "tags, filler"},
		{"joiners have a meaning and stay", "\u0646\u06cc\u200c\u0645 \U0001f469\u200d\U0001f680", 20, "\u0646\u06cc\u200c\u0645 \U0001f469\u200d\U0001f680"},
		{"escaping is the template's work", "<b>&amp;</b>", 20, "<b>&amp;</b>"},
		{"exactly the limit", "1234567890", 10, "1234567890"},
		{"trailing blanks do not count", "1234567890 ", 10, "1234567890"},
		{"one too many", "12345678901", 10, "1234567890…"},
		{"no blank before the ellipsis", "123456789 1", 10, "123456789…"},
		{"characters count, not bytes", "ééééé", 5, "ééééé"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := clean(tt.in, tt.limit); got != tt.want {
				t.Errorf("clean(%q, %d) = %q, want %q", tt.in, tt.limit, got, tt.want)
			}
		})
	}
}

func FuzzClean(f *testing.F) {
	for _, s := range []string{"Grafana", "a\u202eb", " \x00\xff\n", strings.Repeat("x ", 200)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := clean(s, 20)
		if n := utf8.RuneCountInString(got); n > 21 {
			t.Errorf("clean(%q) has %d characters", s, n)
		}
		if !utf8.ValidString(got) || got != strings.TrimSpace(got) || strings.Contains(got, "  ") {
			t.Errorf("clean(%q) = %q", s, got)
		}
		for _, c := range got {
			if unicode.IsControl(c) || isInvisible(c) || unicode.IsSpace(c) && c != ' ' {
				t.Errorf("clean(%q) = %q holds %U", s, got, c)
			}
		}
		if again := clean(got, 21); again != got {
			t.Errorf("clean is not stable: %q becomes %q", got, again)
		}
	})
}

func TestMonogram(t *testing.T) {
	for name, want := range map[string]string{"grafana": "G", "über": "Ü", "<3 app": "3", "!?": "•", "": "•"} {
		if got := monogram(name); got != want {
			t.Errorf("monogram(%q) = %q, want %q", name, got, want)
		}
	}
}
