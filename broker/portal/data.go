package portal

import (
	"cmp"
	"encoding/json"
	"strings"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/ui"
)

// account returns what the user knows the account by.
func account(c *authn.Context) string {
	for _, name := range []string{"email", "preferred_username", "name", "nickname"} {
		v, _ := c.Attributes[name].(string)
		if v = strings.TrimSpace(v); v != "" {
			return v
		}
	}
	return c.IDPSubject
}

// data returns all that the context holds, in the order of its schema, the
// names that the user has among machines last.
func (p *Portal) data(c *authn.Context) []ui.Datum {
	var out []ui.Datum
	for _, f := range p.Fields {
		if f.Computed {
			continue
		}
		if v, found := f.Name.Lookup(c.Attributes); found {
			origin := c.Origins[f.Name.String()]
			out = append(out, ui.Datum{
				Name: f.Name.String(), Label: p.label(c.Connection, origin, f), Value: readable(f, v), Origin: p.origin(c.Connection, origin),
			})
		}
	}
	for _, f := range p.Fields {
		switch f.Name.String() {
		case "sub":
			out = append(out, ui.Datum{Name: "sub", Label: f.Description, Value: c.Subject, Origin: ui.Origin{Kind: authn.FromBroker}})
		case "idp_sub":
			out = append(out, ui.Datum{
				Name: "idp_sub", Label: f.Description, Value: c.IDPSubject,
				Origin: ui.Origin{Kind: authn.FromProvider, Connection: p.Broker.Connection(c.Connection)},
			})
		}
	}
	return out
}

// label returns what people read beside a value: what the operator calls the
// attribute that it was read from, else what the schema says.
func (p *Portal) label(connection string, o authn.Origin, f authn.Field) string {
	if o.Attribute == "" {
		return f.Description
	}
	return cmp.Or(p.Broker.Attribute(connection, o.Attribute), f.Description)
}

// readable returns the value, a time where the standard has seconds for one
// (OpenID Connect Core, 5.1).
func readable(f authn.Field, v any) any {
	if f.Name.String() != "updated_at" {
		return v
	}
	if n, ok := v.(json.Number); ok {
		if seconds, err := n.Int64(); err == nil {
			return time.Unix(seconds, 0)
		}
	}
	return v
}

// origin puts an origin into the terms of the page.
func (p *Portal) origin(connection string, o authn.Origin) ui.Origin {
	switch kind := o.Kind(); kind {
	case authn.FromUnknown:
		return ui.Origin{}
	case authn.FromProvider:
		document, path := o.Read()
		return ui.Origin{Kind: kind, Connection: p.Broker.Connection(connection), Document: document, Path: path}
	default:
		return ui.Origin{Kind: kind}
	}
}
