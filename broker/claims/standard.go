package claims

// standard is the list of OpenID Connect Core, 5.1, the address taken
// apart: what a connection knows without configuration.
func standard() []Attribute {
	return []Attribute{
		claim(String, "Name", "name"),
		claim(String, "First name", "given_name"),
		claim(String, "Middle name", "middle_name"),
		claim(String, "Last name", "family_name"),
		claim(String, "Nickname", "nickname"),
		claim(String, "Preferred username", "preferred_username"),
		claim(String, "Email", "email"),
		claim(Bool, "Email verified", "email_verified"),
		claim(String, "Phone number", "phone_number"),
		claim(Bool, "Phone number verified", "phone_number_verified"),
		claim(String, "Profile page", "profile"),
		claim(String, "Picture", "picture"),
		claim(String, "Website", "website"),
		claim(String, "Gender", "gender"),
		claim(String, "Birthdate", "birthdate"),
		claim(String, "Time zone", "zoneinfo"),
		claim(String, "Locale", "locale"),
		claim(Number, "Last updated", "updated_at"),
		claim(String, "Address", "address", "formatted"),
		claim(String, "Street", "address", "street_address"),
		claim(String, "City", "address", "locality"),
		claim(String, "Region", "address", "region"),
		claim(String, "Postal code", "address", "postal_code"),
		claim(String, "Country", "address", "country"),
	}
}

func claim(t Type, display string, segments ...string) Attribute {
	path := join(segments...)
	return Attribute{
		Name: path.String(), Source: IDToken, Path: path, Type: t,
		DisplayName: display, Origin: OriginDefault,
	}
}

// userinfoPrefix sets the names of the default attributes read from
// userinfo apart from those of the ID token.
const userinfoPrefix = "userinfo."

// Default returns the attributes of an OpenID Connect connection that are
// there without configuration: the standard claims of the ID token, named
// as they are there, and with userinfo those of the userinfo answer, named
// "userinfo.email" and so on.
func Default(userinfo bool) []Attribute {
	out := standard()
	if !userinfo {
		return out
	}
	for _, a := range standard() {
		a.Name, a.Source = userinfoPrefix+a.Name, Userinfo
		out = append(out, a)
	}
	return out
}

// DefaultMappings returns the mappings of the [Default] attributes to the
// places of the same name in the context, those from the ID token before
// those from userinfo. They follow the operator's own.
func DefaultMappings(userinfo bool) []Mapping {
	var out []Mapping
	for _, prefix := range []string{"", userinfoPrefix} {
		if prefix != "" && !userinfo {
			break
		}
		for _, a := range standard() {
			out = append(out, Mapping{From: prefix + a.Name, To: a.Path, Type: a.Type, Origin: OriginDefault})
		}
	}
	return out
}
