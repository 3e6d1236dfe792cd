package caddymodule

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/script"
)

// A scriptResult is what came of a run.
type scriptResult struct {
	// Output is what the script returned, Context the context after it was
	// merged, if there is a configuration.
	Output  map[string]any `json:"output,omitempty"`
	Context map[string]any `json:"context,omitempty"`

	Console    []scriptLine `json:"console,omitempty"`
	ConsoleCut bool         `json:"console_cut,omitempty"`
	Error      *scriptError `json:"error,omitempty"`

	// Duration is the whole time, Running what of it the script ran.
	Duration string `json:"duration,omitempty"`
	Running  string `json:"running,omitempty"`
}

type scriptLine struct {
	Level string `json:"level"`
	Text  string `json:"text"`
}

type scriptError struct {
	Kind    string `json:"kind"`
	Line    int    `json:"line,omitempty"`
	Message string `json:"message"`
	text    string
}

// kindMerge is the kind of an error of the merge.
const kindMerge = "merge"

// fail notes an error of the script, and returns any other.
func (r *scriptResult) fail(err error) error {
	failure, ok := errors.AsType[*script.Error](err)
	if !ok {
		return err
	}
	r.Error = &scriptError{Kind: string(failure.Kind), Line: failure.Line, Message: failure.Message, text: failure.Error()}
	return nil
}

func (r *scriptResult) try(ctx context.Context, compiled *script.Script, in script.Input, a *App) {
	out, report, err := compiled.Run(ctx, in)
	r.Duration, r.Running = report.Duration.String(), report.Running.String()
	r.ConsoleCut = report.ConsoleCut
	for _, line := range report.Console {
		r.Console = append(r.Console, scriptLine{Level: line.Level, Text: line.Text})
	}
	if err != nil {
		_ = r.fail(err) // Run has no others
		return
	}
	r.Output = returnedBy(out)
	if a == nil {
		return
	}
	before := &authn.Context{Attributes: in.Attributes, AMR: in.AMR, ACR: in.ACR, IDPSubject: in.IDPSubject}
	after, _, err := a.broker.Schema().ApplyScript(before, authn.Change{
		Attributes: out.Attributes, AMR: out.AMR, ACR: out.ACR, IDPSubject: out.IDPSubject,
	})
	if err != nil {
		r.Error = &scriptError{Kind: kindMerge, Message: err.Error(), text: "merging the result: " + err.Error()}
		return
	}
	r.Context = after.View(nil)
}

// returnedBy is the output as the script wrote it.
func returnedBy(out *script.Output) map[string]any {
	returned := map[string]any{}
	if out.Attributes != nil {
		returned["authn_ctx"] = out.Attributes
	}
	if out.AMR != nil {
		returned["amr"] = *out.AMR
	}
	if out.ACR != nil {
		returned["acr"] = *out.ACR
	}
	if out.IDPSubject != nil {
		returned["idp_sub"] = *out.IDPSubject
	}
	return returned
}

func (r *scriptResult) show(out io.Writer, asJSON bool) error {
	if !asJSON {
		_, err := io.WriteString(out, r.text())
		return err
	}
	raw, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return showJSON(out, raw)
}

func (r *scriptResult) text() string {
	var out strings.Builder
	section := func(title, text string) {
		if out.Len() > 0 {
			out.WriteByte('\n')
		}
		fmt.Fprintf(&out, "%s\n\n%s\n", title, text)
	}
	if r.Output != nil {
		section("Output", indented(r.Output))
	}
	if r.Context != nil {
		section("Context after the merge", indented(r.Context))
	}
	if len(r.Console) > 0 {
		var lines []string
		for _, line := range r.Console {
			lines = append(lines, line.Level+": "+line.Text)
		}
		if r.ConsoleCut {
			lines = append(lines, "(the rest is cut)")
		}
		section("Console", strings.Join(lines, "\n"))
	}
	if r.Error != nil {
		section("Error", r.Error.text)
	}
	if r.Duration != "" {
		section("Duration", fmt.Sprintf("%s, of which the script ran %s", r.Duration, r.Running))
	}
	return out.String()
}

func indented(v any) string {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "\t")
	if err := encoder.Encode(v); err != nil {
		return err.Error()
	}
	return strings.TrimSuffix(out.String(), "\n")
}
