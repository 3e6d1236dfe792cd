package ui

// The authentication methods of RFC 8176, in words that follow "Signed in by".

func englishMethods() map[string]string {
	return map[string]string{
		"face":   "face recognition",
		"fpt":    "fingerprint",
		"geo":    "location",
		"hwk":    "security key",
		"iris":   "iris scan",
		"kba":    "security questions",
		"mca":    "more than one channel",
		"mfa":    "more than one factor",
		"otp":    "one-time code",
		"pin":    "PIN or pattern",
		"pop":    "proof of a key",
		"pwd":    "password",
		"rba":    "risk assessment",
		"retina": "retina scan",
		"sc":     "smart card",
		"sms":    "text message",
		"swk":    "key on the device",
		"tel":    "phone call",
		"user":   "confirmation on the device",
		"vbm":    "voice recognition",
		"wia":    "Windows sign-in",
	}
}

func germanMethods() map[string]string {
	return map[string]string{
		"face":   "Gesichtserkennung",
		"fpt":    "Fingerabdruck",
		"geo":    "Standort",
		"hwk":    "Sicherheitsschlüssel",
		"iris":   "Iris-Scan",
		"kba":    "Sicherheitsfragen",
		"mca":    "mehreren Übertragungswegen",
		"mfa":    "mehreren Faktoren",
		"otp":    "Einmalcode",
		"pin":    "PIN oder Muster",
		"pop":    "Nachweis eines Schlüssels",
		"pwd":    "Passwort",
		"rba":    "Risikobewertung",
		"retina": "Netzhaut-Scan",
		"sc":     "Chipkarte",
		"sms":    "SMS",
		"swk":    "Schlüssel auf dem Gerät",
		"tel":    "Anruf",
		"user":   "Bestätigung am Gerät",
		"vbm":    "Stimmerkennung",
		"wia":    "Windows-Anmeldung",
	}
}
