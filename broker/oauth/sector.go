package oauth

import (
	"fmt"
	"net/url"
	"strings"
)

// Sector returns the host that pairwise subjects of the client are made for
// (OpenID Connect Core, 8.1), empty for a client with public ones.
func (c *Client) Sector() string {
	if c.SubjectType != SubjectPairwise {
		return ""
	}
	if c.SectorIdentifierURI != "" {
		return host(c.SectorIdentifierURI)
	}
	return host(c.RedirectURIs[0])
}

func host(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Hostname())
}

// validateSubject makes sure that a client with pairwise subjects has one
// sector and no more.
func (c *Client) validateSubject() error {
	switch c.SubjectType {
	case "", SubjectPublic:
		if c.SectorIdentifierURI != "" {
			return fmt.Errorf("client %s: sector_identifier_uri needs subject_type pairwise; add that line or remove this one", c.ID)
		}
		return nil
	case SubjectPairwise:
	default:
		return fmt.Errorf("client %s: subject_type %q: use %s or %s", c.ID, c.SubjectType, SubjectPublic, SubjectPairwise)
	}
	if c.SectorIdentifierURI != "" {
		u, err := url.Parse(c.SectorIdentifierURI)
		// A port alone is no host. Without one the sector would be empty, and
		// the client would get the names that all others know.
		if err != nil || u.Scheme != "https" || u.Hostname() == "" {
			return fmt.Errorf("client %s: sector_identifier_uri %q: must be an https address", c.ID, c.SectorIdentifierURI)
		}
		return nil
	}
	if len(c.RedirectURIs) == 0 {
		return fmt.Errorf("client %s: subject_type pairwise needs a sector; add sector_identifier_uri", c.ID)
	}
	for _, u := range c.RedirectURIs {
		if host(u) == "" || host(u) != host(c.RedirectURIs[0]) {
			return fmt.Errorf("client %s: subject_type pairwise: the redirect_uris are on several hosts; name the sector by sector_identifier_uri", c.ID)
		}
	}
	return nil
}
