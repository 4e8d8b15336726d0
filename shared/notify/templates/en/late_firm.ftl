subject = { $accounts ->
    [one] A payment is still open
   *[other] Payments are still open
}
text = { $accounts ->
    [one] A payment of yours is still open. Please pay it now. If you cannot, get in touch with us before it costs you more.
   *[other] Payments of yours are still open. Please pay them now. If you cannot, get in touch with us before it costs you more.
}
sms = { $accounts ->
    [one] A payment of yours is still open. Please pay it now.
   *[other] Payments of yours are still open. Please pay them now.
}
