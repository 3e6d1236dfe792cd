package script

import (
	"encoding/json"
	"testing"
)

// A sign-in with a small script: a fresh VM, the top level, the function,
// and the values both ways.
func BenchmarkRun(b *testing.B) {
	s := compiled(b, patient(guideWithoutSecrets))
	in := Input{Attributes: map[string]any{"name": "Ada", "email": "ada@example.com", "updated_at": json.Number("1700000000")}, AMR: []string{"pwd"}}
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := s.Run(b.Context(), in); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRunParallel(b *testing.B) {
	s := compiled(b, patient(guideWithoutSecrets))
	in := Input{Attributes: map[string]any{"name": "Ada"}}
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, _, err := s.Run(b.Context(), in); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

func BenchmarkCompile(b *testing.B) {
	e := NewEngine()
	for b.Loop() {
		if _, err := e.Compile(patient(guideWithoutSecrets)); err != nil {
			b.Fatal(err)
		}
	}
}
