package op

import (
	"testing"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
)

// S109: whoever is handed values leaves a line in the log, also if the window
// closes before the answer is written.
func TestS109_WhoseValuesAreHandedOutIsLogged(t *testing.T) {
	s, logs := watched(time.Now)
	s.Store = store.NewMemory(time.Now)
	if err := s.putTrace(t.Context(), &TraceRecord{TraceSummary: TraceSummary{LoginID: "a", Client: "app"}}); err != nil {
		t.Fatal(err)
	}
	shown := func() (ids []string) {
		for _, e := range logs.FilterMessage("values_shown").All() {
			ids = append(ids, e.ContextMap()["login_id"].(string))
		}
		return ids
	}
	if _, err := s.SignIn(t.Context(), "a"); err != nil || shown() != nil {
		t.Fatalf("without a window: %v, events %v", err, shown())
	}
	if _, err := s.OpenValues(t.Context(), time.Minute); err != nil {
		t.Fatal(err)
	}
	keep(s, "a", authn.StageMapping, map[string]any{"name": "Ada"})
	signIn, err := s.SignIn(t.Context(), "a")
	s.CloseValues()
	if err != nil || signIn.Values == nil {
		t.Fatalf("%+v, %v", signIn, err)
	}
	if got := shown(); len(got) != 1 || got[0] != "a" {
		t.Errorf("events %v", got)
	}
}
