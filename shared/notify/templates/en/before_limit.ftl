subject = Before your credit limit is cut
text = { $accounts ->
    [one] A payment of yours is still open. If it stays open, your credit limit is cut. Everything is lifted as soon as your money arrives, and that costs nothing.
   *[other] Payments of yours are still open. If they stay open, your credit limits are cut. Everything is lifted as soon as your money arrives, and that costs nothing.
}
sms = If what is overdue stays unpaid, your credit limit is cut. It is lifted as soon as you pay.
