subject = New rules for late payments
text = Our rules for late payments change. You find below from when on they apply to you, and where you can read them.
sms = Our rules for late payments change.
