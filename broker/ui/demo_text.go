package ui

import "github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"

// demoText are the words of the demo application.
type demoText struct {
	Name string
	Lead string

	SignedOut string
	AskFor    string
	Always    string
	Options   string
	SignIn    string
	Back      string

	Prompt         string
	Prompts        map[string]string // by the value of the parameter
	LoginHint      string
	LoginHintAbout string
	ACRValues      string
	ACRValuesAbout string
	Purpose        string
	PurposeAbout   string

	ForwardTitle string
	ForwardText  string

	SignedInAs string // %s: the person
	Refused    string
	Shared     string
	Withheld   string
	Parts      string // what the tabs are, for those who do not see them
	Tabs       map[DemoTab]string

	ClaimsAbout string
	ClaimsNone  string
	Claim       string
	Value       string
	SourcePath  string
	ReadFrom    string
	CarriedBy   string
	Origins     map[authn.OriginKind]string
	Documents   map[string]string // where, in the provider's answer
	Carriers    map[string]string

	TokenNone   string
	Signature   string
	Verified    string
	NotVerified string
	Expires     string
	ExpiresIn   string // %s: a duration
	Expired     string
	Raw         string
	Header      string
	Payload     string
	AccessAbout string
	IDAbout     string

	RefreshAbout   string
	RefreshNone    string
	RefreshMissing map[DemoMissing]string
	RefreshEnds    string
	RefreshRenewed string
	Refresh        string

	Again            string
	LogoutHere       string
	LogoutEverywhere string
}

func englishDemo() demoText {
	return demoText{
		Name: "Demo application",
		Lead: "An ordinary OpenID Connect client that comes with the broker. Sign in, choose what to share, and see what an application gets.",

		SignedOut: "The demo has forgotten you. Your sign-in at the broker lives on, and so do the other applications.",
		AskFor:    "Ask for",
		Always:    "Always asked for",
		Options:   "More options",
		SignIn:    "Sign in",
		Back:      "Back to your tokens",

		Prompt: "Pages to show",
		Prompts: map[string]string{
			"":               "Those that are needed",
			"none":           "None at all (prompt=none)",
			"login":          "Sign in anew (prompt=login)",
			"consent":        "Ask for consent anew (prompt=consent)",
			"select_account": "Choose another account (prompt=select_account)",
		},
		LoginHint:      "Who is going to sign in",
		LoginHintAbout: "login_hint: an e-mail address, for example. It can lead straight to the right provider.",
		ACRValues:      "How to authenticate",
		ACRValuesAbout: "acr_values: the classes you would like, the preferred one first.",
		Purpose:        "What the data are for",
		PurposeAbout:   "purpose: stands on the consent page, as the demo’s own words.",

		ForwardTitle: "On the way to sign in",
		ForwardText:  "This takes you to the broker. If nothing happens, go on yourself.",

		SignedInAs: "Signed in as %s",
		Refused:    "The broker no longer accepts these tokens: access was withdrawn, or has been ended. What they said is still here, as it is in every application that keeps it.",
		Shared:     "You share",
		Withheld:   "You withhold",
		Parts:      "What the demo got",
		Tabs: map[DemoTab]string{
			DemoClaims: "Claims", DemoAccessToken: "Access token", DemoIDToken: "ID token", DemoRefreshToken: "Refresh token",
		},

		ClaimsAbout: "What the tokens say about you, and the way it took to get there.",
		ClaimsNone:  "Nothing: the tokens say no more than that it is you.",
		Claim:       "Claim",
		Value:       "Value",
		SourcePath:  "Source path",
		ReadFrom:    "Read from",
		CarriedBy:   "Carried by",
		Origins: map[authn.OriginKind]string{
			authn.FromProvider: "from the provider", authn.FromOperator: "set by the operator", authn.FromScript: "set by a script",
			authn.FromApplication: "set by the application visited after sign-in", authn.FromBroker: "made by the broker", authn.FromUnknown: "not known",
		},
		Documents: map[string]string{
			"id_token": "in the provider’s ID token", "access_token": "in the provider’s access token",
			"userinfo": "in the provider’s userinfo", "assertion": "in the provider’s assertion",
		},
		Carriers: map[string]string{"id_token": "ID token", "access_token": "Access token", "userinfo": "Userinfo"},

		TokenNone:   "The broker issued none.",
		Signature:   "Signature",
		Verified:    "Verified with the keys that the broker publishes",
		NotVerified: "Not verified",
		Expires:     "Expires",
		ExpiresIn:   "in %s",
		Expired:     "has expired",
		Raw:         "As it was received",
		Header:      "Header",
		Payload:     "Payload",
		AccessAbout: "For services: an application shows it to them to act for you. It says about you what the operator has declared for access tokens, and no more.",
		IDAbout:     "For the application: it says that you signed in, when and how, and what you share.",

		RefreshAbout: "With it an application gets new tokens while you are away, after the scope offline_access. It is of use once: each use brings the next one. It ends at once when you withdraw your consent.",
		RefreshNone:  "There is no refresh token.",
		RefreshMissing: map[DemoMissing]string{
			DemoNotAsked: "The demo did not ask for one. Sign in again with “Access while you are away” among what it asks for.",
			DemoWithheld: "The demo asked for access while you are away, and you did not grant it. When the access token has expired, it has to send you to sign in again.",
			DemoEnded:    "The broker has refused the one that the demo had: it has expired, or what you had granted was taken back. What the demo got with it has ended, too.",
		},
		RefreshEnds:    "The last one ends",
		RefreshRenewed: "The broker has issued new tokens. The refresh token that the demo used is spent.",
		Refresh:        "Refresh",

		Again:            "Sign in with other options",
		LogoutHere:       "Log out here",
		LogoutEverywhere: "Log out everywhere",
	}
}

//nolint:gosec // G101: words about tokens, none of them one
func germanDemo() demoText {
	return demoText{
		Name: "Demo-Anwendung",
		Lead: "Eine gewöhnliche OpenID-Connect-Anwendung, die dem Broker beiliegt. Melden Sie sich an, wählen Sie, was Sie weitergeben, und sehen Sie, was eine Anwendung bekommt.",

		SignedOut: "Die Demo hat Sie vergessen. Am Broker und in anderen Anwendungen sind Sie weiter angemeldet.",
		AskFor:    "Bitten um",
		Always:    "Immer dabei",
		Options:   "Weitere Optionen",
		SignIn:    "Anmelden",
		Back:      "Zurück zu Ihren Token",

		Prompt: "Welche Seiten erscheinen",
		Prompts: map[string]string{
			"":               "Die nötigen",
			"none":           "Gar keine (prompt=none)",
			"login":          "Neu anmelden (prompt=login)",
			"consent":        "Neu um Zustimmung bitten (prompt=consent)",
			"select_account": "Anderes Konto wählen (prompt=select_account)",
		},
		LoginHint:      "Wer sich anmelden wird",
		LoginHintAbout: "login_hint: zum Beispiel eine E-Mail-Adresse. Sie kann gleich zum richtigen Anbieter führen.",
		ACRValues:      "Wie die Anmeldung erfolgen soll",
		ACRValuesAbout: "acr_values: die gewünschten Klassen, die liebste zuerst.",
		Purpose:        "Wofür die Daten dienen",
		PurposeAbout:   "purpose: steht als Aussage der Demo auf der Seite mit der Zustimmung.",

		ForwardTitle: "Unterwegs zur Anmeldung",
		ForwardText:  "Es geht weiter zum Broker. Wenn nichts geschieht, gehen Sie selbst weiter.",

		SignedInAs: "Angemeldet als %s",
		Refused:    "Der Broker nimmt diese Token nicht mehr an: Der Zugriff wurde widerrufen oder beendet. Was darin stand, ist noch hier, wie in jeder Anwendung, die es aufhebt.",
		Shared:     "Sie teilen",
		Withheld:   "Sie behalten für sich",
		Parts:      "Was die Demo bekommen hat",
		Tabs: map[DemoTab]string{
			DemoClaims: "Angaben", DemoAccessToken: "Zugriffstoken", DemoIDToken: "ID-Token", DemoRefreshToken: "Refresh-Token",
		},

		ClaimsAbout: "Was die Token über Sie sagen, und wie es dorthin kam.",
		ClaimsNone:  "Nichts: Die Token sagen nur, dass Sie es sind.",
		Claim:       "Angabe",
		Value:       "Wert",
		SourcePath:  "Quellpfad",
		ReadFrom:    "Gelesen aus",
		CarriedBy:   "Enthalten in",
		Origins: map[authn.OriginKind]string{
			authn.FromProvider: "vom Anbieter", authn.FromOperator: "vom Betreiber festgelegt", authn.FromScript: "von einem Skript gesetzt",
			authn.FromApplication: "von der Anwendung gesetzt, die nach der Anmeldung besucht wurde", authn.FromBroker: "vom Broker erzeugt", authn.FromUnknown: "nicht bekannt",
		},
		Documents: map[string]string{
			"id_token": "im ID-Token des Anbieters", "access_token": "im Zugriffstoken des Anbieters",
			"userinfo": "in den Benutzerangaben des Anbieters", "assertion": "in der Bestätigung des Anbieters",
		},
		Carriers: map[string]string{"id_token": "ID-Token", "access_token": "Zugriffstoken", "userinfo": "Benutzerangaben"},

		TokenNone:   "Der Broker hat keines ausgestellt.",
		Signature:   "Signatur",
		Verified:    "Geprüft mit den Schlüsseln, die der Broker veröffentlicht",
		NotVerified: "Nicht geprüft",
		Expires:     "Läuft ab",
		ExpiresIn:   "in %s",
		Expired:     "ist abgelaufen",
		Raw:         "Wie es ankam",
		Header:      "Kopf",
		Payload:     "Inhalt",
		AccessAbout: "Für Dienste: Eine Anwendung zeigt es ihnen vor, um für Sie zu handeln. Es sagt über Sie nur, was der Betreiber für Zugriffstoken festgelegt hat.",
		IDAbout:     "Für die Anwendung: Es sagt, dass Sie sich angemeldet haben, wann und wie, und was Sie weitergeben.",

		RefreshAbout: "Damit bekommt eine Anwendung neue Token, wenn Sie nicht da sind, nach der Berechtigung offline_access. Es gilt für ein Mal: Mit jeder Verwendung kommt das nächste. Es endet sofort, wenn Sie Ihre Zustimmung widerrufen.",
		RefreshNone:  "Es gibt kein Refresh-Token.",
		RefreshMissing: map[DemoMissing]string{
			DemoNotAsked: "Die Demo hat um keines gebeten. Melden Sie sich noch einmal an, mit „Zugriff in Ihrer Abwesenheit“ unter dem, worum sie bittet.",
			DemoWithheld: "Die Demo hat um Zugriff in Ihrer Abwesenheit gebeten, und Sie haben ihn nicht gewährt. Ist das Zugriffstoken abgelaufen, müssen Sie sich neu anmelden.",
			DemoEnded:    "Der Broker hat das der Demo abgelehnt: Es ist abgelaufen, oder was Sie gewährt hatten, wurde widerrufen. Damit hat auch geendet, was die Demo damit bekommen hat.",
		},
		RefreshEnds:    "Das letzte endet",
		RefreshRenewed: "Der Broker hat neue Token ausgestellt. Das Refresh-Token, das die Demo verwendet hat, ist verbraucht.",
		Refresh:        "Erneuern",

		Again:            "Mit anderen Optionen anmelden",
		LogoutHere:       "Hier abmelden",
		LogoutEverywhere: "Überall abmelden",
	}
}
