subject = Your account is suspended
text = Because a payment is still open, your account is suspended. You can pay at any time. That is lifted as soon as your money arrives, and costs nothing.
sms = Your account is suspended. You can pay at any time, and that lifts it.
