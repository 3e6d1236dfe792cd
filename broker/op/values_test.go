package op

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
)

// watched is a server of which only the window is there, and its log.
func watched(now func() time.Time) (*Server, *observer.ObservedLogs) {
	core, logs := observer.New(zapcore.DebugLevel)
	return &Server{Now: now, Log: zap.New(core)}, logs
}

func keep(s *Server, id string, stage authn.Stage, v any) {
	s.keepValues(&login{ID: id}, stage, func() any { return v })
}

// closings are the reasons why windows closed.
func closings(logs *observer.ObservedLogs) (reasons []string) {
	for _, e := range logs.FilterMessage("debug_window_closed").All() {
		reasons = append(reasons, e.ContextMap()["reason"].(string))
	}
	return reasons
}

func TestS94_ValuesGoWhenTheWindowCloses(t *testing.T) {
	for name, test := range map[string]struct {
		close func(s *Server, unload context.CancelFunc)
		want  []string
	}{
		"by request":  {func(s *Server, _ context.CancelFunc) { s.CloseValues() }, []string{closedByRequest}},
		"by its time": {func(*Server, context.CancelFunc) { time.Sleep(10 * time.Minute) }, []string{closedByTime}},
		"by a reload": {func(_ *Server, unload context.CancelFunc) { unload() }, []string{closedByUnload}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, logs := watched(time.Now)
				ctx, unload := context.WithCancel(t.Context())
				defer unload()
				window, err := s.OpenValues(ctx, 10*time.Minute)
				if err != nil || !window.Open || !window.Until.Equal(time.Now().Add(10*time.Minute)) {
					t.Fatalf("%+v, %v", window, err)
				}
				keep(s, "a", authn.StageMapping, map[string]any{"name": "Ada"})
				if s.valuesOf("a") == nil || s.ValuesState() != window {
					t.Fatal("nothing is kept")
				}
				test.close(s, unload)
				synctest.Wait()
				if s.values.open != nil { // in memory, and not only hidden
					t.Error("the values are still there")
				}
				if s.valuesOf("a") != nil || s.ValuesState().Open {
					t.Error("the window is open")
				}
				keep(s, "b", authn.StageMapping, map[string]any{})
				if s.valuesOf("b") != nil {
					t.Error("kept after it was closed")
				}
				if diff := cmp.Diff(test.want, closings(logs)); diff != "" {
					t.Error(diff)
				}
				opened := logs.FilterMessage("debug_window_opened").All()
				if len(opened) != 1 || opened[0].ContextMap()["remaining"] != 10*time.Minute {
					t.Errorf("events %v", opened)
				}
				s.CloseValues() // leaves no second event
				if len(closings(logs)) != 1 {
					t.Error("closed twice")
				}
			})
		})
	}
}

// A machine that sleeps wakes up with its timers late.
func TestValuesAreOverWithoutATimer(t *testing.T) {
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	s, logs := watched(func() time.Time { return now })
	if _, err := s.OpenValues(t.Context(), MaxValuesWindow); err != nil {
		t.Fatal(err)
	}
	keep(s, "a", authn.StageMapping, map[string]any{})
	now = now.Add(MaxValuesWindow)
	if s.valuesOf("a") != nil || s.values.open != nil {
		t.Error("told when the time was over")
	}
	if got := closings(logs); len(got) != 1 || got[0] != closedByTime {
		t.Errorf("events %v", got)
	}
}

func TestValuesWindowIsBounded(t *testing.T) {
	s, logs := watched(time.Now)
	for _, life := range []time.Duration{0, -time.Second, MaxValuesWindow + 1, time.Hour} {
		if _, err := s.OpenValues(t.Context(), life); !errors.Is(err, ErrValuesWindow) {
			t.Errorf("%s: %v", life, err)
		}
	}
	if logs.Len() != 0 || s.values.open != nil {
		t.Fatal("opened all the same")
	}
	// Whoever goes on opening gets no longer look at anybody's values.
	for range 2 {
		if _, err := s.OpenValues(t.Context(), time.Minute); err != nil {
			t.Fatal(err)
		}
		if s.valuesOf("a") != nil {
			t.Error("the second window shows what the first kept")
		}
		keep(s, "a", authn.StageMapping, map[string]any{})
	}
	if got := closings(logs); len(got) != 1 || got[0] != closedByAnother {
		t.Errorf("events %v", got)
	}
	s.CloseValues()
}

func TestS98_ValuesAreBounded(t *testing.T) {
	s, _ := watched(time.Now)
	if _, err := s.OpenValues(t.Context(), time.Minute); err != nil {
		t.Fatal(err)
	}
	defer s.CloseValues()
	for i := range 25 {
		keep(s, fmt.Sprint("login-", i), authn.StageMapping, map[string]any{"n": i})
	}
	if len(s.values.open.kept) != 20 || s.valuesOf("login-4") != nil || s.valuesOf("login-5") == nil {
		t.Errorf("%d sign-ins are kept, not the last 20", len(s.values.open.kept))
	}
	large := map[string]any{"x": strings.Repeat("x", maxValues/2)}
	for _, stage := range []authn.Stage{authn.StageUpstream, authn.StageMapping, authn.StageScript, authn.StageScript} {
		keep(s, "large", stage, large)
	}
	keep(s, "large", authn.StageUpstream, large) // once more: in place of the first
	got := s.valuesOf("large")
	if len(got.Stages) != 1 || got.size > maxValues || !cmp.Equal(got.Cut, []authn.Stage{authn.StageMapping, authn.StageScript}) {
		t.Errorf("%d stages, %d bytes, cut %v", len(got.Stages), got.size, got.Cut)
	}
}

// What is kept of a stage is what was there then, whatever becomes of it.
func TestValuesAreCopies(t *testing.T) {
	s, _ := watched(time.Now)
	if _, err := s.OpenValues(t.Context(), time.Minute); err != nil {
		t.Fatal(err)
	}
	defer s.CloseValues()
	c := &authn.Context{Attributes: map[string]any{"name": "Ada"}}
	s.keepContext(&login{ID: "a"}, authn.StageMapping, c)
	c.Attributes["name"] = "changed"
	got := s.valuesOf("a")
	if string(got.Stages[0].Values) != `{"name":"Ada"}` {
		t.Errorf("got %s", got.Stages[0].Values)
	}
	got.Stages[0] = StageValues{}
	if s.valuesOf("a").Stages[0].Values == nil {
		t.Error("a reader changes what is kept")
	}
}

func TestFollowShowsTheWayOfAClaim(t *testing.T) {
	stages := func(pairs ...string) (out []StageValues) {
		for i := 0; i < len(pairs); i += 2 {
			out = append(out, StageValues{authn.Stage(pairs[i]), json.RawMessage(pairs[i+1])})
		}
		return out
	}
	s := &SignIn{
		TraceRecord: &TraceRecord{
			Entries: authn.Trace{
				{Stage: authn.StageAttribute, Name: "teams", From: `id_token https://example\.com/groups`},
				{Stage: authn.StageAttribute, Name: "old", From: "userinfo groups"},
				{Stage: authn.StageMapping, Name: "groups", From: "teams"},
				{Stage: authn.StageMapping, Name: "groups", From: "old", Reason: claims.Shadowed},
				{Stage: authn.StageMapping, Name: "groups"}, // a constant
				{Stage: authn.StageMapping, Name: "name", From: "teams"},
			},
			Deliveries: map[claims.TokenType][]claims.Delivery{claims.IDToken: {{Claim: "teams", From: claims.Key("groups")}}},
		},
		Values: &SignInValues{Stages: stages(
			"upstream", `{"id_token":{"https://example.com/groups":["staff\u202e"]}}`,
			"mapping", `{"groups":["staff"]}`, "script", `{"groups":[1]}`, "tokens", `{"id_token":{"teams":[1]},"access_token":{}}`,
		)},
	}
	want := []ValueStep{
		{"provider", `id_token https://example\.com/groups`, `["staff�"]`},
		{"provider", "userinfo groups", ""},
		{"mapped", "groups", `["staff"]`},
		{"script", "groups", "[1]"},
		{"ID token", "teams", "[1]"},
		{"access token", "teams", ""},
		{"userinfo", "teams", ""},
		{"introspection", "teams", ""},
	}
	if diff := cmp.Diff(want, s.Follow("teams")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := (&SignIn{TraceRecord: s.TraceRecord}).Follow("teams"); got != nil {
		t.Errorf("without values: %v", got)
	}
	if got := shown(strings.Repeat("x", 300)); len([]rune(got)) != maxShown+1 {
		t.Errorf("%d characters", len([]rune(got)))
	}
}

// Sign-ins, administrators and the timer meet here.
func TestValuesAreSafeForConcurrentUse(t *testing.T) {
	s, _ := watched(time.Now)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for range 20 {
				if i == 0 {
					_, _ = s.OpenValues(t.Context(), time.Minute)
				}
				keep(s, fmt.Sprint("login-", i), authn.StageMapping, map[string]any{"n": i})
				if v := s.valuesOf(fmt.Sprint("login-", i)); v != nil && len(v.Stages) != 1 {
					t.Errorf("%d stages", len(v.Stages))
				}
				if i == 1 {
					s.CloseValues()
				}
			}
		})
	}
	all.Wait()
	s.CloseValues()
}
