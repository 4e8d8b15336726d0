subject = { $accounts ->
    [one] Help with a late payment
   *[other] Help with late payments
}
text = { $accounts ->
    [one] A payment of yours is late. If you are in difficulty, we would like to find a way with you: more time, a new plan, or a pause. Asking costs nothing.
   *[other] Payments of yours are late. If you are in difficulty, we would like to find a way with you: more time, a new plan, or a pause. Asking costs nothing.
}
sms = If you are in difficulty, tell us: more time, a new plan or a pause may be possible.
