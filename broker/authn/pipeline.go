package authn

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
)

// A Config is what one connection does with the answers of its upstream.
type Config struct {
	// Schema of the context. The default has the default names only.
	Schema *Schema

	// Attributes in effect, see [claims.Default] and [claims.Override].
	Attributes []claims.Attribute

	// Mappings in effect, in order of precedence: the operator's own,
	// then [claims.DefaultMappings]. A mapping without a type gets its
	// target's.
	Mappings []claims.Mapping

	// StaticAMR, if not empty, stands in place of the upstream's amr.
	// Values outside RFC 8176 need AllowCustomAMR.
	StaticAMR      []string
	AllowCustomAMR bool

	// ISOUpdatedAt reads a number "updated_at" that comes as an ISO 8601
	// text, as Auth0 sends it.
	ISOUpdatedAt bool
}

// An Input is the verified answer of an upstream.
type Input struct {
	// Connection, Issuer and Subject say who signed in. All are required.
	Connection string
	Issuer     string
	Subject    string

	// SID is the upstream's session, empty if unknown.
	SID string

	// AuthTime, AMR and ACR are those to go by: the upstream's, or where
	// it sent none what the caller remembers or falls back to.
	AuthTime time.Time
	AMR      []string
	ACR      string

	// Documents are read and not changed.
	Documents claims.Documents
}

// A Pipeline builds the authentication contexts of one connection. It is
// safe for concurrent use.
type Pipeline struct {
	attributes []claims.Attribute
	mapper     *claims.Mapper
	staticAMR  []string
	isoTimes   []string // attributes to read as ISO 8601
}

// NewPipeline checks cfg and makes it ready. Errors name the attribute or
// mapping, where it is configured, and the cure.
func NewPipeline(cfg Config) (*Pipeline, error) {
	if err := ValidateAMR(cfg.StaticAMR, cfg.AllowCustomAMR); err != nil {
		return nil, err
	}
	mappings, err := typed(cfg.Schema, cfg.Mappings)
	if err != nil {
		return nil, err
	}
	mapper, err := claims.NewMapper(cfg.Attributes, mappings)
	if err != nil {
		return nil, err
	}
	p := &Pipeline{
		attributes: slices.Clone(cfg.Attributes),
		mapper:     mapper,
		staticAMR:  slices.Clone(cfg.StaticAMR),
	}
	if cfg.ISOUpdatedAt {
		p.isoTimes = updatedAt(cfg.Attributes)
	}
	return p, nil
}

// typed checks the targets and gives each mapping its target's type.
func typed(schema *Schema, mappings []claims.Mapping) ([]claims.Mapping, error) {
	if schema == nil {
		var err error
		if schema, err = NewSchema(); err != nil {
			return nil, err
		}
	}
	out := slices.Clone(mappings)
	for i := range out {
		m := &out[i]
		t, err := schema.Target(m.To)
		if err == nil && m.Type != "" && m.Type != t {
			err = fmt.Errorf("type %s is not that of target %q, which is %s; leave the type out", m.Type, m.To, t)
		}
		if err != nil {
			return nil, fmt.Errorf("mapping %s: %w", cmp.Or(m.Origin, "#"+strconv.Itoa(i+1)), err)
		}
		m.Type = t
	}
	return out, nil
}

// updatedAt returns the attributes that read updated_at as a number. One
// that an operator declares as a string gets the text as it came.
func updatedAt(attributes []claims.Attribute) []string {
	var names []string
	for _, a := range attributes {
		if a.Path.Equal(claims.Key("updated_at")) && a.Type == claims.Number {
			names = append(names, a.Name)
		}
	}
	return names
}

// Build makes the context of one sign-in. Its Subject is left empty: later
// stages may still change whom the upstream means.
//
// What did not arrive is in the drops, also beside an error. Errors are
// [ErrSubject] and [claims.ErrRequired]; both end the sign-in.
func (p *Pipeline) Build(in Input) (*Context, []claims.Drop, error) {
	if err := checkIdentity(in.Connection, in.Issuer, in.Subject); err != nil {
		return nil, nil, fmt.Errorf("connection %q: %w", in.Connection, err)
	}
	values, drops := claims.Extract(p.attributes, in.Documents)
	for _, name := range p.isoTimes {
		if seconds, ok := unixSeconds(values[name]); ok {
			values[name] = seconds
		}
	}
	attributes, lost, err := p.mapper.Map(values)
	drops = append(drops, lost...)
	if err != nil {
		return nil, drops, fmt.Errorf("connection %q: %w", in.Connection, err)
	}
	return &Context{
		Attributes:  attributes,
		Connection:  in.Connection,
		Issuer:      in.Issuer,
		IDPSubject:  in.Subject,
		UpstreamSID: in.SID,
		AuthTime:    in.AuthTime.UTC(),
		AMR:         p.amr(in.AMR),
		ACR:         in.ACR,
	}, drops, nil
}

// amr returns the operator's methods if there are any, else the upstream's.
func (p *Pipeline) amr(upstream []string) []string {
	methods := upstream
	if len(p.staticAMR) > 0 {
		methods = p.staticAMR
	}
	if len(methods) == 0 {
		return nil
	}
	return slices.Clone(methods)
}

// unixSeconds converts an ISO 8601 text. What it cannot read stays a text,
// and the mapping drops it as one.
func unixSeconds(v any) (json.Number, bool) {
	text, ok := v.(string)
	if !ok {
		return "", false
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return "", false
	}
	return json.Number(strconv.FormatInt(t.Unix(), 10)), true
}
