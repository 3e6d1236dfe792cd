package authn

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseAMR(t *testing.T) {
	for text, want := range map[string][]string{
		`["pwd"]`:                         {"pwd"},
		`["pwd", "mfa"]`:                  {"pwd", "mfa"},
		`"pwd"`:                           {"pwd"}, // D12: an array of one
		`["pwd", 1, null, {}, ["x"], ""]`: {"pwd"}, // D12: others are left out
		`"pwd mfa"`:                       {"pwd mfa"},
		`[]`:                              nil,
		`[1]`:                             nil,
		`""`:                              nil,
		`null`:                            nil,
		`1`:                               nil,
		`true`:                            nil,
		`{"amr": "pwd"}`:                  nil,
	} {
		v := object(t, `{"amr": `+text+`}`)["amr"]
		if diff := cmp.Diff(want, ParseAMR(v)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}

func TestM41_AMRValues(t *testing.T) {
	if err := ValidateAMR(AMRValues(), false); err != nil {
		t.Error(err)
	}
	if got := len(AMRValues()); got != 21 {
		t.Errorf("%d methods, RFC 8176 and its registry have 21", got)
	}
	for _, custom := range []string{"MFA", "passkey", "pwd "} {
		wantError(t, ValidateAMR([]string{"pwd", custom}, false), custom, "RFC 8176", "allow_custom_amr", "mfa")
		if err := ValidateAMR([]string{custom}, true); err != nil {
			t.Error(err)
		}
	}
	if ValidateAMR([]string{""}, true) == nil {
		t.Error("an empty method passes")
	}
	if err := ValidateAMR(nil, false); err != nil {
		t.Error(err)
	}
}
