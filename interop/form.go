package interop

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// NewClient returns a client that behaves as a browser without scripts: it
// keeps cookies and follows redirects, except to callback, where a test takes
// over. The response is then the redirect itself; see Callback.
func NewClient(t testing.TB, callback string) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{
		Jar: jar,
		CheckRedirect: func(req *http.Request, via []*http.Request) error {
			if strings.HasPrefix(req.URL.String(), callback) || len(via) > 10 {
				return http.ErrUseLastResponse
			}
			return nil
		},
	}
}

// Callback returns where a redirect leads, and fails the test if the response
// is none.
func Callback(t testing.TB, response *http.Response) string {
	t.Helper()
	defer response.Body.Close()
	location, err := response.Location()
	if err != nil {
		body, _ := io.ReadAll(io.LimitReader(response.Body, 2048))
		t.Fatalf("%s answered %s, want a redirect:\n%s", response.Request.URL.Redacted(), response.Status, body)
	}
	return location.String()
}

// Submit fills in the form with the id and sends it by the button with the
// id, as a browser would: hidden fields travel along. Values go by field id;
// for a checkbox an empty one clears it and any other checks it.
func Submit(t testing.TB, client *http.Client, page *http.Response, form, button string, values map[string]string) *http.Response {
	t.Helper()
	defer page.Body.Close()
	document, err := html.Parse(page.Body)
	if err != nil {
		t.Fatalf("parsing %s: %v", page.Request.URL.Redacted(), err)
	}
	request, err := submission(document, page.Request.URL, form, button, values)
	if err != nil {
		t.Fatalf("%s (%s): %v", page.Request.URL.Redacted(), page.Status, err)
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatalf("submitting form %s: %v", form, err)
	}
	return response
}

func submission(document *html.Node, page *url.URL, form, button string, values map[string]string) (*http.Request, error) {
	element, pressed := byID(document, form), byID(document, button)
	if element == nil || pressed == nil {
		return nil, fmt.Errorf("no form %q with a button %q on this page", form, button)
	}
	target, err := page.Parse(attribute(element, "action"))
	if err != nil {
		return nil, fmt.Errorf("form %q: %w", form, err)
	}
	fields := url.Values{}
	for control := range document.Descendants() {
		if !belongsTo(control, element, form) || attribute(control, "name") == "" {
			continue
		}
		if value, sent := controlValue(control, pressed, values); sent {
			fields.Add(attribute(control, "name"), value)
		}
	}
	if !strings.EqualFold(attribute(element, "method"), http.MethodPost) {
		target.RawQuery = fields.Encode()
		return http.NewRequest(http.MethodGet, target.String(), nil)
	}
	request, err := http.NewRequest(http.MethodPost, target.String(), strings.NewReader(fields.Encode()))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	// Browsers name the page's origin with every POST, and servers check it.
	request.Header.Set("Origin", page.Scheme+"://"+page.Host)
	return request, nil
}

// controlValue returns what a control contributes to the submission by the
// pressed button, if anything.
func controlValue(control, pressed *html.Node, values map[string]string) (string, bool) {
	value, given := values[attribute(control, "id")]
	switch {
	case control == pressed:
		return attribute(control, "value"), true
	case control.Data != "input" || attribute(control, "type") == "submit":
		return "", false
	case attribute(control, "type") == "checkbox":
		checked := hasAttribute(control, "checked")
		if given {
			checked = value != ""
		}
		return cmp.Or(attribute(control, "value"), "on"), checked
	case given:
		return value, true
	}
	return attribute(control, "value"), true
}

// belongsTo tells whether a control is sent with a form: it lies inside, or
// names the form's id.
func belongsTo(control, form *html.Node, id string) bool {
	if control.Type != html.ElementNode {
		return false
	}
	if owner := attribute(control, "form"); owner != "" {
		return owner == id
	}
	for ancestor := range control.Ancestors() {
		if ancestor == form {
			return true
		}
	}
	return false
}

func byID(document *html.Node, id string) *html.Node {
	for node := range document.Descendants() {
		if node.Type == html.ElementNode && attribute(node, "id") == id {
			return node
		}
	}
	return nil
}

func attribute(node *html.Node, name string) string {
	for _, a := range node.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func hasAttribute(node *html.Node, name string) bool {
	return slices.ContainsFunc(node.Attr, func(a html.Attribute) bool { return a.Key == name })
}
