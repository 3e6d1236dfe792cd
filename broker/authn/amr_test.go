package authn

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestD12_ParseAMR(t *testing.T) {
	for text, want := range map[string]struct {
		methods []string
		dropped int
	}{
		`["pwd"]`:                         {[]string{"pwd"}, 0},
		`["pwd", "mfa"]`:                  {[]string{"pwd", "mfa"}, 0},
		`"pwd"`:                           {[]string{"pwd"}, 0}, // an array of one
		`["pwd", 1, null, {}, ["x"], ""]`: {[]string{"pwd"}, 5}, // others are left out
		`"pwd mfa"`:                       {[]string{"pwd mfa"}, 0},
		`[]`:                              {nil, 0},
		`[1]`:                             {nil, 1},
		`[["pwd"], ["mfa"]]`:              {nil, 2},
		`""`:                              {nil, 1},
		`null`:                            {nil, 0},
		`1`:                               {nil, 1},
		`true`:                            {nil, 1},
		`{"amr": "pwd"}`:                  {nil, 1},
	} {
		methods, dropped := ParseAMR(object(t, `{"amr": `+text+`}`)["amr"])
		if diff := cmp.Diff(want.methods, methods); diff != "" || dropped != want.dropped {
			t.Errorf("%s: dropped %d, want %d; methods (-want +got):\n%s", text, dropped, want.dropped, diff)
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
