subject = { $accounts ->
    [one] A payment is due tomorrow
   *[other] Payments are due tomorrow
}
text = { $accounts ->
    [one] A payment of yours is due tomorrow. If you have paid already, you need to do nothing.
   *[other] Payments of yours are due tomorrow. If you have paid already, you need to do nothing.
}
# The line of the account says it all.
sms = { "" }
