package authn

import (
	"slices"
	"time"
)

// Methods is how a person authenticated upstream, and since when that
// holds. Either may be unknown; its time is then zero.
type Methods struct {
	AMR     []string  `json:"amr,omitempty"`
	AMRTime time.Time `json:"amr_time,omitzero"`
	ACR     string    `json:"acr,omitempty"`
	ACRTime time.Time `json:"acr_time,omitzero"`
}

// Remembered is what the SSO session keeps of the newest answer of one
// connection, with what that answer itself inherited.
type Remembered struct {
	// Issuer, Subject and SID are the upstream session that answered.
	Issuer  string `json:"issuer"`
	Subject string `json:"idp_sub"`
	SID     string `json:"sid,omitempty"`

	// AuthTime is what is known of it, and AuthTimeAsserted whether the
	// newest answer said so.
	AuthTime         time.Time `json:"auth_time"`
	AuthTimeAsserted bool      `json:"auth_time_asserted,omitempty"`

	Methods
}

// Inherit completes an answer that has just arrived with what the SSO
// session remembers, nil if nothing. It returns the input of the pipeline,
// and what to remember in place of known, whatever becomes of the sign-in.
//
// Some upstreams, Auth0 among them, tell amr and acr right after a challenge
// only, and auth_time only when asked in a way that a user can undo. So an
// answer without one of them inherits it, each on its own, from the last
// answer of the same upstream session, (issuer, subject, sid), and with the
// time it had there: a policy that demands a recent second factor must not
// take an old one for new because of a silent sign-in in between. Another
// session, or one without a sid, inherits nothing: its second factor may
// have been another person's, or another browser's.
//
// What the answer itself tells holds since its auth_time, which is the time
// these methods were used (OpenID Connect Core, 2). An answer without
// auth_time gets the one known of its session, at first the time of its
// first callback. Such a time answers no max_age.
func Inherit(known *Remembered, in Input, now time.Time) (Input, Remembered) {
	in.AuthTimeAsserted = !in.AuthTime.IsZero()
	in.Inherited = nil
	if known != nil && !known.answered(in) {
		known = nil
	}
	if !in.AuthTimeAsserted {
		in.AuthTime = now
		if known != nil && !known.AuthTime.IsZero() {
			in.AuthTime = known.AuthTime
			in.Inherited = append(in.Inherited, "auth_time")
		}
	}
	in.AuthTime = in.AuthTime.UTC()

	in.AMRTime, in.ACRTime = time.Time{}, time.Time{}
	switch {
	case len(in.AMR) > 0:
		in.AMRTime = in.AuthTime
	case known != nil && len(known.AMR) > 0:
		in.AMR, in.AMRTime = slices.Clone(known.AMR), known.AMRTime.UTC()
		in.Inherited = append(in.Inherited, "amr")
	}
	switch {
	case in.ACR != "":
		in.ACRTime = in.AuthTime
	case known != nil && known.ACR != "":
		in.ACR, in.ACRTime = known.ACR, known.ACRTime.UTC()
		in.Inherited = append(in.Inherited, "acr")
	}
	return in, remember(in)
}

// answered reports whether the answer comes from the same upstream session.
func (r *Remembered) answered(in Input) bool {
	return in.SID != "" && in.SID == r.SID && in.Subject == r.Subject && in.Issuer == r.Issuer
}

func remember(in Input) Remembered {
	return Remembered{
		Issuer: in.Issuer, Subject: in.Subject, SID: in.SID,
		AuthTime: in.AuthTime, AuthTimeAsserted: in.AuthTimeAsserted,
		Methods: Methods{
			AMR: slices.Clone(in.AMR), AMRTime: in.AMRTime,
			ACR: in.ACR, ACRTime: in.ACRTime,
		},
	}
}
