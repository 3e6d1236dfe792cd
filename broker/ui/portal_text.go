package ui

import "github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"

// portalText are the words of the portal. Those with %s are formatted.
type portalText struct {
	Title      string
	OnThisPage string
	DemoLogin  string

	// DateLayout and MinuteLayout as TimeLayout, but for days and minutes.
	DateLayout   string
	MinuteLayout string

	Done map[Done]string

	Apps            string
	AppsNone        string
	WithdrawalMeans string
	LastUsed        string // before a time
	Gone            string
	May             counted // what an application may have
	Since           string  // before a time
	Until           string  // before a time
	Withdraw        string
	WithdrawFrom    string // %s: the application
	WithdrawOne     string // %s: a scope; %s: the application
	Trusted         string
	TrustedMeans    string

	WithdrawTitle   string // %s: the application
	WithdrawHeading string
	Loses           string
	WithdrawConfirm string

	Data            string
	DataMeans       string
	DataNone        string
	Origins         map[authn.OriginKind]string // authn.FromProvider takes %s: the connection
	OriginDocument  string                      // %s: the connection; %s: one of Documents
	Documents       map[string]string           // by their names among claims
	SignedInThrough string
	SignedInAt      string
	SignedInBy      string
	Methods         map[string]string // of RFC 8176
	Yes             string
	No              string
	Empty           string
	InPart          string

	Sessions      string
	SessionsMeans string
	SessionsNone  string
	ThisBrowser   string
	UnknownDevice string
	Through       string
	OpenSites     string
	Started       string
	Ends          string
	End           string
	EndOf         string // %s: the device
	EndAll        string
	EndAllMeans   string
}

func englishPortal() portalText {
	return portalText{
		Title:      "My account",
		OnThisPage: "On this page",
		DemoLogin:  "LOGIN TO DEMO APP",

		DateLayout:   "2 Jan 2006",
		MinuteLayout: "2 Jan 2006, 15:04 UTC",

		Done: map[Done]string{
			DoneWithdrawn:      "Access is withdrawn. The application is signed out, and has to ask you again.",
			DoneScopeWithdrawn: "That permission is withdrawn. The application is signed out, and has to ask you for it again.",
			DoneSessionEnded:   "That session is ended. Whoever uses that browser has to sign in again.",
		},

		Apps:            "My apps",
		AppsNone:        "You have not let any application have your data yet.",
		WithdrawalMeans: "When you withdraw access, the application is signed out at once and gets nothing more from here until you allow it again. What it has stored by then, only the application itself can delete.",
		LastUsed:        "Last used",
		Gone:            "This application is not known here any more. What you allowed still stands until you withdraw it.",
		May:             counted{"1 permission", "%d permissions"},
		Since:           "Given",
		Until:           "ends",
		Withdraw:        "Withdraw",
		WithdrawFrom:    "Withdraw the access of %s",
		WithdrawOne:     "Withdraw “%s” from %s",
		Trusted:         "Allowed by the administrator",
		TrustedMeans:    "These belong to your organisation. They get the data they need without asking you, and only the administrator can change that.",

		WithdrawTitle:   "Withdraw the access of %s?",
		WithdrawHeading: "Withdraw the access of this application?",
		Loses:           "It will no longer have",
		WithdrawConfirm: "Withdraw access",

		Data:      "My data",
		DataMeans: "What we know about you from your last sign-in in this browser, and where it comes from.",
		DataNone:  "Your sign-in told us nothing about you but who you are.",
		Origins: map[authn.OriginKind]string{
			authn.FromProvider:    "From %s",
			authn.FromOperator:    "Set by the operator",
			authn.FromScript:      "Set by a script of the operator",
			authn.FromApplication: "Set by the application you visited after sign-in",
			authn.FromBroker:      "Made here, to tell you from other people",
		},
		OriginDocument:  "From %s, %s:",
		Documents:       map[string]string{"id_token": "ID token", "access_token": "access token", "userinfo": "user details", "assertion": "assertion"},
		SignedInThrough: "Signed in through",
		SignedInAt:      "Signed in",
		SignedInBy:      "Signed in by",
		Methods:         englishMethods(),
		Yes:             "Yes",
		No:              "No",
		Empty:           "Empty",
		InPart:          "shown in part",

		Sessions:      "My sessions",
		SessionsMeans: "The browsers in which you are signed in. End those that you do not know or do not use any more.",
		SessionsNone:  "You are signed in nowhere else.",
		ThisBrowser:   "This browser",
		UnknownDevice: "Unknown browser",
		Through:       "Through",
		OpenSites:     "Open applications",
		Started:       "Signed in",
		Ends:          "Ends at the latest",
		End:           "End",
		EndOf:         "End the session of %s",
		EndAll:        "End all sessions",
		EndAllMeans:   "Signs you out everywhere, in this browser too. What you have allowed applications stays.",
	}
}

func germanPortal() portalText {
	return portalText{
		Title:      "Mein Konto",
		OnThisPage: "Auf dieser Seite",
		DemoLogin:  "BEI DER DEMO-APP ANMELDEN",

		DateLayout:   "02.01.2006",
		MinuteLayout: "02.01.2006, 15:04 UTC",

		Done: map[Done]string{
			DoneWithdrawn:      "Der Zugriff ist widerrufen. Die Anwendung ist abgemeldet und muss Sie neu fragen.",
			DoneScopeWithdrawn: "Diese Berechtigung ist widerrufen. Die Anwendung ist abgemeldet und muss Sie neu danach fragen.",
			DoneSessionEnded:   "Diese Sitzung ist beendet. Wer jenen Browser benutzt, muss sich neu anmelden.",
		},

		Apps:            "Meine Anwendungen",
		AppsNone:        "Sie haben noch keiner Anwendung Ihre Daten weitergegeben.",
		WithdrawalMeans: "Wenn Sie den Zugriff widerrufen, ist die Anwendung sofort abgemeldet und bekommt von hier nichts mehr, bis Sie es wieder erlauben. Was sie bis dahin gespeichert hat, kann nur die Anwendung selbst löschen.",
		LastUsed:        "Zuletzt benutzt",
		Gone:            "Diese Anwendung ist hier nicht mehr bekannt. Was Sie ihr erlaubt haben, gilt, bis Sie es widerrufen.",
		May:             counted{"1 Berechtigung", "%d Berechtigungen"},
		Since:           "Erteilt",
		Until:           "endet",
		Withdraw:        "Widerrufen",
		WithdrawFrom:    "Zugriff von %s widerrufen",
		WithdrawOne:     "„%s“ widerrufen, erteilt an %s",
		Trusted:         "Von der Administration erlaubt",
		TrustedMeans:    "Diese gehören zu Ihrer Organisation. Sie bekommen die nötigen Daten, ohne Sie zu fragen, und nur die Administration kann das ändern.",

		WithdrawTitle:   "Zugriff von %s widerrufen?",
		WithdrawHeading: "Den Zugriff dieser Anwendung widerrufen?",
		Loses:           "Sie hat dann nicht mehr",
		WithdrawConfirm: "Zugriff widerrufen",

		Data:      "Meine Daten",
		DataMeans: "Was wir aus Ihrer letzten Anmeldung in diesem Browser über Sie wissen, und woher es stammt.",
		DataNone:  "Ihre Anmeldung hat uns außer Ihrer Identität nichts über Sie verraten.",
		Origins: map[authn.OriginKind]string{
			authn.FromProvider:    "Von %s",
			authn.FromOperator:    "Vom Betreiber festgelegt",
			authn.FromScript:      "Von einem Skript des Betreibers gesetzt",
			authn.FromApplication: "Von der Anwendung gesetzt, die Sie nach der Anmeldung besucht haben",
			authn.FromBroker:      "Hier erzeugt, um Sie von anderen Personen zu unterscheiden",
		},
		OriginDocument:  "Von %s, %s:",
		Documents:       map[string]string{"id_token": "ID-Token", "access_token": "Zugriffstoken", "userinfo": "Benutzerangaben", "assertion": "Bestätigung"},
		SignedInThrough: "Angemeldet über",
		SignedInAt:      "Angemeldet am",
		SignedInBy:      "Angemeldet mit",
		Methods:         germanMethods(),
		Yes:             "Ja",
		No:              "Nein",
		Empty:           "Leer",
		InPart:          "gekürzt",

		Sessions:      "Meine Sitzungen",
		SessionsMeans: "Die Browser, in denen Sie angemeldet sind. Beenden Sie, was Sie nicht kennen oder nicht mehr benutzen.",
		SessionsNone:  "Sie sind nirgends sonst angemeldet.",
		ThisBrowser:   "Dieser Browser",
		UnknownDevice: "Unbekannter Browser",
		Through:       "Über",
		OpenSites:     "Offene Anwendungen",
		Started:       "Angemeldet am",
		Ends:          "Endet spätestens",
		End:           "Beenden",
		EndOf:         "Sitzung von %s beenden",
		EndAll:        "Alle Sitzungen beenden",
		EndAllMeans:   "Meldet Sie überall ab, auch in diesem Browser. Was Sie Anwendungen erlaubt haben, bleibt bestehen.",
	}
}
