package authn

import (
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

	// AuthTime, AMR and ACR are the upstream's, zero where it sent none.
	// [Inherit] fills the gaps, and all that follows.
	AuthTime time.Time
	AMR      []string
	ACR      string

	// AuthTimeAsserted, AMRTime and ACRTime are those of the [Context].
	AuthTimeAsserted bool
	AMRTime          time.Time
	ACRTime          time.Time

	// Inherited names what of "amr", "acr" and "auth_time" comes from the
	// SSO session and not from this answer.
	Inherited []string

	// Documents are read and not changed.
	Documents claims.Documents
}

// A Pipeline builds the authentication contexts of one connection. It is
// safe for concurrent use.
type Pipeline struct {
	schema     *Schema
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
	schema := cfg.Schema
	if schema == nil {
		var err error
		if schema, err = NewSchema(); err != nil {
			return nil, err
		}
	}
	mappings, err := typed(schema, cfg.Mappings)
	if err != nil {
		return nil, err
	}
	mapper, err := claims.NewMapper(cfg.Attributes, mappings)
	if err != nil {
		return nil, err
	}
	p := &Pipeline{
		schema:     schema,
		attributes: slices.Clone(cfg.Attributes),
		mapper:     mapper,
		staticAMR:  slices.Clone(cfg.StaticAMR),
	}
	if cfg.ISOUpdatedAt {
		p.isoTimes = updatedAt(cfg.Attributes)
	}
	return p, nil
}

// Schema returns the schema of the contexts that p builds.
func (p *Pipeline) Schema() *Schema { return p.schema }

// typed checks the targets and gives each mapping its target's type.
func typed(schema *Schema, mappings []claims.Mapping) ([]claims.Mapping, error) {
	out := slices.Clone(mappings)
	for i := range out {
		m := &out[i]
		t, err := schema.Target(m.To)
		if err == nil && m.Type != "" && m.Type != t {
			err = fmt.Errorf("type %s is not that of target %q, which is %s; leave the type out", m.Type, m.To, t)
		}
		if err != nil {
			return nil, m.Misconfigured(i, err)
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
// What did not arrive is in the drops. The trace tells what became of every
// attribute and mapping, and of the claims nobody declared. Errors are
// [ErrSubject] and [claims.ErrRequired]; both end the sign-in. Drops and
// trace are there beside the latter, too.
func (p *Pipeline) Build(in Input) (*Context, []claims.Drop, Trace, error) {
	if err := checkIdentity(in.Connection, in.Issuer, in.Subject); err != nil {
		return nil, nil, nil, fmt.Errorf("connection %q: %w", in.Connection, err)
	}
	values, drops := p.extract(in.Documents)
	attributes, steps, lost, err := p.mapper.Map(values)

	trace := p.undeclared(in.Documents)
	trace = append(trace, p.received(values, drops)...)
	trace = append(trace, mapped(attributes, steps, drops, lost)...)
	drops = append(drops, lost...)
	if err != nil {
		return nil, drops, trace, fmt.Errorf("connection %q: %w", in.Connection, err)
	}
	c := p.context(in, attributes)
	return c, drops, append(trace, p.authenticated(in, c)...), nil
}

// extract reads the attributes as the mappings want them.
func (p *Pipeline) extract(docs claims.Documents) (map[string]any, []claims.Drop) {
	values, drops := claims.Extract(p.attributes, docs)
	for _, name := range p.isoTimes {
		if seconds, ok := unixSeconds(values[name]); ok {
			values[name] = seconds
		}
	}
	return values, drops
}

// context puts together who signed in, how, and what was mapped.
func (p *Pipeline) context(in Input, attributes map[string]any) *Context {
	c := &Context{
		Attributes:       attributes,
		Connection:       in.Connection,
		Issuer:           in.Issuer,
		IDPSubject:       in.Subject,
		UpstreamSID:      in.SID,
		AuthTime:         in.AuthTime.UTC(),
		AuthTimeAsserted: in.AuthTimeAsserted,
		AMR:              p.amr(in.AMR),
		AMRTime:          in.AMRTime.UTC(),
		ACR:              in.ACR,
		ACRTime:          in.ACRTime.UTC(),
	}
	if len(p.staticAMR) > 0 {
		// The operator vouches for every sign-in, so for this one.
		c.AMRTime = c.AuthTime
	}
	return c
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
