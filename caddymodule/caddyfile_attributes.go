package caddymodule

import (
	"fmt"
	"slices"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
)

// attributeWords are about what becomes of a provider's answers.
func (p *Provider) attributeWords() []word {
	return []word{
		{name: "attribute", read: p.readAttribute, many: true},
		{name: "map", read: p.readMap, many: true},
		{name: "map_static", read: p.readMapStatic, many: true},
		{name: "unmap", read: p.readUnmap, many: true},
		{name: "amr", read: p.readAMR},
		{name: "allow_custom_amr", read: toggle(&p.AllowCustomAMR)},
		{name: "trust_email", read: toggle(&p.TrustEmail)},
		{name: "context_cache", read: p.readContextCache},
		{name: "subject_namespace", read: text(&p.SubjectNamespace)},
	}
}

// readAttribute reads an attribute. Syntax:
//
//	attribute <name> <id_token|access_token|userinfo|assertion> <claim path> [<type> [<display name>]]
func (p *Provider) readAttribute(d *caddyfile.Dispenser) error {
	a := Attribute{Origin: originOf(d)}
	args := d.RemainingArgs()
	if len(args) < 3 || len(args) > 5 {
		return d.Errf(`attribute takes a name, a source, the path of the claim and at most a type and a display name, such as: attribute teams id_token https://example\.com/groups string_array "Teams"`)
	}
	a.Name, a.Source, a.Claim = args[0], args[1], args[2]
	if len(args) > 3 {
		a.Type = args[3]
	}
	if len(args) > 4 {
		a.DisplayName = args[4]
	}
	p.Attributes = append(p.Attributes, a)
	_, err := p.ownAttributes("")
	return misread(d, err)
}

// readMap reads a mapping. Syntax:
//
//	map <attribute> <context attribute> [weak] [required]
func (p *Provider) readMap(d *caddyfile.Dispenser) error {
	m := Mapping{Origin: originOf(d)}
	args := d.RemainingArgs()
	if len(args) < 2 {
		return d.Errf("map takes an attribute and a context attribute, such as: map teams groups")
	}
	m.Source, m.Target = args[0], args[1]
	for _, flag := range args[2:] {
		switch {
		case flag == "weak" && !m.AllowWeakDecoding:
			m.AllowWeakDecoding = true
		case flag == "required" && !m.Required:
			m.Required = true
		case flag == "weak" || flag == "required":
			return d.Errf("map: %s is given twice; keep one", flag)
		default:
			return d.Errf("map: %q is unknown; behind the context attribute can be: weak, required", flag)
		}
	}
	return p.addMapping(d, "map", m)
}

// readMapStatic reads a mapping of a constant. Syntax:
//
//	map_static <value>... <context attribute>
func (p *Provider) readMapStatic(d *caddyfile.Dispenser) error {
	m := Mapping{Origin: originOf(d), Mode: modeStatic}
	args := d.RemainingArgs()
	if len(args) < 2 {
		return d.Errf("map_static takes one value or more and a context attribute, such as: map_static acme tenant")
	}
	values, target := args[:len(args)-1], args[len(args)-1]
	m.Target = target
	if len(values) == 1 {
		m.Static = caddyconfig.JSON(values[0], nil)
	} else {
		m.Static = caddyconfig.JSON(values, nil)
	}
	return p.addMapping(d, "map_static", m)
}

func (p *Provider) addMapping(d *caddyfile.Dispenser, word string, m Mapping) error {
	if _, err := claims.ParsePath(m.Target); err != nil {
		return d.Errf("%s: %w", word, err)
	}
	p.Mappings = append(p.Mappings, m)
	return nil
}

// readUnmap reads which default mapping to leave out. Syntax:
//
//	unmap <context attribute>
func (p *Provider) readUnmap(d *caddyfile.Dispenser) error {
	var target string
	if err := text(&target)(d); err != nil {
		return err
	}
	if err := checkUnmap(target); err != nil {
		return d.WrapErr(err)
	}
	if slices.Contains(p.Unmap, target) {
		return d.Errf("unmap: %s is given twice; keep one", target)
	}
	p.Unmap = append(p.Unmap, target)
	return nil
}

// readAMR reads the methods that stand in place of the provider's. Syntax:
//
//	amr <method>...
func (p *Provider) readAMR(d *caddyfile.Dispenser) error {
	p.amrOrigin = originOf(d)
	return list(&p.StaticAMR)(d)
}

// checkAMR is for when the block is read: allow_custom_amr may come last.
func (p *Provider) checkAMR() error {
	if err := authn.ValidateAMR(p.StaticAMR, p.AllowCustomAMR); err != nil {
		return fmt.Errorf("%w, at %s", err, p.amrOrigin)
	}
	return nil
}

// readContextCache reads how long a sign-in answers further requests.
// Syntax:
//
//	context_cache <time>
func (p *Provider) readContextCache(d *caddyfile.Dispenser) error {
	arg := ""
	if !d.AllArgs(&arg) {
		return d.Errf("context_cache takes its time to live, such as: context_cache 15m; 0 is off")
	}
	ttl, err := caddy.ParseDuration(arg)
	if err != nil || ttl < 0 {
		return d.Errf("context_cache: %q is not a time; write one such as 15m or 12h, or 0 to turn it off", arg)
	}
	p.ContextCache = caddy.Duration(ttl)
	return nil
}
