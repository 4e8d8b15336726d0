subject = Your right to cure
text = { $accounts ->
    [one] A payment of yours is overdue. You have the right to put that right: pay what is overdue, and your account goes on as agreed.
   *[other] Payments of yours are overdue. You have the right to put that right: pay what is overdue, and your accounts go on as agreed.
}
sms = You have the right to put your arrears right: pay what is overdue, and your account goes on.
