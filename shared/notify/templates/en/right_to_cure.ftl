subject = Your right to cure
text = { $accounts ->
    [one] A payment of yours is overdue. You have the right to put that right: pay what is overdue, and your account goes on as if it had been paid in time.
   *[other] Payments of yours are overdue. You have the right to put that right: pay what is overdue, and your accounts go on as if it had been paid in time.
}
sms = You have the right to put your arrears right: pay what is overdue, and your account goes on.
