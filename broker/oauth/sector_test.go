package oauth

import "testing"

func TestClient_Sector(t *testing.T) {
	for name, test := range map[string]struct {
		redirects []string
		sector    string
		want      string // empty is an error
	}{
		"the host of the redirect URIs":     {[]string{"https://APP.example.com/a", "https://app.example.com:8443/b"}, "", "app.example.com"},
		"the host of the sector identifier": {[]string{"https://a.example.com/", "https://b.example.com/"}, "https://example.com/s.json", "example.com"},
		"several hosts and no sector":       {[]string{"https://a.example.com/", "https://b.example.com/"}, "", ""},
		"no redirect URI with a host":       {[]string{"com.example.app:/callback"}, "", ""},
		"plain http":                        {[]string{registeredURI}, "http://example.com/s.json", ""},
		"no host":                           {[]string{registeredURI}, "https:///s.json", ""},
		// An empty sector is no sector: the client's users would have the
		// names that all other clients know, though it asked for its own.
		"a port and no host": {[]string{registeredURI}, "https://:443/s.json", ""},
	} {
		t.Run(name, func(t *testing.T) {
			c := confidential()
			c.RedirectURIs, c.SubjectType, c.SectorIdentifierURI = test.redirects, SubjectPairwise, test.sector
			err := c.Validate()
			if test.want == "" {
				if err == nil {
					t.Errorf("accepted, with the sector %q", c.Sector())
				}
				return
			}
			if err != nil || c.Sector() != test.want {
				t.Errorf("sector %q, error %v; want %q", c.Sector(), err, test.want)
			}
		})
	}
}
