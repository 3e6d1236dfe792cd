package op

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"unicode/utf8"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
)

// Bounds of a JSON body.
const (
	maxJSONBody  = 64 << 10
	maxJSONDepth = 32
)

// readObject reads a body that is one JSON object. Numbers stay texts. A
// body that two readers could understand in two ways, because a name comes
// twice in an object or because it is no UTF-8, is refused: the
// application's own check might have seen the other one.
func readObject(w http.ResponseWriter, r *http.Request) (map[string]any, *oauth.Error) {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "application/json" {
		oerr := malformed("the body must be application/json")
		oerr.Status = http.StatusUnsupportedMediaType
		return nil, oerr
	}
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxJSONBody))
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		oerr := malformed("the body is larger than 64 KiB")
		oerr.Status = http.StatusRequestEntityTooLarge
		return nil, oerr
	}
	if err != nil {
		return nil, malformed("the body could not be read")
	}
	object, err := decodeObject(raw)
	if err != nil {
		return nil, malformed("the body must be one JSON object: %s", err)
	}
	return object, nil
}

// Problems of a body, each the rest of a sentence.
var (
	errNotUTF8   = errors.New("it is not UTF-8")
	errSyntax    = errors.New("it is not JSON")
	errNoObject  = errors.New("it is another value")
	errTrailing  = errors.New("something follows it")
	errTooDeep   = errors.New("it is nested too deep")
	errDuplicate = errors.New("a name comes twice in it")
)

func decodeObject(raw []byte) (map[string]any, error) {
	if !utf8.Valid(raw) {
		return nil, errNotUTF8
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	v, err := decodeValue(d, 1)
	if err != nil {
		return nil, err
	}
	object, ok := v.(map[string]any)
	if !ok {
		return nil, errNoObject
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errTrailing
	}
	return object, nil
}

func decodeValue(d *json.Decoder, depth int) (any, error) {
	token, err := d.Token()
	if err != nil {
		return nil, errSyntax
	}
	if depth > maxJSONDepth {
		return nil, errTooDeep
	}
	switch token {
	case json.Delim('{'):
		return decodeMembers(d, depth)
	case json.Delim('['):
		return decodeElements(d, depth)
	}
	return token, nil
}

func decodeMembers(d *json.Decoder, depth int) (map[string]any, error) {
	object := map[string]any{}
	for d.More() {
		token, err := d.Token()
		name, ok := token.(string)
		if err != nil || !ok {
			return nil, errSyntax
		}
		if _, twice := object[name]; twice {
			return nil, errDuplicate
		}
		if object[name], err = decodeValue(d, depth+1); err != nil {
			return nil, err
		}
	}
	return object, closing(d)
}

func decodeElements(d *json.Decoder, depth int) ([]any, error) {
	array := []any{}
	for d.More() {
		v, err := decodeValue(d, depth+1)
		if err != nil {
			return nil, err
		}
		array = append(array, v)
	}
	return array, closing(d)
}

func closing(d *json.Decoder) error {
	if _, err := d.Token(); err != nil {
		return errSyntax
	}
	return nil
}

// malformed is the answer to a body that cannot be used.
func malformed(format string, args ...any) *oauth.Error {
	return &oauth.Error{Code: oauth.InvalidRequest, Description: fmt.Sprintf(format, args...)}
}

// maxMember is how much of a name that a caller has chosen is repeated.
const maxMember = 100

// member makes such a name fit for an answer and a log line: it is short,
// and all of it is printable ASCII.
func member(name string) string {
	quoted := strconv.QuoteToASCII(name)
	quoted = quoted[1 : len(quoted)-1]
	if len(quoted) > maxMember {
		quoted = quoted[:maxMember] + "..."
	}
	return "'" + quoted + "'"
}
