package claims

import "errors"

// A ConfigError is a mistake in one declaration of the configuration.
type ConfigError struct {
	// Origin is where the declaration stands, such as "Caddyfile:12".
	// Empty, it is known by Subject alone.
	Origin string
	// Subject names the declaration, such as `attribute "teams"`.
	Subject string
	// Err says what is wrong and what to write.
	Err error
}

// Error returns place, subject and mistake.
func (e *ConfigError) Error() string {
	s := e.Subject + ": " + e.Err.Error()
	if e.Origin != "" {
		s = e.Origin + ": " + s
	}
	return s
}

// Unwrap returns the mistake.
func (e *ConfigError) Unwrap() error { return e.Err }

// Misconfigured returns err as the mistake of the declaration subject at
// origin, or nil for a nil err. An err that has a place already, that of a
// declaration inside this one, keeps it.
func Misconfigured(origin, subject string, err error) error {
	if inner, ok := errors.AsType[*ConfigError](err); err == nil || ok && inner.Origin != "" {
		return err
	}
	return &ConfigError{Origin: origin, Subject: subject, Err: err}
}
