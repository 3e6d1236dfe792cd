package ui

import "strconv"

// A consentGroup is the lines under one heading.
type consentGroup struct {
	Legend string
	Lines  []consentLine
}

// A consentLine is a scope or claim as the template sees it.
type consentLine struct {
	ID          string // of the box, or of the line that has none
	Field       string // "scope" or "claim"
	Value       string
	Label       string
	Description string
	Fixed       bool
	Why         string // why it is fixed
	// AboutID ties the box to its description. It counts instead of using
	// the name, which may be chosen so that two ids collide.
	AboutID string
}

// consentLines sorts what is asked into groups, in the order of each
// service's first scope and claims last, and takes out what is shared
// already.
func consentLines(v Consent, t *catalogue) (groups []consentGroup, shared []consentLine) {
	index := map[string]int{}
	add := func(key, legend string, l consentLine) {
		i, ok := index[key]
		if !ok {
			i = len(groups)
			index[key] = i
			groups = append(groups, consentGroup{Legend: legend})
		}
		groups[i].Lines = append(groups[i].Lines, l)
	}

	for i, s := range v.Scopes {
		l := newLine("scope", i, s.Name, t.translate(s.DisplayName), t.translate(s.Description))
		if s.Granted {
			shared = append(shared, l)
			continue
		}
		if s.Fixed {
			l.Fixed = true
			l.Why = whyFixed(s, t)
		}
		service := clean(s.Service, maxName)
		add("scope "+service, service, l)
	}
	for i, c := range v.Claims {
		l := newLine("claim", i, c.Name, t.translate(c.DisplayName), t.translate(c.Description))
		if c.Granted {
			shared = append(shared, l)
			continue
		}
		add("claim", t.ClaimsLegend, l)
	}
	return groups, shared
}

func newLine(field string, i int, name, display, description string) consentLine {
	l := consentLine{
		ID:          field + "-" + name,
		Field:       field,
		Value:       name,
		Label:       clean(display, maxName),
		Description: clean(description, maxAbout),
		AboutID:     "about-" + field + "-" + strconv.Itoa(i),
	}
	if l.Label == "" {
		l.Label = clean(name, maxName)
	}
	return l
}

// whyFixed returns the sentence that tells a visitor why there is no box.
func whyFixed(s Scope, t *catalogue) string {
	if why := clean(s.Why, maxAbout); why != "" {
		return why
	}
	if s.Name == "openid" {
		return t.FixedOpenID
	}
	return t.FixedRequired
}
