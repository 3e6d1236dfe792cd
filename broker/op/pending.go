package op

import (
	"bytes"
	"compress/flate"
	"context"
	"encoding/json"
	"errors"
	"hash/fnv"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
)

const (
	// pendingCookie binds sign-ins to the browser and carries those that
	// are at the upstream.
	pendingCookie = "auth_broker_flow"

	// maxPending sign-ins of one browser live at once; the oldest goes
	// first. People do open fifty tabs on an expired session.
	maxPending = 8

	// maxCookie is what browsers keep of a cookie at least (RFC 6265,
	// 6.1), less its name and attributes.
	maxCookie = 3800

	// A login larger than this would crowd out the others: it waits in the
	// store.
	maxInCookie = 700

	// Slots of the table for large logins. A login owns no slot: a newer
	// one that hashes to it wins, and the older begins again. So the table
	// is bounded, whoever fills it.
	tableSlots = 4096
	maxInTable = 16 << 10
)

// pending is the content of the cookie: the browser's binding and its
// sign-ins, oldest first.
type pending struct {
	Binding string  `json:"b"`
	Logins  []entry `json:"l,omitempty"`
}

// entry is one pending sign-in; Login is nil while it waits in the table.
type entry struct {
	ID    string `json:"i"`
	Login *login `json:"l,omitempty"`
}

// readPending returns what the cookie holds, or an empty pending for a
// browser without one. A cookie that cannot be opened counts as none: it is
// old, from before a change of keys, or forged.
func (s *Server) readPending(r *http.Request) (*pending, error) {
	p := new(pending)
	sealed := s.Cookies.Get(r, pendingCookie)
	if sealed == "" {
		return p, nil
	}
	packed, err := s.Sealer.Open(r.Context(), pendingCookie, sealed)
	if errors.Is(err, store.ErrSealed) {
		return p, nil
	}
	if err != nil {
		return nil, err
	}
	raw, err := unpack(packed)
	if err != nil || json.Unmarshal(raw, p) != nil {
		return new(pending), nil
	}
	return p, nil
}

// writePending sets the cookie, dropping the oldest sign-ins that do not
// fit.
func (s *Server) writePending(ctx context.Context, w http.ResponseWriter, p *pending) error {
	if p.Binding == "" {
		p.Binding = store.NewSecret()
	}
	for len(p.Logins) > maxPending {
		p.Logins = p.Logins[1:]
	}
	for {
		raw, err := json.Marshal(p)
		if err != nil {
			return err
		}
		sealed, err := s.Sealer.Seal(ctx, pendingCookie, pack(raw))
		if err != nil {
			return err
		}
		if len(sealed) <= maxCookie || len(p.Logins) == 0 {
			s.Cookies.Set(w, pendingCookie, sealed, loginLifetime)
			return nil
		}
		p.Logins = p.Logins[1:]
	}
}

// put adds or replaces a login.
func (s *Server) put(ctx context.Context, p *pending, l *login) error {
	p.remove(l.ID)
	raw, err := json.Marshal(l)
	if err != nil {
		return err
	}
	e := entry{ID: l.ID, Login: l}
	switch {
	case len(raw) > maxInTable:
		return errTooLarge
	case len(pack(raw)) > maxInCookie:
		if err := s.Store.Put(ctx, slot(l.ID), raw, pendingLifetime); err != nil {
			return err
		}
		e.Login = nil
	}
	p.Logins = append(p.Logins, e)
	return nil
}

// errTooLarge is returned by put for a request that would not fit anywhere.
var errTooLarge = errors.New("the authorization request is too long")

// get returns a pending login of this browser, or errNoLogin.
func (s *Server) get(ctx context.Context, p *pending, id string) (*login, error) {
	i := slices.IndexFunc(p.Logins, func(e entry) bool { return e.ID == id })
	if i < 0 {
		return nil, errNoLogin
	}
	l := p.Logins[i].Login
	if l == nil {
		raw, err := s.Store.Get(ctx, slot(id))
		if errors.Is(err, store.ErrNotFound) {
			return nil, errNoLogin
		}
		if err != nil {
			return nil, err
		}
		l = new(login)
		if json.Unmarshal(raw, l) != nil {
			return nil, errNoLogin
		}
	}
	if l.ID != id || l.Request == nil || s.Now().Sub(l.started()) > pendingLifetime {
		return nil, errNoLogin
	}
	return l, nil
}

func (p *pending) remove(id string) {
	p.Logins = slices.DeleteFunc(p.Logins, func(e entry) bool { return e.ID == id })
}

func slot(id string) string {
	h := fnv.New32a()
	h.Write([]byte(id))
	return "pending/" + strconv.Itoa(int(h.Sum32()%tableSlots))
}

// spend marks the pending login id as used, exactly once over all nodes and
// restarts; the second caller gets errReplayed. Removing it from the cookie
// is not enough, because a browser, or a thief, can send an old cookie.
func (s *Server) spend(ctx context.Context, id string) error {
	err := s.Store.Swap(ctx, store.SecretKey(spentKind, id), nil, []byte{1}, pendingLifetime+time.Minute)
	if errors.Is(err, store.ErrConflict) {
		return errReplayed
	}
	return err
}

// spentKind is of the marks that spend leaves.
const spentKind = "spent"

var errReplayed = errors.New("the sign-in was finished before")

// pack compresses: what waits in the cookie is mostly the names and
// addresses that every sign-in of the browser repeats.
func pack(raw []byte) []byte {
	var out bytes.Buffer
	// Writing to memory at a valid level does not fail.
	z, _ := flate.NewWriter(&out, flate.BestCompression)
	_, _ = z.Write(raw)
	_ = z.Close()
	return out.Bytes()
}

// unpack is the reverse of pack. The size is bounded although only we can
// have sealed the input.
func unpack(packed []byte) ([]byte, error) {
	return io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(packed)), maxPending*maxInTable))
}
