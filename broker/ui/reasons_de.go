//nolint:dupl // the same table in another language
package ui

// What more than one German explanation says to do.
const (
	tellApplicationDE   = "Gehen Sie zurück zur Anwendung und beginnen Sie von vorn. Geschieht es wieder, melden Sie es den Betreibern der Anwendung mit den Angaben unten."
	tellAdministratorDE = "Senden Sie der Administration dieser Website die Angaben unten. Ein neuer Versuch hilft erst, wenn die Einstellungen korrigiert sind."
	startAgainDE        = "Beginnen Sie von vorn, bei der Anwendung oder Seite, die Sie öffnen wollten."
	waitAndRetryDE      = "Warten Sie eine Minute und versuchen Sie es dann erneut. Bleibt es dabei, melden Sie es der Administration dieser Website mit den Angaben unten."
	providerBrokenDE    = "Versuchen Sie es erneut. Geschieht es wieder, melden Sie es der Administration dieser Website mit den Angaben unten."
	tryOtherDE          = "Versuchen Sie es mit einem anderen Konto. Ist dies das richtige, bitten Sie die Administration dieser Website um Zugang und nennen Sie die Angaben unten."
)

func germanReasons() map[string]explanation {
	return map[string]explanation{
		// The request that an application sent.

		"invalid_request": {
			"Dieser Anmelde-Link ist unvollständig",
			"Die Anwendung hat Sie mit einer Anfrage hierher geschickt, die nicht zu verstehen ist.",
			tellApplicationDE,
		},
		"invalid_client": {
			"Wir kennen diese Anwendung nicht",
			"Die Anwendung, die Sie hierher geschickt hat, ist bei uns nicht oder nicht mehr registriert. Zu Ihrem Schutz melden wir Sie dort nicht an.",
			tellApplicationDE,
		},
		"unauthorized_client": {
			"Diese Anwendung darf Sie so nicht anmelden",
			"Die Anwendung ist hier bekannt, hat aber eine Art der Anmeldung verlangt, für die sie nicht registriert ist.",
			tellApplicationDE,
		},
		"invalid_redirect_uri": {
			"Die Rücksprungadresse ist nicht registriert",
			"Die Anwendung wollte Sie an eine Adresse schicken lassen, die nicht auf ihrer Liste steht. Zu Ihrem Schutz schicken wir Sie nicht dorthin.",
			tellApplicationDE,
		},
		"invalid_scope": {
			"Die Anwendung hat zu viel verlangt",
			"Sie hat Daten oder Berechtigungen verlangt, die sie nicht verlangen darf.",
			tellApplicationDE,
		},
		"unsupported_response_type": {
			"Die Anwendung meldet auf eine Art an, die es hier nicht gibt",
			"Sie hat eine Antwort in einer Form verlangt, die wir nicht geben, weil sie unsicher oder unbekannt ist.",
			tellApplicationDE,
		},
		"invalid_request_uri": {
			"Dieser Anmelde-Link ist abgelaufen",
			"Die Anwendung hat diese Anmeldung im Voraus vorbereitet. Der Link gilt einmal und nur kurze Zeit.",
			tellApplicationDE,
		},
		"invalid_request_object": {
			"Die Anfrage der Anwendung war nicht zu überprüfen",
			"Ihre Signatur fehlt, ist falsch oder zu alt.",
			tellApplicationDE,
		},
		"unknown_connection": {
			"Diese Art der Anmeldung gibt es nicht",
			"Der Link verlangt einen Identitätsanbieter, der hier nicht eingerichtet oder abgeschaltet ist.",
			tellApplicationDE,
		},
		"invalid_id_token_hint": {
			"Die Abmeldung war nicht zu überprüfen",
			"Die Anwendung hat nicht nachgewiesen, wen sie abmelden will. Sie sind vielleicht noch angemeldet.",
			tellApplicationDE,
		},
		"invalid_post_logout_redirect_uri": {
			"Die Rücksprungadresse ist nicht registriert",
			"Die Anwendung wollte Sie nach dem Abmelden an eine Adresse schicken lassen, die nicht auf ihrer Liste steht. Zu Ihrem Schutz schicken wir Sie nicht dorthin.",
			tellApplicationDE,
		},
		"method_not_allowed": {
			"So lässt sich diese Seite nicht benutzen",
			"Die Adresse stimmt, wurde aber mit einer Methode aufgerufen, die sie nicht annimmt.",
			tellApplicationDE,
		},

		// Between the visitor's browser and us.

		"access_denied": {
			"Der Zugriff wurde nicht erlaubt",
			"Die Anmeldung wurde abgebrochen. Die Anwendung hat deshalb keine Daten erhalten.",
			"Wenn Sie das nicht wollten, beginnen Sie von vorn und wählen Sie „Zugriff erlauben“.",
		},
		"stale_sign_in": {
			"Diese Anmeldung hat zu lange gedauert",
			"Sie wurde vor mehr als ein paar Minuten oder in einem anderen Browser begonnen. Mit Ihrem Konto ist alles in Ordnung.",
			startAgainDE,
		},
		"replayed_callback": {
			"Diese Anmeldung ist schon abgeschlossen",
			"Die geöffnete Seite lässt sich nur einmal verwenden. Das geschieht, wenn man im Browser zurückgeht oder eine Seite neu lädt.",
			startAgainDE + " Wenn Sie schon angemeldet sind, öffnet sie sich sofort.",
		},
		"cookies_missing": {
			"Ihr Browser behält keine Cookies",
			"Die Anmeldung braucht für einige Minuten ein Cookie, damit niemand sonst sie an Ihrer Stelle abschließen kann.",
			"Erlauben Sie Cookies für diese Website in den Einstellungen Ihres Browsers, oder verlassen Sie den privaten Modus. Beginnen Sie dann von vorn.",
		},
		"loop_detected": {
			"Die Anmeldung dreht sich im Kreis",
			"Sie wurden mehrmals hintereinander an den Anfang zurückgeschickt, deshalb haben wir angehalten. Meist behält der Browser unser Cookie nicht, oder ein altes ist im Weg.",
			"Erlauben Sie Cookies für diese Website, löschen Sie die vorhandenen, und beginnen Sie von vorn. Hilft das nicht, senden Sie der Administration dieser Website die Angaben unten.",
		},
		"forged_form": {
			"Wir konnten Ihre Eingabe nicht annehmen",
			"Sie kam nicht von der Seite, die wir Ihnen gezeigt haben, oder diese Seite war zu alt. Es wurde nichts geändert.",
			"Gehen Sie zurück, laden Sie die Seite neu und senden Sie noch einmal. Hat Sie ein Link auf einer anderen Website hierher geführt, trauen Sie ihr nicht.",
		},
		"not_found": {
			"Hier gibt es nichts",
			"Die Adresse stimmt nicht, oder was dort war, gibt es nicht mehr. Es wurde nichts geändert.",
			"Gehen Sie zurück und laden Sie jene Seite neu.",
		},
		"sign_in_required": {
			"Bitte melden Sie sich an",
			"Diese Seite ist nur für angemeldete Personen. Was Sie senden wollten, wurde nicht aufbewahrt.",
			"Melden Sie sich an und wiederholen Sie dann, was Sie getan haben.",
		},
		"session_ended": {
			"Ihre Sitzung ist beendet",
			"Sie waren lange nicht aktiv oder haben sich an anderer Stelle abgemeldet.",
			"Melden Sie sich erneut an.",
		},
		"header_too_large": {
			"Ihr Browser hat zu viel auf einmal gesendet",
			"Die Cookies oder die Adresse waren länger, als wir annehmen.",
			"Löschen Sie in Ihrem Browser die Cookies dieser Website und beginnen Sie dann von vorn.",
		},
		"rate_limited": {
			"Zu viele Versuche",
			"Aus Ihrem Netz kamen mehr Anfragen, als wir in kurzer Zeit annehmen.",
			"Warten Sie eine Minute und versuchen Sie es dann erneut.",
		},
		"consent_required": {
			"Ihre Zustimmung ist nötig",
			"Die Anwendung hat Daten verlangt, deren Weitergabe Sie noch nicht zugestimmt haben.",
			startAgainDE,
		},

		// Settings, rules and faults on this side.

		"no_connections": {
			"Kein Identitätsanbieter eingerichtet",
			"Es gibt hier keine Art der Anmeldung, die Sie verwenden könnten.",
			tellAdministratorDE,
		},
		"not_allowed": {
			"Sie haben hierauf keinen Zugriff",
			"Sie sind angemeldet, aber diesem Konto fehlen die nötigen Rechte.",
			"Verwenden Sie ein anderes Konto, wenn Sie eines haben, oder bitten Sie die Administration dieser Website um Zugang.",
		},
		"attribute_missing": {
			"Ihrem Konto fehlt etwas Nötiges",
			"Der Identitätsanbieter hat uns eine Angabe über Sie nicht mitgeteilt, die hier erforderlich ist.",
			tellAdministratorDE,
		},
		"unmet_authentication_requirements": {
			"Eine stärkere Anmeldung ist nötig",
			"Die Anwendung braucht einen besseren Nachweis, dass Sie es sind, etwa einen zweiten Faktor. Sie haben sich ohne ihn angemeldet.",
			"Beginnen Sie von vorn und verwenden Sie den zweiten Faktor. Haben Sie keinen, wenden Sie sich an die Administration dieser Website.",
		},
		"script_failed": {
			"Ihre Anmeldung konnte nicht abgeschlossen werden",
			"Ein Schritt, den diese Website nach der Anmeldung ausführt, ist fehlgeschlagen.",
			tellAdministratorDE,
		},
		"wrong_host": {
			"Dies ist nicht die Adresse für die Anmeldung",
			"Die Anmeldung funktioniert nur unter der einen Adresse, für die sie eingerichtet ist.",
			"Beginnen Sie von vorn, bei der Anwendung, die Sie öffnen wollten. Führt das wieder hierher, senden Sie der Administration dieser Website die Angaben unten.",
		},
		"store_unavailable": {
			"Die Anmeldung ist zurzeit nicht möglich",
			"Der Speicher für unsere Sitzungen antwortet nicht. Mit Ihrem Konto ist alles in Ordnung.",
			waitAndRetryDE,
		},
		"server_error": {
			"Bei uns ist etwas schiefgegangen",
			"Die Anmeldung wurde wegen eines unerwarteten Fehlers angehalten. Mit Ihrem Konto ist alles in Ordnung.",
			waitAndRetryDE,
		},

		// The identity provider; see package provider.

		"upstream_unreachable": {
			"Der Identitätsanbieter antwortet nicht",
			"Wir konnten den Dienst nicht erreichen, bei dem Sie sich anmelden. Mit Ihrem Konto ist alles in Ordnung.",
			waitAndRetryDE,
		},
		"upstream_rate_limited": {
			"Der Identitätsanbieter ist überlastet",
			"Der Dienst, bei dem Sie sich anmelden, erhält zurzeit mehr Anfragen, als er annimmt.",
			waitAndRetryDE,
		},
		"upstream_error": {
			"Der Identitätsanbieter hat einen Fehler gemeldet",
			"Der Dienst, bei dem Sie sich anmelden, konnte die Anmeldung nicht abschließen. Es wurden keine Daten weitergegeben.",
			providerBrokenDE,
		},
		"upstream_misconfigured": {
			"Die Anmeldung ist falsch eingerichtet",
			"Die Einstellungen hier und die beim Identitätsanbieter passen nicht zusammen.",
			tellAdministratorDE,
		},
		"client_secret_rejected": {
			"Die Anmeldung ist falsch eingerichtet",
			"Der Identitätsanbieter erkennt diese Website nicht mehr an. Mit Ihrem Konto ist alles in Ordnung.",
			tellAdministratorDE,
		},
		"code_rejected": {
			"Der Identitätsanbieter hat die Anmeldung nicht bestätigt",
			"Seine Bestätigung war abgelaufen oder schon verwendet. Das geschieht bei einer langsamen Verbindung, beim Neuladen oder beim Zurückgehen.",
			startAgainDE,
		},
		"upstream_denied": {
			"Ihr Identitätsanbieter hat die Anmeldung abgelehnt",
			"Sie haben dort abgebrochen, oder Ihr Konto darf hierfür nicht verwendet werden.",
			tryOtherDE,
		},
		"user_blocked": {
			"Ihr Konto ist gesperrt",
			"Der Identitätsanbieter lässt dieses Konto nicht zur Anmeldung zu.",
			"Wenden Sie sich an Ihre Administration und senden Sie ihr die Angaben unten.",
		},
		"interaction_required": {
			"Der Identitätsanbieter hat eine Frage an Sie",
			"Er konnte Sie nicht im Hintergrund anmelden, weil nur Sie seine Frage beantworten können.",
			"Beginnen Sie von vorn und beantworten Sie, was der Identitätsanbieter fragt.",
		},
		"organization_mismatch": {
			"Dieses Konto gehört zu einer anderen Organisation",
			"Hier können sich nur Mitglieder bestimmter Organisationen anmelden. Sie haben sich als Mitglied einer anderen angemeldet.",
			tryOtherDE,
		},
		"reauthentication_missing": {
			"Sie wurden nicht erneut nach Ihrer Anmeldung gefragt",
			"Die Anwendung verlangt eine neue Anmeldung, aber der Identitätsanbieter hat eine frühere verwendet.",
			"Melden Sie sich beim Identitätsanbieter ab und beginnen Sie dann von vorn.",
		},
		"id_token_missing": {
			"Der Identitätsanbieter hat nicht mitgeteilt, wer Sie sind",
			"In seiner Antwort fehlt der Nachweis, wer sich angemeldet hat. Deshalb konnten wir nicht fortfahren.",
			providerBrokenDE,
		},
		"id_token_invalid": {
			"Die Antwort des Identitätsanbieters war nicht zu überprüfen",
			"Wir konnten nicht sicherstellen, dass die Antwort echt und für uns bestimmt ist. Zu Ihrem Schutz haben wir sie nicht verwendet.",
			providerBrokenDE,
		},
		"clock_skew": {
			"Die Uhren stimmen nicht überein",
			"Die Zeit hier und die beim Identitätsanbieter liegen so weit auseinander, dass wir seiner Antwort nicht vertrauen können.",
			tellAdministratorDE,
		},
		"userinfo_failed": {
			"Ihr Profil konnte nicht gelesen werden",
			"Sie haben sich angemeldet, aber der Identitätsanbieter hat die hier nötigen Angaben nicht herausgegeben.",
			providerBrokenDE,
		},
		"userinfo_subject_mismatch": {
			"Die Antworten des Identitätsanbieters widersprechen sich",
			"Bei der Anmeldung hat er eine andere Person genannt als im Profil. Zu Ihrem Schutz haben wir keine von beiden verwendet.",
			providerBrokenDE,
		},
		"callback_malformed": {
			"Wir verstehen die Antwort des Identitätsanbieters nicht",
			"Sie hat die Anmeldung weder bestätigt noch abgelehnt.",
			providerBrokenDE,
		},
		"issuer_mismatch": {
			"Die Antwort kam von jemand anderem",
			"Sie sollten sich bei einem Identitätsanbieter anmelden, und die Antwort nennt einen anderen. Zu Ihrem Schutz haben wir sie nicht verwendet.",
			startAgainDE,
		},
	}
}
