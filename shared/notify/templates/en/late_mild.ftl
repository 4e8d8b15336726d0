subject = { $accounts ->
    [one] A payment is late
   *[other] Payments are late
}
text = { $accounts ->
    [one] A payment of yours is late. Perhaps you have overlooked it: please pay it when you can, or tell us what keeps you from it.
   *[other] Payments of yours are late. Perhaps you have overlooked them: please pay them when you can, or tell us what keeps you from it.
}
# The line of the account says it all.
sms = { "" }
