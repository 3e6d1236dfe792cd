package ui

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Whatever colour an operator wants, everything on the pages can be read and
// every control be seen, light and dark (WCAG 2.2 AA).
func TestS51_ContrastOfAnyAccent(t *testing.T) {
	base, _, _ := bytes.Cut(styleCSS(), []byte("\n*,")) // the colours, without the rules
	check := func(t interface{ Errorf(string, ...any) }, c rgb) {
		checkContrast(t, append(slices.Clip(base), Accent{c}.css(base)...))
	}
	t.Run("across the cube", func(t *testing.T) {
		for r := 0; r <= 255; r += 51 {
			for g := 0; g <= 255; g += 51 {
				for b := 0; b <= 255; b += 51 {
					check(t, rgb{uint8(r), uint8(g), uint8(b)})
					if t.Failed() {
						t.Fatalf("accent #%02x%02x%02x", r, g, b)
					}
				}
			}
		}
	})
	t.Run("where rounding once took the contrast", func(t *testing.T) { check(t, rgb{0, 0x7c, 0x70}) })
	t.Run("anywhere", rapid.MakeCheck(func(t *rapid.T) {
		check(t, rgb{rapid.Uint8().Draw(t, "red"), rapid.Uint8().Draw(t, "green"), rapid.Uint8().Draw(t, "blue")})
	}))
}

// A colour that can be read stays as it is.
func TestAccentIsKeptWhereItCanBe(t *testing.T) {
	for _, colour := range []string{"#1a5296", "#b3261e", "#006b3c", "#5b21b6", "#000000"} {
		if css := accentOf(t, colour); !strings.Contains(css, "--accent: "+colour+";") {
			t.Errorf("%s became\n%s", colour, css)
		}
	}
}

// The hue is what people know a brand by.
func TestAccentKeepsItsHue(t *testing.T) {
	for _, tt := range []struct {
		colour     string
		channel    int // the strongest one
		weak, mild int // the others
	}{
		{"#f00", 0, 1, 2},
		{"#0c0", 1, 0, 2},
		{"#00f", 2, 0, 1},
		{"#0a7cff", 2, 0, 1},
	} {
		for i, p := range palettes([]byte(accentOf(t, tt.colour))) {
			for _, name := range []string{"accent", "accent-strong", "tint"} {
				c := p[name]
				if c[tt.channel] <= c[tt.weak] || c[tt.channel] <= c[tt.mild] {
					t.Errorf("%s: scheme %d: %s is %s", tt.colour, i, name, c)
				}
			}
		}
	}
}

// Hovering has to show, black and white included.
func TestAccentStrongDiffers(t *testing.T) {
	for _, colour := range []string{"#000", "#fff", "#0a7cff", "#ffd400", "#808080"} {
		for i, p := range palettes([]byte(accentOf(t, colour))) {
			if got := contrast(p["accent"], p["accent-strong"]); got < 1.15 {
				t.Errorf("%s: scheme %d: %s and %s", colour, i, p["accent"], p["accent-strong"])
			}
		}
	}
}

func accentOf(t *testing.T, colour string) string {
	t.Helper()
	a, err := ParseAccent(colour)
	if err != nil {
		t.Fatal(err)
	}
	return a.css(styleCSS())
}

func TestParseAccent(t *testing.T) {
	for in, want := range map[string]string{"#abc": "#aabbcc", "#0a7cff": "#0a7cff", "#0A7CFF": "#0a7cff", "#000": "#000000"} {
		if got, err := ParseAccent(in); err != nil || got.wanted.String() != want {
			t.Errorf("%s became %s (%v), want %s", in, got.wanted, err, want)
		}
	}
	for _, in := range []string{"", "#", "red", "0a7cff", "#12", "#1234", "#12345", "#1234567", "#12345678", "#ggg", "#+12", "#-1-1-1", "#12_345", "rgb(1,2,3)", "#0a7cff;", " #fff"} {
		if _, err := ParseAccent(in); err == nil || !strings.Contains(err.Error(), `"#rgb" or "#rrggbb"`) {
			t.Errorf("%q: %v", in, err)
		}
	}
}

// There and back again, every colour is itself: nothing drifts.
func TestOKLCHIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := rgb{rapid.Uint8().Draw(t, "red"), rapid.Uint8().Draw(t, "green"), rapid.Uint8().Draw(t, "blue")}
		if got := c.oklch().rgb(); got != c {
			t.Errorf("%s became %s", c, got)
		}
	})
	// The example of CSS Color 4: lime.
	if got := fmt.Sprintf("%.3f %.3f %.2f", rgb{0, 255, 0}.oklch().l, rgb{0, 255, 0}.oklch().c, rgb{0, 255, 0}.oklch().h); got != "0.866 0.295 2.49" {
		t.Errorf("lime is %s", got)
	}
}
