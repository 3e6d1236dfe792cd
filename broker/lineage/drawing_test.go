package lineage

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
)

func TestDrawings(t *testing.T) {
	for name, in := range map[string]Input{"small": small(t), "world": world(t)} {
		golden(t, name+".mmd", New(in).Mermaid())
		golden(t, name+".dot", New(in).DOT())
	}
}

// A document under version control must not change by itself.
func TestDrawingsKeepTheirOrder(t *testing.T) {
	mermaid, dot := New(world(t)).Mermaid(), New(world(t)).DOT()
	for range 20 {
		if New(world(t)).Mermaid() != mermaid || New(world(t)).DOT() != dot {
			t.Fatal("two drawings of one configuration differ")
		}
	}
}

// TestDefaultsThatLeadNowhereAreNotDrawn proves the rule, and that it spares
// what the operator wrote.
func TestDefaultsThatLeadNowhereAreNotDrawn(t *testing.T) {
	in := world(t)
	in.Clients = in.Clients[:1]
	in.Clients[0].Scopes = []string{"openid", "teams"}
	d := New(in).draw()
	for _, b := range d.boxes {
		if b.dead && slices.Contains([]string{"name", "email", "Email", "birthdate"}, b.name) {
			t.Errorf("the default %s leads nowhere and is drawn", b.name)
		}
	}
	for _, name := range []string{"Teams", "badge", "plan", "country", "tenant"} {
		if !slices.ContainsFunc(d.boxes, func(b box) bool { return b.name == name }) {
			t.Errorf("%s is configured and not drawn", name)
		}
	}
}

// TestM65_DrawingsOfADecodedGraph proves that the command, which has the
// JSON of a server, draws what the server draws.
func TestM65_DrawingsOfADecodedGraph(t *testing.T) {
	g := New(world(t))
	raw, err := json.Marshal(g)
	if err != nil {
		t.Fatal(err)
	}
	var decoded Graph
	if err := json.Unmarshal(raw, &decoded); err != nil {
		t.Fatal(err)
	}
	for _, f := range []Focus{{}, {Attribute: "teams"}, {Attribute: "acme/name"}, {Client: "notes"}} {
		made, read := through(t, g, f), through(t, &decoded, f)
		if diff := cmp.Diff(made.Mermaid()+made.DOT(), read.Mermaid()+read.DOT()); diff != "" {
			t.Errorf("%+v (-made +decoded):\n%s", f, diff)
		}
	}
}

func through(t testing.TB, g *Graph, f Focus) *Graph {
	t.Helper()
	part, err := g.Through(f)
	if err != nil {
		t.Fatal(err)
	}
	return part
}

// TestM73_WaysAreTheAnswers proves of every attribute and client that the
// way in the picture ends where the answers say.
func TestM73_WaysAreTheAnswers(t *testing.T) {
	for name, in := range map[string]Input{"small": small(t), "world": world(t)} {
		g := New(in)
		names := g.attributeNames()
		for _, a := range g.Attributes {
			names = append(names, a.Connection+"/"+a.Name)
		}
		for _, attribute := range names {
			var want, got []string
			for _, r := range who(t, g, attribute).Receivers {
				if r.Reason == "" && !slices.Contains(want, r.Client) {
					want = append(want, r.Client)
				}
			}
			for _, c := range through(t, g, Focus{Attribute: attribute}).Clients {
				got = append(got, c.ID)
			}
			slices.Sort(want)
			slices.Sort(got)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: who gets %s (-answer +way):\n%s", name, attribute, diff)
			}
		}
		for _, c := range g.Clients {
			var want, got []string
			for _, r := range mustWhat(t, g, c.ID).Receipts {
				if r.Delivered() {
					want = append(want, r.Claim)
				}
			}
			for _, claim := range through(t, g, Focus{Client: c.ID}).Claims {
				got = append(got, claim.Name)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: what %s gets (-answer +way):\n%s", name, c.ID, diff)
			}
		}
	}
}

func mustWhat(t testing.TB, g *Graph, client string) *ClientAnswer {
	t.Helper()
	answer, err := g.What(client)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// The users of one connection do not come to every client.
func TestM73_WayStopsWhereTheUsersDo(t *testing.T) {
	part := through(t, New(world(t)), Focus{Attribute: "acme/name"})
	for _, c := range part.Clients {
		if c.ID == "notes" {
			t.Error("the name of Acme's users is drawn to a client of Partner's users alone")
		}
	}
	if len(part.Connections) != 1 || part.Connections[0].ID != "acme" {
		t.Errorf("connections %+v, want acme", part.Connections)
	}
}

// hostile names try to end a label, and to be a statement, a link, a
// directive or markup behind it.
var hostile = []string{
	`"`, `"]`, "\"]\nclick n1 \"javascript:alert(1)\"", "x\n\tn1 --> n2", "\"] --> n9[\"x", "`**x**`", "1. one", "- one",
	`%%{init: {"securityLevel":"loose"}}%%`, "---\ntitle: x\n---", "end", "subgraph x", "style n1 fill:#f00;", "linkStyle 0 stroke:#f00;",
	"classDef dead fill:#f00#34;", "fl°°34¶ß", "#quot;", "#34;", "&quot;", "&#34;", `\`, `\"`, `\\"`, `\" URL="javascript:alert(1)"`, `"]; n1 -> n2; x [label="`,
	`<script>alert(1)</script>`, `<img src=x onerror=alert(1)>`, `</title><script>`, `</svg><a href="javascript:alert(1)">`, `</style>`,
	`javascript:alert(1)`, `//evil.example`, `" onclick="alert(1)`, `{{.}}`, "\u202egnp", "\x1b[2J", "\x00", "\xff", "n1", "n1:::dead", "|x|", "; drop", "/* x", "// x",
	strings.Repeat("long ", 400),
}

// renamed is small with a hostile text wherever a name may stand.
func renamed(t testing.TB, name string) Input {
	t.Helper()
	in := small(t)
	key := claims.Key("x" + name)
	c := &in.Connections[0]
	c.ID, c.Name, c.Kind, c.Origin = name, name, name, name
	c.Attributes[0].Name, c.Attributes[0].DisplayName, c.Attributes[0].Path, c.Attributes[0].Origin = name, name, key, name
	c.Mappings[0].From, c.Mappings[0].Origin, c.Mappings[0].Required = name, name, false
	c.Mappings[1].Static, c.MaySet = name, []string{name, "nickname"}
	in.Fields[0].Description, in.Fields[2].Name = name, key
	in.Claims[0].Name, in.Claims[0].Scopes, in.Claims[0].Description = name, []string{name}, name
	in.Claims[2].From = key
	client := &in.Clients[0]
	client.ID, client.Name, client.Scopes = name, name, []string{"openid", "profile", name}
	client.Headers[1] = Header{Name: name, Placeholders: []string{"claim." + name}}
	return in
}

// label is one quoted text of which nothing can have a meaning.
const (
	mermaidText = `"(?:[\pL\pN\pM _./-]|#[0-9]+;|<br/>)*"`
	dotText     = `"(?:[\pL\pN\pM _./-]|&#[0-9]+;|\\n)*"`
)

// The whole languages that a drawing may be written in, line by line.
var (
	mermaidStatement = regexp.MustCompile(`^(?:flowchart LR|\tsubgraph [A-Z][a-z]+|\t\tn[0-9]+(?:\(\[|\(|\[\[|\[)` + mermaidText +
		`(?:\]\)|\)|\]\]|\])(?::::dead)?|\tend|\tn[0-9]+ (?:-->|-\.->)(?:\|` + mermaidText + `\|)? n[0-9]+|\tclassDef dead stroke-dasharray:4 3)$`)
	dotStatement = regexp.MustCompile(`^(?:digraph lineage \{|\trankdir=LR|\tranksep=1\.2|\t(?:node|edge) \[[A-Za-z0-9="\- ]+\]|\tsubgraph cluster_[a-z]+ \{|\t\tlabel="[A-Z][a-z]+"|\t\tcolor=gray|` +
		`\t\tn[0-9]+ \[label=` + dotText + `(?: style="rounded,dashed")?\]|\t?\}|\tn[0-9]+ -> n[0-9]+(?: \[label=` + dotText + `\]| \[label=` + dotText + ` style="dashed"\]| \[style="dashed"\])?)$`)
)

// checkStatements asserts that a drawing is of known statements only, as
// many as the same graph has with a harmless name.
func checkStatements(t interface {
	Helper()
	Errorf(format string, args ...any)
}, form *regexp.Regexp, harmless, got string,
) {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(got, "\n"), "\n")
	if want := strings.Count(harmless, "\n"); len(lines) != want {
		t.Errorf("%d lines, want %d:\n%s", len(lines), want, got)
	}
	for _, l := range lines {
		if !form.MatchString(l) {
			t.Errorf("this is no statement of a drawing: %q", l)
		}
	}
}

func TestF13_HostileNamesAddNoStatement(t *testing.T) {
	harmless := New(renamed(t, "harmless"))
	for _, name := range hostile {
		g := New(renamed(t, name))
		checkStatements(t, mermaidStatement, harmless.Mermaid(), g.Mermaid())
		checkStatements(t, dotStatement, harmless.DOT(), g.DOT())
	}
}

func TestF13_DrawnNamesAddNoStatement(t *testing.T) {
	harmless := New(renamed(t, "harmless"))
	parts := rapid.OneOf(rapid.SampledFrom(hostile[:len(hostile)-1]), rapid.String())
	rapid.Check(t, func(rt *rapid.T) {
		name := "y" + strings.Join(rapid.SliceOfN(parts, 1, 4).Draw(rt, "parts"), "")
		g := New(renamed(t, name))
		checkStatements(rt, mermaidStatement, harmless.Mermaid(), g.Mermaid())
		checkStatements(rt, dotStatement, harmless.DOT(), g.DOT())
	})
}

// Two nodes whose names are alike stay two.
func TestBoxesDoNotCollide(t *testing.T) {
	in := small(t)
	in.Clients = append(in.Clients, in.Clients[0], in.Clients[0])
	in.Clients[1].ID, in.Clients[1].Name = "n1", "n1"
	in.Clients[2].ID, in.Clients[2].Name = "n1 ", "n1"
	if got := strings.Count(New(in).Mermaid(), `[["n1<br/>`); got != 2 {
		t.Errorf("%d boxes of two clients of one name", got)
	}
}

// One name must not push all others out of the picture, nor a box over the
// next one.
func TestDrawingsCutLongNames(t *testing.T) {
	in := small(t)
	in.Clients[0].Name = strings.Repeat("n", 1000)
	g := New(in)
	if strings.Contains(g.Mermaid()+g.DOT(), strings.Repeat("n", labelLength+1)) {
		t.Error("a label is longer than its limit")
	}
	for text, want := range map[string]string{
		"short": "short", "exactly ten": "exactly te…", "exact ten.": "exact ten.", "東京都千代田区": "東京都千代…", "": "",
	} {
		if got := cut(text, 10); got != want {
			t.Errorf("cut(%q) = %q, want %q", text, got, want)
		}
	}
}
