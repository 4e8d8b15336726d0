subject = Please pass on a message
text = Somebody who has named you as a contact cannot be reached. Please ask them to get in touch with us. This is not about you, and you need to do nothing else.
sms = Somebody who has named you as a contact cannot be reached. Please ask them to get in touch with us.
