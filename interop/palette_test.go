package interop_test

import (
	"cmp"
	"image"
	"image/color"
	"image/draw"
	"slices"
)

// A shade is a colour and how many points of a picture have it.
type shade struct {
	channels [3]uint8
	count    int
}

// reduce returns the picture in at most n colours: the most frequent half as
// they are, for areas must not run together however close their colours; the
// rest, which are the edges of letters, by median cut. The set of colours that
// spreads furthest is divided where half of its points lie to either side,
// until there are enough sets.
func reduce(picture image.Image, n int) *image.Paletted {
	flat := image.NewNRGBA(picture.Bounds())
	draw.Draw(flat, flat.Bounds(), picture, flat.Bounds().Min, draw.Src)
	counts := map[[3]uint8]int{}
	for i := 0; i < len(flat.Pix); i += 4 {
		counts[[3]uint8(flat.Pix[i:i+3])]++
	}
	all := make([]shade, 0, len(counts))
	for channels, count := range counts {
		all = append(all, shade{channels, count})
	}
	slices.SortFunc(all, func(a, b shade) int {
		return cmp.Or(cmp.Compare(b.count, a.count), slices.Compare(a.channels[:], b.channels[:]))
	})

	var sets [][]shade
	kept := min(n/2, len(all))
	for i := range kept {
		sets = append(sets, all[i:i+1])
	}
	if kept < len(all) {
		sets = append(sets, all[kept:])
	}
	for len(sets) < n {
		widest, channel, width := 0, 0, 0
		for i, set := range sets {
			if c, w := spread(set); w > width {
				widest, channel, width = i, c, w
			}
		}
		if width == 0 {
			break // every colour is in the palette
		}
		a, b := divide(sets[widest], channel)
		sets[widest] = a
		sets = append(sets, b)
	}

	out := image.NewPaletted(flat.Bounds(), nil)
	index := map[[3]uint8]uint8{}
	for i, set := range sets {
		out.Palette = append(out.Palette, mostFrequent(set))
		for _, s := range set {
			index[s.channels] = uint8(i)
		}
	}
	for i := range out.Pix {
		out.Pix[i] = index[[3]uint8(flat.Pix[4*i:4*i+3])]
	}
	return out
}

// spread returns the channel in which a set spreads furthest, and how far.
func spread(set []shade) (channel, width int) {
	for c := range 3 {
		low, high := uint8(255), uint8(0)
		for _, s := range set {
			low, high = min(low, s.channels[c]), max(high, s.channels[c])
		}
		if w := int(high) - int(low); w > width {
			channel, width = c, w
		}
	}
	return channel, width
}

// divide cuts a set of two colours or more in two. Neither is empty.
func divide(set []shade, channel int) (a, b []shade) {
	slices.SortStableFunc(set, func(a, b shade) int { return cmp.Compare(a.channels[channel], b.channels[channel]) })
	total := 0
	for _, s := range set {
		total += s.count
	}
	seen := 0
	for i, s := range set[:len(set)-1] {
		if seen += s.count; 2*seen >= total {
			return set[:i+1], set[i+1:]
		}
	}
	return set[:len(set)-1], set[len(set)-1:]
}

// mostFrequent is the colour that stands for a set: large areas keep their
// exact one.
func mostFrequent(set []shade) color.Color {
	s := slices.MaxFunc(set, func(a, b shade) int { return cmp.Compare(a.count, b.count) })
	return color.NRGBA{R: s.channels[0], G: s.channels[1], B: s.channels[2], A: 0xff}
}
