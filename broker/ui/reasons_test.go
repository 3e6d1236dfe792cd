package ui

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"testing"
)

func TestEveryReasonIsComplete(t *testing.T) {
	for key, r := range allReasons() {
		if r.Status < 400 || r.Status > 599 {
			t.Errorf("%s: status %d", key, r.Status)
		}
		if !isErrorCode(r.Code) {
			t.Errorf("%s: %q is no OAuth error code", key, r.Code)
		}
		if r.Turn < 0 || r.Turn >= turnCount {
			t.Errorf("%s: nobody's turn (%d)", key, r.Turn)
		}
	}
}

// The tables are merged; a key in two of them would lose one row.
func TestReasonTablesAreDisjoint(t *testing.T) {
	sum := len(requestReasons()) + len(signInReasons()) + len(brokerReasons()) + len(providerReasons())
	if n := len(allReasons()); n != sum {
		t.Errorf("%d keys in all, %d in the parts", n, sum)
	}
}

func TestReasonsThatOthersRelyOn(t *testing.T) {
	reasons := allReasons()
	for _, key := range []string{
		"invalid_request", "invalid_client", "invalid_redirect_uri", "invalid_scope", "unsupported_response_type",
		"stale_sign_in", "replayed_callback", "cookies_missing", "loop_detected", "no_connections",
		"unknown_connection", "forged_form", "server_error", "store_unavailable", "sign_in_required",
		"wrong_host", "session_ended", "method_not_allowed", "header_too_large",
	} {
		if _, ok := reasons[key]; !ok {
			t.Errorf("no row for %q", key)
		}
	}
	if got := english().Reasons["no_connections"].What; got != "No identity providers configured" {
		t.Errorf("no_connections reads %q", got)
	}
}

// The layers forbid the import, so the constants are read from the source:
// a new provider.Reason without a row fails here.
func TestEveryProviderReasonHasARow(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../provider/provider.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	reasons := providerReasons()
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if id, ok := spec.Type.(*ast.Ident); !ok || id.Name != "Reason" {
			return true
		}
		for _, v := range spec.Values {
			key, err := strconv.Unquote(v.(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			found++
			if _, ok := reasons[key]; !ok {
				t.Errorf("provider.%s (%q) has no row", spec.Names[0].Name, key)
			}
		}
		return true
	})
	if found == 0 || found != len(reasons) {
		t.Errorf("%d reasons in package provider, %d in the table", found, len(reasons))
	}
}
