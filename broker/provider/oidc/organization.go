package oidc

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/provider"
)

// checkOrganization refuses people of other organizations. The parameter in
// the authorization request is not enough: the user can change it there,
// and sign in as a member of an organization of his own.
func (p *Provider) checkOrganization(set claimSet) error {
	mismatch := func(err error) error { return denial(provider.ReasonOrganization, err) }
	id, name := set.text("org_id"), set.text("org_name")

	switch want := p.cfg.Organization; {
	case want == "":
	case IsOrganizationID(want):
		if id != want {
			return mismatch(fmt.Errorf("org_id %q is not %q", clip(id), want))
		}
	case !strings.EqualFold(name, want):
		return mismatch(fmt.Errorf("org_name %q is not %q", clip(name), want))
	}
	if allowed := p.cfg.Organizations; len(allowed) > 0 && !slices.Contains(allowed, id) {
		if id == "" {
			return mismatch(errors.New("org_id is missing, but organizations are listed"))
		}
		return mismatch(fmt.Errorf("org_id %q is not among the allowed organizations", clip(id)))
	}
	return nil
}

// IsOrganizationID tells an organization's id from its name. Only ids are
// safe for ever: a name can be given to another organization.
func IsOrganizationID(s string) bool { return strings.HasPrefix(s, "org_") }
