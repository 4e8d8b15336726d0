subject = Before we report to a credit bureau
text = { $accounts ->
    [one] A payment of yours is late. If it stays unpaid, we report it to a credit bureau, where other lenders can see it. If it is not right, tell us before.
   *[other] Payments of yours are late. If they stay unpaid, we report them to a credit bureau, where other lenders can see them. If they are not right, tell us before.
}
sms = If what is overdue stays unpaid, we report it to a credit bureau. If it is not right, tell us before.
