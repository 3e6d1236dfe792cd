package claims

import "testing"

// BenchmarkMap is the work of one sign-in: the default attributes and
// mappings over an ID token and a userinfo answer with every claim.
func BenchmarkMap(b *testing.B) {
	attributes := Default(true)
	m, err := NewMapper(attributes, DefaultMappings(true))
	if err != nil {
		b.Fatal(err)
	}
	docs := Documents{IDToken: object(b, everything), Userinfo: object(b, everything)}
	b.ReportAllocs()
	for b.Loop() {
		values, _ := Extract(attributes, docs)
		if _, _, _, err := m.Map(values); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRelease is the work of one ID token with all standard scopes.
func BenchmarkRelease(b *testing.B) {
	context, claims := person(b), DefaultClaims()
	granted := []string{"openid", "profile", "email", "address", "phone"}
	b.ReportAllocs()
	for b.Loop() {
		Release(context, granted, IDToken, claims, nil)
	}
}

func BenchmarkParsePath(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParsePath(`https://example\.com/app_metadata.plan`); err != nil {
			b.Fatal(err)
		}
	}
}
