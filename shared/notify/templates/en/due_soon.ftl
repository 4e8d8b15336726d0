subject = { $accounts ->
    [one] A payment is due soon
   *[other] Payments are due soon
}
text = { $accounts ->
    [one] A payment of yours is due soon. If you have paid already, you need to do nothing.
   *[other] Payments of yours are due soon. If you have paid already, you need to do nothing.
}
# The line of the account says it all.
sms = { "" }
