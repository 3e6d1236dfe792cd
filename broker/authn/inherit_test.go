package authn

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// at is so many minutes after ten.
func at(minutes int) time.Time {
	return time.Date(2026, 1, 2, 10, minutes, 0, 0, time.UTC)
}

// answer is one of the upstream session (1, sid).
func answer(sid string, authTime time.Time, acr string, amr ...string) Input {
	return Input{
		Connection: "acme", Issuer: "https://tenant.example/", Subject: "1", SID: sid,
		AuthTime: authTime, AMR: amr, ACR: acr,
	}
}

func TestInheritRemembersMethodsOfTheSameUpstreamSession(t *testing.T) {
	first, known := Inherit(nil, answer("s", at(0), "strong", "mfa"), at(1))
	if !first.AMRTime.Equal(at(0)) || !first.ACRTime.Equal(at(0)) || !first.AuthTimeAsserted || first.Inherited != nil {
		t.Errorf("first answer: %+v", first)
	}

	t.Run("a silent answer inherits both with their time", func(t *testing.T) {
		got, next := Inherit(&known, answer("s", at(30), ""), at(31))
		want := answer("s", at(30), "strong", "mfa")
		want.AuthTimeAsserted, want.AMRTime, want.ACRTime = true, at(0), at(0)
		want.Inherited = []string{"amr", "acr"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		t.Run("and so does the one after it", func(t *testing.T) {
			got, _ := Inherit(&next, answer("s", at(50), ""), at(50))
			if !got.AMRTime.Equal(at(0)) || !got.ACRTime.Equal(at(0)) || !cmp.Equal(got.AMR, []string{"mfa"}) {
				t.Errorf("got %+v", got)
			}
		})
	})
	t.Run("each on its own", func(t *testing.T) {
		got, next := Inherit(&known, answer("s", at(30), "", "pwd"), at(31))
		want := Methods{AMR: []string{"pwd"}, AMRTime: at(30), ACR: "strong", ACRTime: at(0)}
		if diff := cmp.Diff(want, next.Methods); diff != "" {
			t.Errorf("remembered (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"acr"}, got.Inherited); diff != "" {
			t.Errorf("inherited (-want +got):\n%s", diff)
		}
	})

	// Somebody signs in at the upstream after another person, or anew
	// without the second factor: the old one is not theirs.
	for name, change := range map[string]func(*Input){
		"another sid":     func(in *Input) { in.SID = "other" },
		"no sid":          func(in *Input) { in.SID = "" },
		"another subject": func(in *Input) { in.Subject = "2" },
		"another issuer":  func(in *Input) { in.Issuer = "https://other.example/" },
	} {
		t.Run(name+" inherits nothing", func(t *testing.T) {
			in := answer("s", time.Time{}, "")
			change(&in)
			got, next := Inherit(&known, in, at(30))
			if got.AMR != nil || got.ACR != "" || !got.AMRTime.IsZero() || !got.ACRTime.IsZero() || got.Inherited != nil {
				t.Errorf("got %+v", got)
			}
			if !got.AuthTime.Equal(at(30)) || got.AuthTimeAsserted {
				t.Errorf("auth time %v, asserted %v", got.AuthTime, got.AuthTimeAsserted)
			}
			back, _ := Inherit(&next, answer("s", at(40), ""), at(40))
			if back.AMR != nil {
				t.Error("the old one is remembered beside the other")
			}
		})
	}
	t.Run("two answers without sid are not one session", func(t *testing.T) {
		_, known := Inherit(nil, answer("", at(0), "strong", "mfa"), at(0))
		if got, _ := Inherit(&known, answer("", at(1), ""), at(1)); got.AMR != nil || got.ACR != "" {
			t.Errorf("got %v, %q", got.AMR, got.ACR)
		}
	})
}

func TestInheritAuthTime(t *testing.T) {
	none := time.Time{}
	_, known := Inherit(nil, answer("s", none, ""), at(1))
	for name, tt := range map[string]struct {
		known    *Remembered
		in       Input
		want     time.Time
		asserted bool
	}{
		"the upstream's":                         {nil, answer("s", at(0), ""), at(0), true},
		"the upstream's before what is known":    {&known, answer("s", at(0), ""), at(0), true},
		"none: this callback":                    {nil, answer("s", none, ""), at(9), false},
		"none: the first callback of it":         {&known, answer("s", none, ""), at(1), false},
		"none, another upstream session":         {&known, answer("t", none, ""), at(9), false},
		"none, without sid":                      {&known, answer("", none, ""), at(9), false},
		"none: what the upstream told last time": {&Remembered{Issuer: "https://tenant.example/", Subject: "1", SID: "s", AuthTime: at(3), AuthTimeAsserted: true}, answer("s", none, ""), at(3), false},
		"none, and nothing is known of it":       {&Remembered{Issuer: "https://tenant.example/", Subject: "1", SID: "s"}, answer("s", none, ""), at(9), false},
	} {
		t.Run(name, func(t *testing.T) {
			got, next := Inherit(tt.known, tt.in, at(9))
			if !got.AuthTime.Equal(tt.want) || got.AuthTimeAsserted != tt.asserted {
				t.Errorf("got %v, asserted %v; want %v, %v", got.AuthTime, got.AuthTimeAsserted, tt.want, tt.asserted)
			}
			if !next.AuthTime.Equal(tt.want) || next.AuthTimeAsserted != tt.asserted {
				t.Errorf("remembered %v, asserted %v", next.AuthTime, next.AuthTimeAsserted)
			}
		})
	}
}

func TestInheritSharesNothing(t *testing.T) {
	in := answer("s", at(0), "", "mfa")
	first, known := Inherit(nil, in, at(0))
	second, next := Inherit(&known, answer("s", at(1), ""), at(1))
	in.AMR[0], first.AMR[0], second.AMR[0] = "changed", "changed", "changed"
	if known.AMR[0] != "mfa" || next.AMR[0] != "mfa" {
		t.Errorf("remembered %v, then %v", known.AMR, next.AMR)
	}
}

func TestRememberedJSON(t *testing.T) {
	_, known := Inherit(nil, answer("s", at(0), "strong", "mfa"), at(0))
	text, err := json.Marshal(known)
	want := `{"issuer":"https://tenant.example/","idp_sub":"1","sid":"s","auth_time":"2026-01-02T10:00:00Z","auth_time_asserted":true,` +
		`"amr":["mfa"],"amr_time":"2026-01-02T10:00:00Z","acr":"strong","acr_time":"2026-01-02T10:00:00Z"}`
	if err != nil || string(text) != want {
		t.Errorf("got  %s, %v\nwant %s", text, err, want)
	}
	var back Remembered
	if err := json.Unmarshal(text, &back); err != nil || !cmp.Equal(known, back) {
		t.Errorf("came back as %+v, %v", back, err)
	}
}

// After the override the operator's methods stand, as old as the sign-in;
// what the upstream said is remembered all the same.
func TestM43_OverrideComesAfterInheritance(t *testing.T) {
	cfg := standard(false)
	cfg.StaticAMR = []string{"mfa"}
	_, known := Inherit(nil, answer("s", at(0), "strong", "pwd"), at(0))
	in, next := Inherit(&known, answer("s", at(30), ""), at(31))
	c, _, _, err := pipeline(t, cfg).Build(in)
	if err != nil {
		t.Fatal(err)
	}
	want := &Context{
		Attributes: map[string]any{}, Connection: "acme", Issuer: "https://tenant.example/", IDPSubject: "1", UpstreamSID: "s",
		AuthTime: at(30), AuthTimeAsserted: true, AMR: []string{"mfa"}, AMRTime: at(30), ACR: "strong", ACRTime: at(0),
	}
	if diff := cmp.Diff(want, c); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"pwd"}, next.AMR); diff != "" {
		t.Errorf("remembered (-want +got):\n%s", diff)
	}
}

// However answers of several upstream sessions follow one another, a method
// is one that this very session told, with the time it told it for.
func TestPropertyInheritance(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var answers []Input
		var known *Remembered
		for i := range rapid.IntRange(1, 8).Draw(rt, "answers") {
			in := answer(rapid.SampledFrom([]string{"", "s", "t"}).Draw(rt, "sid"), time.Time{}, rapid.SampledFrom([]string{"", "a", "b"}).Draw(rt, "acr"))
			in.Subject = rapid.SampledFrom([]string{"1", "2"}).Draw(rt, "subject")
			in.AMR = rapid.SampledFrom([][]string{nil, {"pwd"}, {"pwd", "mfa"}}).Draw(rt, "amr")
			if rapid.Bool().Draw(rt, "auth_time") {
				in.AuthTime = at(i - 1)
			}
			answers = append(answers, in)
			got, next := Inherit(known, in, at(i))
			checkInherited(rt, answers, got)
			known = &next
		}
	})
}

// checkInherited compares got, made of the last answer, with what a look
// back at all of them gives.
func checkInherited(rt *rapid.T, answers []Input, got Input) {
	last := len(answers) - 1
	same := func(i int) bool {
		return i == last || answers[last].SID != "" && answers[i].SID == answers[last].SID && answers[i].Subject == answers[last].Subject
	}
	want := answers[last]
	want.AuthTimeAsserted = !want.AuthTime.IsZero()
	times := make([]time.Time, len(answers)) // by answer: the auth_time it went by
	start := last
	for start > 0 && same(start-1) {
		start--
	}
	for i := start; i <= last; i++ {
		switch {
		case !answers[i].AuthTime.IsZero():
			times[i] = answers[i].AuthTime
		case i > start:
			times[i] = times[i-1]
		default:
			times[i] = at(i)
		}
	}
	want.AuthTime = times[last]
	for i := last; i >= start && want.AMRTime.IsZero(); i-- {
		if len(answers[i].AMR) > 0 {
			want.AMR, want.AMRTime = answers[i].AMR, times[i]
		}
	}
	for i := last; i >= start && want.ACRTime.IsZero(); i-- {
		if answers[i].ACR != "" {
			want.ACR, want.ACRTime = answers[i].ACR, times[i]
		}
	}
	want.Inherited = got.Inherited
	if diff := cmp.Diff(want, got); diff != "" {
		rt.Fatalf("(-want +got):\n%s", diff)
	}
}
