package ui

import (
	"encoding/hex"
	"fmt"
	"math"
)

// An rgb is a colour of the sRGB space, as style sheets write it.
type rgb [3]uint8

// parseRGB reads "#rgb" or "#rrggbb".
func parseRGB(s string) (rgb, bool) {
	if len(s) == 4 {
		s = string([]byte{s[0], s[1], s[1], s[2], s[2], s[3], s[3]})
	}
	if len(s) != 7 || s[0] != '#' {
		return rgb{}, false
	}
	n, err := hex.DecodeString(s[1:])
	if err != nil {
		return rgb{}, false
	}
	return rgb(n), true
}

func (c rgb) String() string { return fmt.Sprintf("#%02x%02x%02x", c[0], c[1], c[2]) }

// linear returns the intensities of light behind the three numbers.
func (c rgb) linear() (out [3]float64) {
	for i, n := range c {
		v := float64(n) / 255
		if v <= .04045 {
			out[i] = v / 12.92
		} else {
			out[i] = math.Pow((v+.055)/1.055, 2.4)
		}
	}
	return out
}

// contrast is the contrast ratio of WCAG 2.2, from 1 to 21.
func contrast(a, b rgb) float64 {
	la, lb := a.luminance(), b.luminance()
	return (max(la, lb) + .05) / (min(la, lb) + .05)
}

// luminance is the relative luminance of WCAG 2.2.
func (c rgb) luminance() float64 {
	l := c.linear()
	return .2126*l[0] + .7152*l[1] + .0722*l[2]
}

// An oklch is a colour by lightness (0 to 1), chroma and hue (radians), in
// the space of CSS Color 4, 9.2. There a colour can be made lighter or darker
// and stays the same colour to the eye, which mixing with black or white
// does not achieve.
type oklch struct{ l, c, h float64 }

func (c rgb) oklch() oklch {
	v := c.linear()
	l := math.Cbrt(.4122214708*v[0] + .5363325363*v[1] + .0514459929*v[2])
	m := math.Cbrt(.2119034982*v[0] + .6806995451*v[1] + .1073969566*v[2])
	s := math.Cbrt(.0883024619*v[0] + .2817188376*v[1] + .6299787005*v[2])
	a := 1.9779984951*l - 2.4285922050*m + .4505937099*s
	b := .0259040371*l + .7827717662*m - .8086757660*s
	return oklch{
		l: .2104542553*l + .7936177850*m - .0040720468*s,
		c: math.Hypot(a, b),
		h: math.Atan2(b, a),
	}
}

// rgb returns the nearest colour that screens can show: where there is none
// of this chroma, one of less.
func (c oklch) rgb() rgb {
	if out, ok := c.exact(); ok {
		return out
	}
	low, high := 0.0, c.c
	for range 24 {
		c.c = (low + high) / 2
		if _, ok := c.exact(); ok {
			low = c.c
		} else {
			high = c.c
		}
	}
	c.c = low
	out, _ := c.exact()
	return out
}

// exact converts, and reports whether the colour is one of sRGB. If it is
// not, each number is cut to its range.
func (c oklch) exact() (out rgb, ok bool) {
	a, b := c.c*math.Cos(c.h), c.c*math.Sin(c.h)
	l := math.Pow(c.l+.3963377774*a+.2158037573*b, 3)
	m := math.Pow(c.l-.1055613458*a-.0638541728*b, 3)
	s := math.Pow(c.l-.0894841775*a-1.2914855480*b, 3)
	ok = true
	for i, v := range [3]float64{
		4.0767416621*l - 3.3077115913*m + .2309699292*s,
		-1.2684380046*l + 2.6097574011*m - .3413193965*s,
		-.0041960863*l - .7034186147*m + 1.7076147010*s,
	} {
		if v <= .0031308 {
			v *= 12.92
		} else {
			v = 1.055*math.Pow(v, 1/2.4) - .055
		}
		n := math.Round(v * 255)
		ok = ok && n >= 0 && n <= 255
		out[i] = uint8(min(max(n, 0), 255))
	}
	return out, ok
}
