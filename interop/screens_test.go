package interop_test

import (
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// screensDir is where TestScreens leaves the pictures of the pages.
var screensDir = flag.String("screens", "", "write pictures of all pages into this `folder`")

const (
	// maxScreen bounds a picture in bytes: the repository keeps all of them.
	maxScreen = 40 << 10

	// maxScreenHeight is where a long page is cut, in pixels.
	maxScreenHeight = 1600

	// screenColors is enough for the edges of letters to look smooth.
	screenColors = 64
)

// screenViews are what pictures are made of each page.
var screenViews = []view{{width: 1280}, {width: 320, dark: true}}

// The pictures in docs/screens, and the page that shows them. Without the flag
// it makes those of one page, to show that it can.
func TestScreens(t *testing.T) {
	g := openGallery(t)
	pages, dir := galleryPages(), *screensDir
	if dir == "" {
		pages, dir = pages[:1], t.TempDir()
	}
	for _, p := range pages {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			d := g.visit(t, true, cmp.Or(p.language, "en"))
			p.open(g, d)
			for _, v := range screenViews {
				picture := d.picture(v)
				if len(picture) > maxScreen {
					t.Errorf("%v: %d bytes, want %d at most", v, len(picture), maxScreen)
				}
				write(t, dir, screenName(p, v), picture)
			}
		})
	}
	write(t, dir, "README.md", []byte(screensReadme(pages)))
}

func write(t *testing.T, dir, name string, content []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
		t.Fatal(err)
	}
}

// Pictures of pages that are no more, or none of pages that are new, mislead
// whoever reads docs/screens.
func TestScreensAreComplete(t *testing.T) {
	const folder = "../docs/screens"
	readme, err := os.ReadFile(filepath.Join(folder, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	if string(readme) != screensReadme(galleryPages()) {
		t.Error("README.md does not show the pages that there are; run make screens")
	}
	var want []string
	for _, p := range galleryPages() {
		for _, v := range screenViews {
			want = append(want, screenName(p, v))
		}
	}
	found, err := filepath.Glob(filepath.Join(folder, "*.png"))
	if err != nil {
		t.Fatal(err)
	}
	for i, path := range found {
		found[i] = filepath.Base(path)
		if info, err := os.Stat(path); err != nil || info.Size() > maxScreen {
			t.Errorf("%s: %v, or more than %d bytes", path, err, maxScreen)
		}
	}
	slices.Sort(want)
	slices.Sort(found)
	if !slices.Equal(found, want) {
		t.Errorf("there are %q, want %q; run make screens", found, want)
	}
}

// screensReadme shows all pictures.
func screensReadme(pages []galleryPage) string {
	var b strings.Builder
	b.WriteString(screensIntroduction)
	for _, p := range pages {
		fmt.Fprintf(&b, "| %s |", p.about)
		for _, v := range screenViews {
			fmt.Fprintf(&b, " ![%s, %v](%s) |", p.about, v, screenName(p, v))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

const screensIntroduction = `# Screens

What people see, as Chromium draws it on a desk and on a telephone. ` + "`make screens`" + ` draws all of them anew, from an
installation with stand-in providers; the same pages are held to WCAG 2.2 AA by a test. Long pages are cut.

| page | 1280 px, light | 320 px, dark |
|---|---|---|
`

func screenName(p galleryPage, v view) string {
	name := fmt.Sprintf("%s-%d", p.name, v.width)
	if v.dark {
		name += "-dark"
	}
	return name + ".png"
}

// picture photographs the page down to the end of its content, as a small
// PNG: in fewer colours if it has to be, and then with less of it.
func (d *tab) picture(v view) []byte {
	d.t.Helper()
	d.show(d.t, v)
	height := min(evaluate[float64](d, "Math.ceil(document.body.getBoundingClientRect().bottom)"), maxScreenHeight)
	shot, err := chromedp.Call(d.ctx, page.CaptureScreenshot, page.CaptureScreenshotParams{
		Clip: &page.Viewport{Width: float64(v.width), Height: height, Scale: 1}, CaptureBeyondViewport: new(true),
	})
	if err != nil {
		d.t.Fatal(err)
	}
	taken, err := png.Decode(bytes.NewReader(shot.Data))
	if err != nil {
		d.t.Fatal(err)
	}
	for colors := screenColors; ; colors /= 2 {
		small := encode(reduce(taken, colors))
		if len(small) <= maxScreen || colors <= 16 {
			return d.shortened(taken, small)
		}
	}
}

// shortened cuts a picture until its file, which begins as small, is small
// enough.
func (d *tab) shortened(taken image.Image, small []byte) []byte {
	bounds := taken.Bounds()
	for len(small) > maxScreen && bounds.Dy() > 400 {
		bounds.Max.Y -= 100
		cut := image.NewNRGBA(bounds)
		draw.Draw(cut, bounds, taken, bounds.Min, draw.Src)
		small = encode(reduce(cut, 16))
	}
	return small
}

func encode(picture image.Image) []byte {
	var out bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	if err := encoder.Encode(&out, picture); err != nil {
		panic(err) // memory takes everything
	}
	return out.Bytes()
}

// The median cut itself: large areas keep their colour, and no picture gets
// more than it may.
func TestReduceKeepsColors(t *testing.T) {
	picture := image.NewNRGBA(image.Rect(0, 0, 64, 64))
	for i := range 64 * 64 {
		x, y := i%64, i/64
		c := [4]uint8{0xf1, 0xf4, 0xf7, 0xff}
		if y > 48 {
			c = [4]uint8{uint8(4 * x), uint8(4 * y), uint8(x * y), 0xff}
		}
		copy(picture.Pix[4*i:], c[:])
	}
	got := reduce(picture, screenColors)
	if len(got.Palette) > screenColors {
		t.Errorf("%d colours", len(got.Palette))
	}
	if got.At(0, 0) != picture.At(0, 0) {
		t.Errorf("the ground is %v, want %v", got.At(0, 0), picture.At(0, 0))
	}
	if few := reduce(picture.SubImage(image.Rect(0, 0, 64, 40)), screenColors); len(few.Palette) != 1 {
		t.Errorf("one colour became %d", len(few.Palette))
	}
}
