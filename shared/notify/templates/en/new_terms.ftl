subject = New terms for late payments
text = Our terms for late payments change. You find below from when on they apply to you, and where you can read them.
sms = Our terms for late payments change.
