package op

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"go.uber.org/zap"
)

// PathLogo is where our copies of logos are, below the issuer.
const PathLogo = "/oauth2/assets/logo/"

const (
	// maxLogo bounds a picture in bytes.
	maxLogo = 256 << 10

	// logoTimeout bounds the fetch. It delays the picture and nothing else.
	logoTimeout = 5 * time.Second
)

// logoTypes are the formats that pages show.
var logoTypes = []string{"image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml"}

// logoPolicy keeps a picture from being more than that. Opened by itself, an
// SVG is a document of our origin, and whoever supplies it writes its
// scripts: they would run beside the consent page.
const logoPolicy = "sandbox; default-src 'none'; style-src 'unsafe-inline'"

// logoURL returns the address of our copy of the picture at uri, which
// belongs to the connection or client (owner) of that id. It is empty if
// there is none to show; pages then have a monogram.
func (s *Server) logoURL(owner, id, uri string) string {
	if s.Logos == nil || uri == "" {
		return ""
	}
	key := logoKey(uri)
	if known, ok := s.logos.get(key, s.Now()); ok && known.data == nil {
		return ""
	}
	return s.path(PathLogo+key) + "?" + url.Values{owner: {id}}.Encode()
}

// logoKey stands for the picture's own address, and changes with it.
func logoKey(uri string) string {
	sum := sha256.Sum256([]byte(uri))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// Logo serves our copy of a logo.
//
// Attacker: anybody. Move: an address of ours that makes us fetch what they
// name. Harm: a proxy for the world, with our address and our way into
// private networks. So the request names a connection or client, and only
// the address in its settings is ever fetched.
func (s *Server) Logo(w http.ResponseWriter, r *http.Request) {
	key, uri := r.PathValue("key"), s.logoURI(r.URL.Query())
	if s.Logos == nil || uri == "" || logoKey(uri) != key {
		http.NotFound(w, r)
		return
	}
	found := s.logos.load(r.Context(), key, s.Now, func(ctx context.Context) logo { return s.fetchLogo(ctx, uri) })
	if found.data == nil {
		w.Header().Set("Cache-Control", "no-store")
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", found.media)
	h.Set("Content-Length", strconv.Itoa(len(found.data)))
	h.Set("Content-Security-Policy", logoPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "public, max-age="+strconv.Itoa(int(logoLifetime/time.Second)))
	_, _ = w.Write(found.data)
}

// logoURI returns the address in the settings of whom the query names.
func (s *Server) logoURI(query url.Values) string {
	if id := query.Get("connection"); id != "" {
		if conn := s.connection(id); conn != nil {
			return conn.LogoURI
		}
		return ""
	}
	if client := s.Client(query.Get("client")); client != nil {
		return client.LogoURI
	}
	return ""
}

// fetchLogo returns the picture at uri, or an empty one. The log tells why,
// once for each attempt.
func (s *Server) fetchLogo(ctx context.Context, uri string) logo {
	found, err := readLogo(ctx, s.Logos, uri)
	if err != nil {
		s.Log.Warn("logo not shown", zap.Error(err))
	}
	return found
}

func readLogo(ctx context.Context, client *http.Client, uri string) (logo, error) {
	ctx, cancel := context.WithTimeout(ctx, logoTimeout)
	defer cancel()
	//nolint:gosec // G704: the address is configured, and the client judges where it leads
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, uri, nil)
	if err != nil {
		return logo{}, fmt.Errorf("fetching logo: %w", err)
	}
	own := *client
	own.Jar = nil
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := own.Do(req) //nolint:gosec // G704: as above
	if err != nil {
		return logo{}, fmt.Errorf("fetching logo: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return logo{}, fmt.Errorf("fetching logo %s: answered %d; redirects are not followed", uri, resp.StatusCode)
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxLogo+1))
	if err != nil {
		return logo{}, fmt.Errorf("fetching logo %s: %w", uri, err)
	}
	if len(data) > maxLogo {
		return logo{}, fmt.Errorf("fetching logo %s: larger than %d bytes", uri, maxLogo)
	}
	media, err := logoType(resp.Header.Get("Content-Type"), data)
	if err != nil {
		return logo{}, fmt.Errorf("fetching logo %s: %w", uri, err)
	}
	return logo{data: data, media: media}, nil
}

// errNotLogo is returned for what is no picture of the types above, or is
// declared as another one than it looks.
var errNotLogo = errors.New("not a PNG, JPEG, GIF, WebP or SVG picture, or declared as something else")

// logoType returns the type of a picture on which declaration and content
// agree.
func logoType(declared string, data []byte) (string, error) {
	media, _, err := mime.ParseMediaType(declared)
	if err != nil || !slices.Contains(logoTypes, media) {
		return "", errNotLogo
	}
	if media == "image/svg+xml" && isSVG(data) || media == http.DetectContentType(data) {
		return media, nil
	}
	return "", errNotLogo
}

// isSVG says whether the root element of the document is that of an SVG.
func isSVG(data []byte) bool {
	d := xml.NewDecoder(bytes.NewReader(data))
	for {
		token, err := d.Token()
		if err != nil {
			return false
		}
		if root, ok := token.(xml.StartElement); ok {
			return root.Name == xml.Name{Space: "http://www.w3.org/2000/svg", Local: "svg"}
		}
	}
}
