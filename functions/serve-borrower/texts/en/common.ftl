# What every page says.
site-name = Your credit account
skip = Skip to the content
navigation = Main
nav-accounts = My accounts
nav-verify = Is a message genuine?
nav-help = Help
nav-agencies = Who acts for us
sign-out = Sign out
footer-genuine = We never ask you for a password, a PIN or a code by phone or message.
amount = { $currency } { $number }
instant = { $date }, { $time }
channel = { $channel ->
    [sms] text message
    [email] e-mail
    [phone] phone
    [app] app
   *[letter] letter
}
account = Account
own-data = Your data as a file (JSON)

# Signing in.
sign-in-title = Sign in
sign-in-intro = Enter your account number. We send a code to the phone number or the e-mail address that we have for you.
sign-in-account = Account number
sign-in-account-hint = As on your contract
sign-in-account-fault = Enter the account number from your contract: letters, digits and - . _ : /, at most 128 of them.
sign-in-send = Send me a code
sign-in-new-number = A phone number or an address that we have known for less than three days gets no code yet.
sign-in-no-phone = No phone, or a number that we do not have? See how to reach us.
code-title = Enter the code
code-sent = If there is an account with this number, a code is on its way to the contact point that we have for it. The code works for 10 minutes, in this browser.
code-label = Code
code-hint = 8 digits
code-wrong = This code does not work: it is wrong, too old, or was used. Check the 8 digits, or ask for a new code.
code-button = Sign in
code-lasts = You stay signed in for { $minutes } minutes.
code-again = Ask for a new code
accounts-title = My accounts
accounts-none = There is no account to show.

# Faults.
to-first-page = To the first page
fault-reach = We cannot show this page right now
fault-reach-text = Our system does not answer. Please try again in a few minutes.
outage-harmless = Nobody is charged or restricted for the time of this outage. A payment that you make now counts from the day on which you make it.
fault-missing = There is no such page
fault-missing-text = Nothing of yours is at this address. Check the address, or begin at the first page.
fault-session = Please sign in
fault-session-text = You are not signed in, or your session is over. Sign in again to go on.
fault-form = This form cannot be sent
fault-form-text = The form is not from this page, or the page is too old. Nothing was changed. Open the page again and repeat.
fault-method = This does not work this way
fault-method-text = Open the page and use its form.
fault-large = This is too long
fault-large-text = A form takes at most 16 kilobytes. Shorten the text and send it again.
fault-kind = This is no form
fault-kind-text = We only take the forms of our pages. Send documents by the ways that the help names.

# Verifying a message.
verify-title = Is a message genuine?
verify-intro = Each of our messages ends with a reference. Enter it to learn whether we sent a message with it.
verify-label = Reference
verify-hint = 24 letters and digits; hyphens do not matter
verify-button = Check
verify-privacy = This page never says whom a message is about.
verify-genuine = Genuine: we sent a message with this reference. It is valid until { $date }.
verify-genuine-text = A copied reference can stand in a forged message. Pay only in the ways that your contract names, and never give anybody a code.
verify-expired = Expired: we sent a message with this reference. It was valid until { $date }.
verify-expired-text = Do not rely on an old message. Sign in to see how things stand today.
verify-not-ours = Not ours: we know no message with this reference.
verify-not-ours-text = Check each character. If it is right, do not answer the message, open no link in it and pay nothing. Call us at a number that you know.
