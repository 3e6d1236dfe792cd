package oauth

import (
	"net/url"
	"strings"
	"testing"
)

func TestR21_DuplicateParameters(t *testing.T) {
	for name, tc := range map[string]struct {
		query string
		want  string // the description; "" accepts
	}{
		"one of each":         {"client_id=a&state=b&scope=openid", ""},
		"nothing":             {"", ""},
		"an empty value":      {"state=", ""},
		"equal values":        {"state=b&state=b", "parameter state is given more than once"},
		"different values":    {"redirect_uri=https://a/&redirect_uri=https://b/", "parameter redirect_uri is given more than once"},
		"one of them empty":   {"client_id=a&client_id=", "parameter client_id is given more than once"},
		"name spelt in hex":   {"client_id=a&client%5Fid=b", "parameter client_id is given more than once"},
		"a name we don't use": {"utm-tag=a&utm-tag=b", "parameter utm-tag is given more than once"},
		"script as the name":  {"%3Cb%3E=a&%3Cb%3E=b", "parameter (unnamed) is given more than once"},
		"no name":             {"=a&=b", "parameter (unnamed) is given more than once"},
		"a name of 41 bytes":  {strings.Repeat("n", 41) + "=a&" + strings.Repeat("n", 41) + "=b", "parameter (unnamed) is given more than once"},
		"letters' case counts, as it does for whoever reads the value": {"state=a&State=b", ""},
	} {
		t.Run(name, func(t *testing.T) {
			v, err := url.ParseQuery(tc.query)
			if err != nil {
				t.Fatal(err)
			}
			checkError(t, CheckParams(v), InvalidRequest, tc.want)
		})
	}
}

// Query and body arrive merged, as http.Request.Form is: one copy in each
// is a duplicate, too.
func TestR21_OneCopyInQueryOneInBody(t *testing.T) {
	v := url.Values{"code_verifier": {"in the body", "in the query"}}
	checkError(t, CheckParams(v), InvalidRequest, "parameter code_verifier is given more than once")
}

func TestCheckParams_BoundsValues(t *testing.T) {
	for name, tc := range map[string]struct{ value, want string }{
		"the longest":      {strings.Repeat("s", maxParam), ""},
		"one byte too far": {strings.Repeat("s", maxParam+1), "parameter state is longer than 8192 bytes"},
		"NUL alone":        {"\x00", "parameter state holds a NUL byte"},
		"NUL at the end":   {"state\x00", "parameter state holds a NUL byte"},
		"other controls":   {"a\tb", ""},
	} {
		t.Run(name, func(t *testing.T) {
			checkError(t, CheckParams(url.Values{"state": {tc.value}}), InvalidRequest, tc.want)
		})
	}
}

// checkError fails unless err has the code and description, or is nil where
// the description is empty.
func checkError(t *testing.T, err *Error, code, description string) {
	t.Helper()
	switch {
	case description == "" && err != nil:
		t.Errorf("refused: %v", err)
	case description != "" && err == nil:
		t.Errorf("accepted; want %s: %s", code, description)
	case description != "" && (err.Code != code || err.Description != description):
		t.Errorf("got %v; want %s: %s", err, code, description)
	}
}
