subject = Default notice
text = { $accounts ->
    [one] You have not kept to the agreement for your account: a payment is overdue. You can put that right by paying what is overdue. You find below what happens if you do not.
   *[other] You have not kept to the agreements for your accounts: payments are overdue. You can put that right by paying what is overdue. You find below what happens if you do not.
}
sms = You have not kept to your agreement: what is overdue must be paid.
