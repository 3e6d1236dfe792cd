package lineage

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestText(t *testing.T) {
	g := New(world(t))
	golden(t, "graph.txt", g.Text())
	for _, client := range []string{"grafana", "notes", "welcome", "gate:admin.example.com"} {
		answer, err := g.What(client)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, "client_"+strings.ReplaceAll(client, ":", "_")+".txt", answer.Text())
	}
	for _, attribute := range []string{"teams", "badge", "tenant", "address.country"} {
		golden(t, "attribute_"+attribute+".txt", who(t, g, attribute).Text())
	}
}

// A registered client chooses its own name, and a terminal obeys what it is
// shown.
func TestTextShowsControlCharacters(t *testing.T) {
	in := world(t)
	in.Clients[0].Name = "Gra\x1b[2Jfana\nClaims"
	text := New(in).Text()
	if strings.Contains(text, "\x1b") || strings.Contains(text, "fana\n") {
		t.Errorf("control characters are put out as they are:\n%q", text)
	}
}

// The command shows what the admin API has computed, so the JSON must hold
// all that the text needs.
func TestJSONHoldsTheText(t *testing.T) {
	g := New(world(t))
	raw, err := json.Marshal(g)
	if err != nil {
		t.Fatal(err)
	}
	var decoded Graph
	if err := json.Unmarshal(raw, &decoded); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(g, &decoded, cmpopts.IgnoreUnexported(Graph{}), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("the graph after JSON (-made +decoded):\n%s", diff)
	}
	if diff := cmp.Diff(g.Text(), decoded.Text()); diff != "" {
		t.Errorf("its text (-made +decoded):\n%s", diff)
	}
	answer, err := g.What("grafana")
	if err != nil {
		t.Fatal(err)
	}
	if raw, err = json.Marshal(answer); err != nil {
		t.Fatal(err)
	}
	var got ClientAnswer
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(answer.Text(), got.Text()); diff != "" {
		t.Errorf("the text of an answer (-made +decoded):\n%s", diff)
	}
}

// The members of the JSON form are public.
func TestJSON(t *testing.T) {
	g := New(small(t))
	answer, err := g.What("gate:app.example.com")
	if err != nil {
		t.Fatal(err)
	}
	for name, v := range map[string]any{"graph.json": g, "client.json": answer, "attribute.json": who(t, g, "teams")} {
		raw, err := json.MarshalIndent(v, "", "\t")
		if err != nil {
			t.Fatal(err)
		}
		golden(t, name, string(raw)+"\n")
	}
}
