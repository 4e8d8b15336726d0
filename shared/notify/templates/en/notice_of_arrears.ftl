subject = Notice of arrears
text = { $accounts ->
    [one] This is to tell you how your account stands: it is in arrears. You find below what is overdue and since when.
   *[other] This is to tell you how your accounts stand: they are in arrears. You find below what is overdue and since when.
}
sms = This is to tell you of your arrears.
