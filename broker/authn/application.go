package authn

import (
	"maps"
	"slices"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
)

// ApplyApplication returns the context with what a post-authentication
// application sent, and what was done. As [Schema.ApplyScript] it applies
// all or, with a *ChangeError, nothing.
//
// It merges by name and removes nothing, so a null is an error, and the
// members of an object such as address that are not sent stay. Each name
// must be in the schema and its top-level key in maySet; "amr" (an array
// with a string at least) and "acr" come among the attributes and must be in
// maySet as well. Verified flags go as for a script.
func (s *Schema) ApplyApplication(c *Context, attributes map[string]any, maySet []string) (*Context, Trace, error) {
	m := newMerge(s, c, StageApplication)
	if err := m.application(attributes, maySet); err != nil {
		return nil, m.failed(err), err
	}
	return m.new, m.done(), nil
}

func (m *merge) application(attributes map[string]any, maySet []string) *ChangeError {
	if err := bounded(attributes); err != nil {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(attributes)) {
		v := attributes[key]
		leaves, err := m.permitted(key, v, maySet)
		if err != nil {
			return err
		}
		switch key {
		case "amr":
			err = m.applicationAMR(v)
		case "acr":
			err = m.applicationACR(v)
		default:
			m.put(leaves)
		}
		if err != nil {
			return err
		}
	}
	m.pair(attributes)
	return nil
}

// permitted checks whether an application may set key to v. Unknown names
// come first: a misspelled one would not be helped by may_set.
func (m *merge) permitted(key string, v any, maySet []string) (leaves []leaf, err *ChangeError) {
	methods := key == "amr" || key == "acr"
	if claims.Reserved(key) && !methods {
		return nil, changeError(claims.Key(key).String(), claims.ReservedName, "is reserved; the broker fills it itself")
	}
	if !methods {
		if leaves, err = m.leaves(key, v); err != nil {
			return nil, err
		}
	}
	switch {
	case !slices.Contains(maySet, key):
		return nil, changeError(claims.Key(key).String(), claims.NotDeclared, "is not among the names in may_set of the application")
	case v == nil:
		return nil, changeError(claims.Key(key).String(), claims.TypeMismatch, "is null; an application cannot remove a value")
	}
	return leaves, nil
}

func (m *merge) applicationAMR(v any) *ChangeError {
	list, ok := v.([]any)
	if !ok || len(list) == 0 || !claims.StringArray.Matches(v) {
		return changeError("amr", claims.TypeMismatch, "must be an array with one string or more")
	}
	methods := make([]string, len(list))
	for i, e := range list {
		methods[i], _ = e.(string)
	}
	return m.setAMR(methods)
}

func (m *merge) applicationACR(v any) *ChangeError {
	acr, ok := v.(string)
	if !ok || acr == "" {
		return changeError("acr", claims.TypeMismatch, "must be a string that is not empty")
	}
	return m.setACR(acr)
}
