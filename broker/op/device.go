package op

import (
	"net/http"
	"strings"
)

// browserNames and systemNames are how programs give themselves away in
// User-Agent, the most telling first: nearly all of them also claim to be
// those further down.
var (
	browserNames = [][2]string{
		{"Edg/", "Edge"},
		{"OPR/", "Opera"},
		{"SamsungBrowser/", "Samsung Internet"},
		{"Firefox/", "Firefox"},
		{"FxiOS/", "Firefox"},
		{"CriOS/", "Chrome"},
		{"Chrome/", "Chrome"},
		{"Safari/", "Safari"},
	}
	systemNames = [][2]string{
		{"iPhone", "iPhone"},
		{"iPad", "iPad"},
		{"Android", "Android"},
		{"CrOS", "ChromeOS"},
		{"Windows", "Windows"},
		{"Mac OS X", "macOS"},
		{"Linux", "Linux"},
	}
)

// device returns what the browser calls itself, in words that tell one's own
// browsers apart: "Firefox, Linux". The rest of User-Agent is not kept, and
// nothing is decided by it.
func device(r *http.Request) string {
	agent := r.UserAgent()
	name := func(known [][2]string) string {
		for _, k := range known {
			if strings.Contains(agent, k[0]) {
				return k[1]
			}
		}
		return ""
	}
	browser, system := name(browserNames), name(systemNames)
	if browser == "" || system == "" {
		return browser + system
	}
	return browser + ", " + system
}
