package lineage

import (
	"encoding/json"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
)

// TestM65_NothingArrivesThatLineageDenies draws configurations and sign-ins.
// Every claim in a token must be one that lineage says the client can get
// there, from that connection. So no reason in an answer is ever wrong.
func TestM65_NothingArrivesThatLineageDenies(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawInput(t)
		schema, err := authn.NewSchema()
		if err != nil {
			t.Fatal(err)
		}
		in.Fields = schema.Fields()
		conn := in.Connections[0]
		pipeline, err := authn.NewPipeline(authn.Config{Schema: schema, Attributes: conn.Attributes, Mappings: conn.Mappings})
		if err != nil {
			t.Fatal(err)
		}
		context, _, _, err := pipeline.Build(authn.Input{
			Connection: conn.ID, Issuer: "https://upstream.example", Subject: "ada", ACR: "1", Documents: drawDocuments(t),
		})
		if err != nil {
			t.Fatal(err)
		}
		g, client := New(in), in.Clients[0]
		answer, err := g.What(client.ID)
		if err != nil {
			t.Fatal(err)
		}
		for i, token := range claims.TokenTypes() {
			for name := range claims.Release(context.View(client.Scopes), client.Scopes, token, in.Claims, nil) {
				if needsOpenID(token) && !slices.Contains(client.Scopes, "openid") {
					continue // there is no such token
				}
				if !slices.ContainsFunc(answer.Receipts, func(r Receipt) bool {
					return r.Claim == name && r.Delivered() && r.Tokens[i].Reason == "" && len(r.Sources) > 0
				}) {
					t.Fatalf("the %s carries %s, which lineage denies:\n%s", token, name, answer.Text())
				}
			}
		}
	})
}

func drawInput(t *rapid.T) Input {
	conn := ConnectionInput{ID: "acme", Attributes: claims.Default(true)}
	types := rapid.SampledFrom(claims.Types())
	for _, name := range []string{"a", "b", "c"} {
		conn.Attributes = append(conn.Attributes, claims.Attribute{
			Name: name, Source: rapid.SampledFrom([]claims.Source{claims.IDToken, claims.Userinfo}).Draw(t, "source"),
			Path: claims.Key(name), Type: types.Draw(t, "type"),
		})
	}
	targets := rapid.SampledFrom([]string{"email", "email_verified", "nickname", "groups", "updated_at", "address.country"})
	for range rapid.IntRange(0, 5).Draw(t, "mappings") {
		m := claims.Mapping{
			From: rapid.SampledFrom([]string{"a", "b", "c", "email", "userinfo.email", "userinfo.email_verified", ""}).Draw(t, "from"),
			To:   path(targets.Draw(t, "to")), Weak: rapid.Bool().Draw(t, "weak"),
		}
		if m.From == "" {
			m.Static, m.Weak = "1", true
		}
		if m.To.String() == "address.country" && m.From == "" {
			m.Static = "fr"
		}
		conn.Mappings = append(conn.Mappings, m)
	}
	if rapid.Bool().Draw(t, "defaults") {
		conn.Mappings = append(conn.Mappings, claims.DefaultMappings(true)...)
	}
	own := []claims.Claim{{
		Name: "own", Types: rapid.SliceOfNDistinct(rapid.SampledFrom(claims.TokenTypes()), 1, 4, rapid.ID).Draw(t, "types"),
		From:   path(rapid.SampledFrom([]string{"email", "groups", "groups.0", "address", "acr", "nickname"}).Draw(t, "place")),
		Scopes: rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"x", "y"}), 0, 2, rapid.ID).Draw(t, "scopes"),
	}}
	return Input{
		Connections: []ConnectionInput{conn},
		Claims:      append(own, claims.DefaultClaims()...),
		Clients: []ClientInput{{
			ID: "notes", Kind: Registered,
			Scopes: rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"openid", "profile", "email", "address", "x"}), 0, 5, rapid.ID).Draw(t, "allowed"),
		}},
	}
}

func drawDocuments(t *rapid.T) claims.Documents {
	docs := claims.Documents{}
	values := rapid.SampledFrom([]any{
		nil, "text", "1", "true", "", json.Number("7"), json.Number("0"), true, false,
		[]any{},
		[]any{"a", "b"},
		[]any{json.Number("1")},
		map[string]any{"country": "fr"},
		map[string]any{},
	})
	for _, source := range []claims.Source{claims.IDToken, claims.Userinfo} {
		docs[source] = map[string]any{}
		for _, name := range []string{"a", "b", "c", "email", "email_verified", "name", "nickname", "address", "updated_at"} {
			if rapid.Bool().Draw(t, "there") {
				docs[source][name] = values.Draw(t, name)
			}
		}
	}
	return docs
}
