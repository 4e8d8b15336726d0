subject = Draw-downs are stopped
text = Because a payment is still open, you cannot draw any more money. That is lifted as soon as your money arrives, and costs nothing.
sms = You cannot draw any more money. That is lifted as soon as you pay.
