subject = Please pass on a message
text = Somebody who has named you as a contact cannot be reached. Please ask them to get in touch with us. You are asked for nothing else, and nothing here concerns you.
sms = Somebody who has named you as a contact cannot be reached. Please ask them to get in touch with us.
