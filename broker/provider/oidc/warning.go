package oidc

import (
	"fmt"
	"strings"
)

// Warnings returns what works, but not for ever or not for everybody, each
// naming the setting and what to write instead. The caller logs them at
// load. c must be valid.
func (c Config) Warnings() []string {
	var warnings []string
	if strings.HasPrefix(strings.ToLower(c.Issuer), "http:") {
		warnings = append(warnings, fmt.Sprintf("issuer %s is plain http, which is for development only", c.Issuer))
	}
	if c.Organization != "" && !IsOrganizationID(c.Organization) {
		warnings = append(warnings, fmt.Sprintf("organization %q is a name, which can be given to another organization: "+
			"write the id, which begins with org_", c.Organization))
	}
	return warnings
}
