package ui

// A Client is the application that a sign-in is for. Its texts and links
// come from its registration, for a dynamically registered one from a
// stranger.
type Client struct {
	// Name of the application. Where it is empty, RedirectHost stands in.
	Name string
	// URI is its home page. Only http and https become a link; that holds
	// for PolicyURI and TOSURI, too.
	URI string
	// RedirectHost is the host (or custom scheme) that the visitor is sent
	// back to: the one thing here that an impostor cannot choose freely.
	RedirectHost string
	// LogoURL is a path of this origin, where we serve our copy of the
	// logo. Anything else shows the monogram of the name.
	LogoURL string
	// PolicyURI and TOSURI are its privacy policy and terms of service.
	PolicyURI string
	TOSURI    string
	// Unverified says that the client registered itself and nobody has
	// looked at what it claims (RFC 7591, 5).
	Unverified bool
}

// clean returns the client as templates may see it.
func (c Client) clean(t *catalogue) Client {
	c.Name = clean(c.Name, maxName)
	c.RedirectHost = clean(c.RedirectHost, maxName)
	if c.Name == "" {
		c.Name = c.RedirectHost
	}
	if c.Name == "" {
		c.Name = t.UnnamedClient
	}
	c.URI = webURL(c.URI)
	c.PolicyURI = webURL(c.PolicyURI)
	c.TOSURI = webURL(c.TOSURI)
	c.LogoURL = localPath(c.LogoURL)
	return c
}

// Monogram stands in for a missing logo.
func (c Client) Monogram() string { return monogram(c.Name) }
