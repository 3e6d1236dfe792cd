package lineage

import (
	"fmt"
	"strings"
)

// Text returns the page without its stages, for a terminal.
func (p *SignInPage) Text() string {
	var out strings.Builder
	width := 0
	for _, f := range p.About {
		width = max(width, len(f.Name))
	}
	for _, f := range p.About {
		fmt.Fprintf(&out, "%-*s  %s\n", width, f.Name, printable(f.Text))
	}
	section := func(title string, claims []SignInClaim) {
		if len(claims) == 0 {
			return
		}
		fmt.Fprintf(&out, "\n%s\n\n", title)
		for _, c := range claims {
			fmt.Fprintln(&out, printable(c.Words))
		}
	}
	section("Not delivered", p.Missing)
	section("Delivered", p.Delivered)
	if len(p.Values) > 0 {
		fmt.Fprintf(&out, "\nValues, kept until %s\n", moment(p.ValuesUntil))
		for _, v := range p.Values {
			fmt.Fprintf(&out, "\n%s\n\n%s\n", printable(v.Name), lines(v.JSON))
		}
	}
	return out.String()
}
