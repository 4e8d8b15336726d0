subject = { $accounts ->
    [one] A payment is due today
   *[other] Payments are due today
}
text = { $accounts ->
    [one] A payment of yours is due today. If you have paid already, you need to do nothing.
   *[other] Payments of yours are due today. If you have paid already, you need to do nothing.
}
# The line of the account says it all.
sms = { "" }
