subject = { $accounts ->
    [one] A payment has not reached us
   *[other] Payments have not reached us
}
text = { $accounts ->
    [one] A payment of yours has not reached us. It may be on its way; if you have forgotten it, please pay now.
   *[other] Payments of yours have not reached us. They may be on their way; if you have forgotten them, please pay now.
}
sms = { $accounts ->
    [one] A payment of yours has not reached us.
   *[other] Payments of yours have not reached us.
}
