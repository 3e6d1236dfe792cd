package op

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// S109: an upstream that puts tokens among its claims, as Auth0 does with
// those of social networks when an Action copies them, and a script that
// copies its secret.
func TestS109_ValuesHoldNoKeys(t *testing.T) {
	jwt := "eyJhbGciOiJub25lIn0.e30.c2ln"
	v := redacted(map[string]any{
		"name": "Ada", "nonce": "n", "AT_HASH": "x", "access_token": "not-a-secret", "n": json.Number("1"), "nothing": nil,
		"identities": []any{map[string]any{"provider": "x", "access-token": "not-a-secret", "refresh_token": "not-a-secret"}},
		"note":       jwt, "list": []any{jwt, jwt + ".a.b", "a.b.c"}, "client_secret": "not-a-secret", "amr": []string{"pwd", jwt},
		"tokens_used": 1, // lost, because names are not understood
	})
	want := map[string]any{
		"name": "Ada", "nonce": leftOut, "AT_HASH": leftOut, "access_token": leftOut, "n": json.Number("1"), "nothing": nil,
		"identities": []any{map[string]any{"provider": "x", "access-token": leftOut, "refresh_token": leftOut}},
		"note":       leftOut, "list": []any{leftOut, leftOut, "a.b.c"}, "client_secret": leftOut, "amr": []string{"pwd", leftOut},
		"tokens_used": leftOut,
	}
	if diff := cmp.Diff(want, v); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestS109_NamesOfKeys(t *testing.T) {
	for name := range strings.FieldsSeq(`access_tokens accessToken refreshTokenV2 idp-access-token secretAccessKey aws_secret_access_key
		AWS_ACCESS_KEY_ID client.secret app_key appKey apikey x-api-key API_KEY private_key privateKeyPem password user_passwd pwd oldPwd
		passphrase passcode credentials Cookie set-cookie session_id sessionId PHPSESSIONID otp mfa_otp otpCode OTPCode totp2 pin jti
		at_hash nonce authorization Authorization https://example.com/access_token recovery_codes`) {
		if !unlocks(name) {
			t.Errorf("%s is shown", name)
		}
	}
	for name := range strings.FieldsSeq(`name email given_name sub iss aud sid org_id amr acr auth_time groups roles permissions
		https://example.com/groups locale zoneinfo picture address phone_number_verified hotpink potpourri shopping key session plan`) {
		if unlocks(name) {
			t.Errorf("%s is left out", name)
		}
	}
}

func TestS109_KeysInsideTexts(t *testing.T) {
	jwt := "eyJhbGciOiJub25lIn0.e30.c2ln"
	for _, text := range []string{
		"Bearer " + jwt, "bearer not-a-secret", "DPoP not-a-secret", "Basic bm90LWEtc2VjcmV0Og==", "see " + jwt + ".", "(" + jwt + ")",
		"https://example.com/cb?state=1&access_token=x", "https://example.com/#id_token=x", "Authorization: x", "a=1; session_id = x",
		"-----BEGIN EC PRIVATE KEY-----\nx", `{"access_token": "x`, `{} } {"password":"x"}`, `{\"client_secret\":\"x\"}`, "password=x",
	} {
		if got := redactedText(text); got != leftOut {
			t.Errorf("%s is shown as %s", text, got)
		}
	}
	for text, want := range map[string]string{
		`{"plan":"free","access_token":"x"}`:  `{"access_token":"` + leftOut + `","plan":"free"}`,
		` [{"otp":1}, 12345678901234567890]`:  `[{"otp":"` + leftOut + `"},12345678901234567890]`,
		`"{\"a\":{\"secret\":\"x\"}}"`:        `"{\"a\":{\"secret\":\"` + leftOut + `\"}}"`,
		`["` + jwt + `"]`:                     `["` + leftOut + `"]`,
		`{ "plan": "<free>" }`:                `{ "plan": "<free>" }`,
		"Basic plan":                          "Basic plan",
		"2026-01-01T12:00:00Z":                "2026-01-01T12:00:00Z",
		"https://example.com/ada.png?size=10": "https://example.com/ada.png?size=10",
		"revoke_tokens":                       "revoke_tokens",
		"eyJ":                                 "eyJ",
		"":                                    "",
	} {
		if got := redactedText(text); got != want {
			t.Errorf("%s is shown as %s, want %s", text, got, want)
		}
	}
}
