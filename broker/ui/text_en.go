package ui

func english() *catalogue {
	return &catalogue{
		Lang:       "en",
		TimeLayout: "2 Jan 2006, 15:04:05 UTC",

		Days:    counted{"1 day", "%d days"},
		Hours:   counted{"1 hour", "%d hours"},
		Minutes: counted{"1 minute", "%d minutes"},

		DefaultTitle:  "Sign in",
		UnnamedClient: "An application without a name",

		ChooserTitle:    "Choose how to sign in",
		ChooserTitleFor: "Sign in to %s",
		ChooserHeading:  "Choose how to sign in",
		ChooserFor:      "to continue to",
		FoundHeading:    "This is where you sign in",
		ChooseAnother:   "Choose another way to sign in",
		EmailLabel:      "Your e-mail address",
		EmailContinue:   "Continue",
		EmailUnknown:    "This address does not tell us where you sign in. Check it for mistakes, or choose one of the ways below.",
		EmailOr:         "or",
		ConnectionDown:  "Not answering at the moment",
		Unavailable:     "%s did not answer. Choose another way to sign in, or try it again in a minute.",
		RememberOn:      "Remember my choice",
		Remembering:     "Your choice will be remembered.",
		RememberOff:     "Ask me every time instead",
		Unverified:      "This application registered itself. Nobody has checked its name or logo, so go on only if you trust the address it returns you to.",

		ConsentTitle:   "Share your data with %s?",
		ConsentHeading: "This application would like access to",
		ChooseLegend:   "Choose what to share",
		ClaimsLegend:   "Individual details",
		SharedHeading:  "Already shared",
		FixedMark:      "Required",
		FixedOpenID:    "Needed to sign you in.",
		FixedRequired:  "The application does not work without it.",
		PurposeIntro:   "What the application says it needs this for:",
		SignedInAs:     "Signed in as",
		ReturnsTo:      "Returns you to",
		Lasts:          "Access lasts",
		UntilWithdrawn: "until you withdraw it",
		Policy:         "Privacy policy",
		Terms:          "Terms of service",
		Allow:          "Allow access",
		Cancel:         "Cancel",

		WhatToDo:     "What to do",
		TryAgain:     "Try again",
		BackToClient: "Back to the application",
		OtherAccount: "Try another account",
		SignOutThere: "Sign out of your identity provider",
		ErrorCode:    "Error code",
		ErrorTime:    "Time",
		ErrorTrace:   "Reference",
		Turns: [turnCount]string{
			turnVisitor:       "Your turn",
			turnApplication:   "The application's turn",
			turnProvider:      "The identity provider's turn",
			turnAdministrator: "The administrator's turn",
		},

		LogoutTitle:    "Sign out",
		LogoutHeading:  "Do you want to sign out?",
		LogoutText:     "This ends your session here and in the applications you opened with it. If you did not ask for this, just close the page.",
		LogoutConfirm:  "Sign out",
		SignedOutTitle: "Signed out",
		SignedOutText:  "You are signed out",
		CloseWindow:    "You can close this page. On a shared computer, close the browser as well.",
		Continue:       "Continue",

		Portal: englishPortal(),
		Demo:   englishDemo(),

		Reasons: englishReasons(),
	}
}
