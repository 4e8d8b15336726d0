subject = { $accounts ->
    [one] A payment is late
   *[other] Payments are late
}
text = { $accounts ->
    [one] A payment of yours is late. Please pay it, or tell us what keeps you from it.
   *[other] Payments of yours are late. Please pay them, or tell us what keeps you from it.
}
# The line of the account says it all.
sms = { "" }
