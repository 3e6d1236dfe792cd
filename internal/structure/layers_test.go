package structure

import (
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The layers of the house, lowest first. A package belongs to the longest
// entry that is a prefix of its path, so that a package's own subpackages
// follow it. Imports go to lower layers only.
var layers = []struct {
	name     string
	packages []string
}{
	{"L0 vocabulary", []string{"broker/claims", "broker/oauth", "broker/outbound", "broker/store"}},
	{"L1 contracts", []string{"broker/authn", "broker/provider"}},
	{"L2 nouns", []string{
		"broker/provider/auth0", "broker/provider/oidc", "broker/provider/saml",
		"broker/consent", "broker/lineage", "broker/session", "broker/token", "broker/script", "broker/ui",
	}},
	{"L3 protocols", []string{"broker/op", "broker/gateway", "broker/portal", "broker/demo"}},
	{"L4 wiring", []string{"broker"}},
	{"L5 Caddy", []string{"caddymodule", "broker/brokertest"}},
	{"L6 stage", []string{"examples/internal/stage"}},
	{"L7 programs", []string{"cmd", "examples", "internal/structure"}},
}

// Imports within a layer that have a reason.
var sideways = map[importEdge]string{
	{"broker/provider/auth0", "broker/provider/oidc"}: "an Auth0 connection is a generic one under Auth0's rules",
}

// The kits are tests in the shape of packages. Nothing that a server links
// imports them: a stand-in tenant has no place in production.
var kits = []string{"broker/brokertest", "broker/store/storetest"}

// importEdge is one import, both ends as paths below the module's.
type importEdge struct{ from, to string }

// foundImport is an import in one file.
type foundImport struct {
	importEdge
	file string // for the message
	test testKind
}

type testKind int

const (
	notTest      testKind = iota
	internalTest          // in the package itself
	externalTest          // in the package's _test companion
)

func TestImportsGoToLowerLayersOnly(t *testing.T) {
	for _, complaint := range checkImports(repositoryImports(t)) {
		t.Error(complaint)
	}
}

func TestImportRulesRefuse(t *testing.T) {
	find := func(kind testKind, from, to string) []foundImport {
		return []foundImport{{importEdge{from, to}, "x.go", kind}}
	}
	refused := map[string][]foundImport{
		"a higher layer":                       find(notTest, "broker/claims", "broker/authn"),
		"a sibling":                            find(notTest, "broker/op", "broker/gateway"),
		"the contract importing a provider":    find(notTest, "broker/provider", "broker/provider/oidc"),
		"one provider importing another":       find(notTest, "broker/provider/oidc", "broker/provider/auth0"),
		"a sibling's subpackage":               find(notTest, "broker/claims", "broker/store/sqlite"),
		"the wiring from below":                find(notTest, "broker/op", "broker"),
		"Caddy's side from the core":           find(notTest, "broker", "caddymodule"),
		"a kit from a server":                  find(notTest, "caddymodule", "broker/brokertest"),
		"a kit from the store":                 find(notTest, "broker/store/sqlite", "broker/store/storetest"),
		"a package without a layer":            find(notTest, "broker", "helpers"),
		"an internal test reaching up":         find(internalTest, "broker/session", "broker/op"),
		"an external test reaching into Caddy": find(externalTest, "broker/op", "caddymodule"),
	}
	for name, imports := range refused {
		if len(checkImports(imports)) == 0 {
			t.Errorf("%s: %s -> %s was accepted", name, imports[0].from, imports[0].to)
		}
	}
	accepted := map[string][]foundImport{
		"a lower layer":                         find(notTest, "broker/op", "broker/session"),
		"a package's own subpackage":            find(notTest, "broker/ui", "broker/ui/templates"),
		"a subpackage's parent":                 find(notTest, "broker/store/sqlite", "broker/store"),
		"the sideways import with a reason":     find(notTest, "broker/provider/auth0", "broker/provider/oidc"),
		"a kit from the demo":                   find(notTest, "examples/demo", "broker/brokertest"),
		"a kit from a test":                     find(internalTest, "broker/store/sqlite", "broker/store/storetest"),
		"an external test with its whole house": find(externalTest, "broker/op", "broker"),
	}
	for name, imports := range accepted {
		if complaints := checkImports(imports); len(complaints) > 0 {
			t.Errorf("%s was refused: %v", name, complaints)
		}
	}
}

func TestCoreKnowsNoCaddy(t *testing.T) {
	for _, pkg := range foreignDependencies(t, "./broker/...") {
		if strings.HasPrefix(pkg, "github.com/caddyserver/") {
			t.Errorf("broker/ depends on %s; only caddymodule knows Caddy", pkg)
		}
	}
	// The same question about a package that does depend on Caddy.
	if !slices.ContainsFunc(foreignDependencies(t, "./caddymodule/..."), func(pkg string) bool {
		return strings.HasPrefix(pkg, "github.com/caddyserver/")
	}) {
		t.Error("no Caddy package among caddymodule's dependencies: this test would miss one in the core")
	}
}

func TestLayerOf(t *testing.T) {
	got := map[string]int{}
	for _, pkg := range []string{"broker", "broker/op", "broker/store/sqlite", "broker/provider/oidc", "cmd/caddy", "brokerage"} {
		got[pkg] = layerOf(pkg)
	}
	want := map[string]int{
		"broker": 4, "broker/op": 3, "broker/store/sqlite": 0, "broker/provider/oidc": 2, "cmd/caddy": 7, "brokerage": -1,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("layers (-want +got):\n%s", diff)
	}
}

// checkImports returns what is wrong, one sentence per import.
func checkImports(imports []foundImport) []string {
	var complaints []string
	for _, found := range imports {
		if reason := refusal(found); reason != "" {
			complaints = append(complaints, fmt.Sprintf("%s: %s imports %s: %s", found.file, found.from, found.to, reason))
		}
	}
	return complaints
}

func refusal(found foundImport) string {
	from, to := layerOf(found.from), layerOf(found.to)
	switch {
	case from < 0:
		return found.from + " has no layer; give it one in this test"
	case to < 0:
		return found.to + " has no layer; give it one in this test"
	case isKit(found.to):
		if found.test != notTest || isKit(found.from) || strings.HasPrefix(found.from, "examples/") {
			return ""
		}
		return "a kit is for tests"
	case found.test == externalTest:
		// It is the package's user, and users may hold the whole house;
		// Caddy's side is tested from Caddy's side.
		if to > layerOf("broker") && to > from {
			return "tests of the core do without Caddy"
		}
		return ""
	case to < from || to == from && related(found.from, found.to) || sideways[found.importEdge] != "":
		return ""
	case to == from:
		return "siblings of " + layers[from].name + " do not import each other; declare the small interface you need"
	}
	return layers[to].name + " is above " + layers[from].name
}

// layerOf returns the index in layers, or -1.
func layerOf(pkg string) int {
	longest, layer := "", -1
	for i, l := range layers {
		for _, owner := range l.packages {
			if within(pkg, owner) && len(owner) > len(longest) && !(owner == "broker" && pkg != "broker") {
				longest, layer = owner, i
			}
		}
	}
	return layer
}

func isKit(pkg string) bool {
	return slices.ContainsFunc(kits, func(kit string) bool { return within(pkg, kit) })
}

// related tells whether one package is a subpackage of the other.
func related(a, b string) bool { return within(a, b) || within(b, a) }

func within(pkg, owner string) bool {
	return pkg == owner || strings.HasPrefix(pkg, owner+"/")
}

// repositoryImports returns every import of one of our packages by another,
// whatever the build tags of the file. The nested modules are not asked.
func repositoryImports(t *testing.T) []foundImport {
	t.Helper()
	var imports []foundImport
	for file, content := range textFiles(t) {
		if !strings.HasSuffix(file, ".go") || inNestedModule(file) || strings.Contains(file, "/testdata/") {
			continue
		}
		found, err := fileImports(file, content)
		if err != nil {
			t.Error(err)
		}
		imports = append(imports, found...)
	}
	if len(imports) == 0 {
		t.Error("no imports found")
	}
	slices.SortFunc(imports, func(a, b foundImport) int { return strings.Compare(a.file, b.file) })
	return imports
}

func fileImports(file, content string) ([]foundImport, error) {
	parsed, err := parser.ParseFile(token.NewFileSet(), file, content, parser.ImportsOnly)
	if err != nil {
		return nil, fmt.Errorf("parsing imports: %w", err)
	}
	kind := notTest
	if strings.HasSuffix(file, "_test.go") {
		kind = internalTest
		if strings.HasSuffix(parsed.Name.Name, "_test") {
			kind = externalTest
		}
	}
	var imports []foundImport
	for _, spec := range parsed.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, fmt.Errorf("%s: import %s: %w", file, spec.Path.Value, err)
		}
		to, ours := strings.CutPrefix(imported, modulePath+"/")
		if from := path.Dir(file); ours && to != from {
			imports = append(imports, foundImport{importEdge{from, to}, file, kind})
		}
	}
	return imports, nil
}

// inNestedModule tells whether a folder of the path has a go.mod of its own.
func inNestedModule(file string) bool {
	for dir := path.Dir(file); dir != "."; dir = path.Dir(dir) {
		if _, err := os.Stat(path.Join(root, dir, "go.mod")); err == nil {
			return true
		}
	}
	return false
}

// foreignDependencies returns what the packages link, directly or not.
func foreignDependencies(t *testing.T, pattern string) []string {
	t.Helper()
	command := exec.Command("go", "list", "-deps", pattern)
	command.Dir = root
	output, err := command.Output()
	if err != nil {
		t.Fatalf("listing the dependencies of %s: %v", pattern, describe(err))
	}
	return strings.Fields(string(output))
}
