subject = Before draw-downs are stopped
text = { $accounts ->
    [one] A payment of yours is still open. If it stays open, you cannot draw any more money. Everything is lifted as soon as your money arrives, and that costs nothing.
   *[other] Payments of yours are still open. If they stay open, you cannot draw any more money. Everything is lifted as soon as your money arrives, and that costs nothing.
}
sms = If what is overdue stays unpaid, you cannot draw any more money. That is lifted as soon as you pay.
