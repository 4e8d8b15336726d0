subject = Your credit limit is cut
text = Because a payment is still open, your credit limit is cut. That is lifted as soon as your money arrives, and costs nothing.
sms = Your credit limit is cut. That is lifted as soon as you pay.
