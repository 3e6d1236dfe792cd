package ui

// A catalogue holds our own words in one language. Templates contain none,
// so that another language is another value of this type: a translator copies
// text_de.go and reasons_de.go, and adds the result to languages.
//
// Words with %s or %d are formatted, the others stand as they are.
type catalogue struct {
	// Lang is the language of the page, a tag without region or script
	// (BCP 47): what lookup compares.
	Lang string
	// TimeLayout is how a time reads, in the form of package time, which
	// has names of months and days in English only.
	TimeLayout string

	Days    counted
	Hours   counted
	Minutes counted

	DefaultTitle  string
	UnnamedClient string

	ChooserTitle    string
	ChooserTitleFor string // %s: the application
	ChooserHeading  string
	ChooserFor      string
	FoundHeading    string
	ChooseAnother   string
	EmailLabel      string
	EmailContinue   string
	EmailUnknown    string
	EmailOr         string
	ConnectionDown  string
	Unavailable     string // %s: the connection
	RememberOn      string
	Remembering     string
	RememberOff     string
	Unverified      string

	ConsentTitle   string // %s: the application
	ConsentHeading string
	ChooseLegend   string
	ClaimsLegend   string
	SharedHeading  string
	FixedMark      string
	FixedOpenID    string
	FixedRequired  string
	PurposeIntro   string
	SignedInAs     string
	ReturnsTo      string
	Lasts          string
	UntilWithdrawn string
	WithdrawAt     string // a link
	Policy         string
	Terms          string
	Allow          string
	Cancel         string

	WhatToDo     string
	TryAgain     string
	BackToClient string
	OtherAccount string
	SignOutThere string
	ErrorCode    string
	ErrorTime    string
	ErrorTrace   string
	Turns        [turnCount]string

	LogoutTitle    string
	LogoutHeading  string
	LogoutText     string
	LogoutConfirm  string
	SignedOutTitle string
	SignedOutText  string
	CloseWindow    string
	Continue       string

	// Portal are the words of the portal.
	Portal portalText

	// Demo are the words of the demo application.
	Demo demoText

	// Reasons explains every row of the table of failures, by its key.
	Reasons map[string]explanation
	// Defaults translates the English texts that a broker has without
	// configuration: names and descriptions of scopes, and names of the
	// places in the context. What an operator writes is not in it, and
	// stands on the page as it was written.
	Defaults map[string]string
}

// An explanation is what the error page says about a reason. Each text
// stands on its own and none takes a parameter.
type explanation struct {
	What string // the heading: what failed
	Why  string // one or two sentences: what that means
	Do   string // what to do now
}

// turn returns the words for whose turn it is.
func (c *catalogue) turn(t turn) string { return c.Turns[t] }

// translate returns the text in the language if it is one of the defaults,
// else as it is.
func (c *catalogue) translate(text string) string {
	if t, ok := c.Defaults[text]; ok {
		return t
	}
	return text
}
