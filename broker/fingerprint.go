package broker

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/op"
)

// fingerprint changes with every setting that shapes the contexts of the
// connection, so that none made under other settings is used again.
func (c *Connection) fingerprint(schema *authn.Schema, subjectFormat string) string {
	p := c.pipeline(schema)
	p.Schema, p.Attributes, p.Mappings = nil, slices.Clone(p.Attributes), slices.Clone(p.Mappings)
	for i := range p.Attributes {
		p.Attributes[i].Origin = "" // a line that moves changes nothing
	}
	for i := range p.Mappings {
		if p.Mappings[i].Origin != claims.OriginDefault {
			p.Mappings[i].Origin = ""
		}
	}
	settings := struct {
		Settings, Namespace string
		SubjectFormat       string
		Pipeline            authn.Config
		Fields              map[string]claims.Type
		TrustEmail          bool
		TTL                 int64
		Script              string
		Application         op.Application
	}{
		Settings: c.Settings, Namespace: c.SubjectNamespace, SubjectFormat: subjectFormat, Pipeline: p, Fields: types(schema),
		TrustEmail: c.TrustEmail, TTL: int64(c.ContextCache),
	}
	if c.Application != nil {
		settings.Application = *c.Application
		settings.Application.Origin = ""
	}
	if c.Script != nil {
		settings.Script = fmt.Sprint(c.Script.Compiled.Digest(), c.Script.ContinueOnError)
	}
	// All of it is texts, numbers and lists: marshalling cannot fail.
	raw, _ := json.Marshal(settings)
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

func types(schema *authn.Schema) map[string]claims.Type {
	out := map[string]claims.Type{}
	for _, f := range schema.Fields() {
		out[f.Name.String()] = f.Type
	}
	return out
}
