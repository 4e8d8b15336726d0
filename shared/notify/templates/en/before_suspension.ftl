subject = Before your account is suspended
text = { $accounts ->
    [one] A payment of yours is still open. If it stays open, your account is suspended. You can pay at any time, and everything is lifted as soon as your money arrives; that costs nothing.
   *[other] Payments of yours are still open. If they stay open, your accounts are suspended. You can pay at any time, and everything is lifted as soon as your money arrives; that costs nothing.
}
sms = If what is overdue stays unpaid, your account is suspended. That is lifted as soon as you pay.
