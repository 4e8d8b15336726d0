# Where the account stands.
standing-not-opened = This account begins on { $date }; nothing is due yet.
standing-on-its-way = { $amount } is overdue{ $known ->
    [0] {""}
   *[other] {" "}since { $date }
}, and a payment is on its way.
standing-held = { $amount } is overdue{ $known ->
    [0] {""}
   *[other] {" "}since { $date }
}; nothing is restricted for now.
standing-paused = { $amount } is overdue{ $known ->
    [0] {""}
   *[other] {" "}since { $date }
}; a pause is agreed with you until { $until }.
standing-restricted = { $amount } is overdue{ $known ->
    [0] {""}
   *[other] {" "}since { $date }
}, and your account is restricted.
standing-overdue = { $amount } is overdue{ $known ->
    [0] {""}
   *[other] {" "}since { $date }
}; nothing is restricted yet.
standing-other = Nothing is overdue here; a restriction is in force all the same.
standing-due = Nothing is overdue. { $amount } is due on { $date }.
standing-nothing = Nothing is due.
standing-unknown = We are updating your account. Please look again in a few minutes.
to-pay = How to pay
to-act = Tell us something or object
to-help = Get help

# Why.
why = Why
why-rules = These are the rules { $policy }, version { $version }.
why-read = Read them in plain words
days = { $count ->
    [one] 1 day
   *[other] { $count } days
}
figure-past-due = Days past due
figure-delinquent = Of these, days that count
figure-material = Days of an amount that counts
figure-installments = Installments past due
figure-fee = Late fee in it
figure-outstanding = Owed in all, not due parts included
reason-delinquent = { $value } days count as late, at least { $threshold } for this step; grace and paused days are not counted.
reason-past-due = { $value } days past due, at least { $threshold } for this step.
reason-amount = { $value } is overdue, at least { $threshold } for this step.
reason-share = A share of { $value } of what is owed is overdue, at least { $threshold } for this step.
reason-installments = { $value } installments past due are unpaid, at least { $threshold } for this step.
reason-cause = { $value ->
    [temporary] The recorded cause is a passing difficulty.
    [long_term] The recorded cause is a lasting credit problem.
   *[unknown] The recorded cause is not known.
} This step asks for it.
reason-score = The recorded score is { $value }, at most { $threshold } for this step.
reason-deferred = { $by ->
    [notice] Restrictions wait for a notice, which has not been sent.
    [buffer] Restrictions wait, for this is a first and minor lapse.
    [temporary_cause] Restrictions wait, for the cause is temporary.
    [payment_in_process] Restrictions wait for a payment on its way.
    [dispute] Restrictions wait for the answer to your objection.
    [pause] Restrictions wait, for the days are paused.
   *[hold] New restrictions are on hold.
}
reason-deferred-until = { $by ->
    [notice] Restrictions wait for the time after a notice
    [buffer] Restrictions wait, for this is a first and minor lapse
    [temporary_cause] Restrictions wait, for the cause is temporary
    [payment_in_process] Restrictions wait for a payment on its way
    [dispute] Restrictions wait for the answer to your objection
    [pause] Restrictions wait, for the days are paused
   *[hold] New restrictions are on hold
}, until { $date }.
reason-customer = Your account { $value } has reached the step { $threshold }. What follows from that here ends when what is overdue there is paid.
reason-fee = A late fee of { $value } was open when the plan was replaced.
reason-nothing = No installment is overdue.
reason-held = What is overdue is on hold.
reason-small = What is overdue is too little to count.
reason-below = Something is overdue, but the conditions of no step are met.
reason-off = Measures are switched off for this account.

# What clears it, what comes next, what works.
clears = What clears it
clears-today = If you pay today
clears-tomorrow = If you pay tomorrow
clears-text = Once this amount arrives, every restriction of this account is lifted with it, and lifting costs nothing. The amount of tomorrow holds if nothing else changes.
next = What happens next
next-none = Nothing more happens by itself.
next-text = If nothing is paid:
next-free = the next step begins; nothing is restricted by it.
next-assessment = We look at this account again on { $instant }.
works = What still works
operation = { $name ->
    [repay] Paying us
    [draw] Drawing money
    [transfer] Transfers
    [pay_wages] Paying wages
    [receive] Receiving money
   *[other] { $name }
}
operation-works = works
operation-within = works while you use at most { $percent } % of your credit line
operation-blocked = does not work for now
as-of = As of { $instant }, revision { $revision }.

# The plan and the money.
plan = Your plan
plan-due = Due on
plan-state = State
plan-amount = Amount
plan-paid = Paid
plan-open = Open
plan-left = { $count ->
    [one] One more installment is in your data.
   *[other] { $count } more installments are in your data.
}
plan-calendar = Due dates for your calendar
calendar-due = Payment due: { $amount }
state-held = on hold
state-paid = paid
state-upcoming = not due yet
state-past-due = overdue
state-written-off = no longer asked for
state-replaced = replaced by a new plan
part-penalty = late fee
part-fee = fee
part-interest = interest
part-principal = principal
payments = Your payments
payments-none = No payment has arrived yet.
payments-received = Received
payments-id = Number
payments-credit = { $amount } is kept for you, and settles what falls due next.
payments-missing = A payment of yours is not here? It can take a working day. If it takes longer, object below and name its day and amount.
payments-out-of-reach = Payments on their way cannot be shown right now. The rest of this page is complete.
payment-received = counted in full
payment-partly = partly taken back
payment-reversed = taken back
payment-arriving = { $amount } arrived on { $instant } and is being posted.
payments-more = { $count ->
    [one] One more payment arrived and is being posted.
   *[other] { $count } more payments arrived and are being posted.
}
payment-under-way = A payment is on its way. We wait for it until { $date }.
payment-tried-again = A payment failed and is tried again on { $date }.
payment-failed = A payment failed.

# What you can do.
act = What you can do
act-promise = Promise a payment
act-reason = Tell us why it is late
act-dispute = Object to an amount or a date
act-preferences = Choose language and reminders
act-consent = Stop messages
form-faults = The form was not sent. Please mend the marked fields; all that you wrote is still there.
fault-amount = Write an amount above zero in figures, such as 250.00.
fault-day = Choose a day from today on, at most a year ahead.
fault-text = Write a few words.
fault-long = This is too long. Shorten it to about 300 characters.
fault-choice = Choose one of the list.
fault-days = Write up to 5 numbers from 0 to 31, such as 7, 1.
promises = Your promises
promise-line = { $amount } by { $date }:
promise-open = open
promise-kept = kept
promise-broken = not kept
promise-effect = While a promise is open, we remind you less. It does not move a due date, and a late fee goes on.
promise-no-effect = A promise is noted. Under these rules it changes neither reminders nor measures.
promise-amount = Amount
promise-amount-hint = In figures, such as 250.00
promise-by = Paid by
promise-by-hint = The last day on which you will pay
promise-button = Promise
done-promise = Your promise is recorded; see it below.
cause = Your reason
reason-effect = Your words are recorded with the account. They help us to find a way with you.
reason-label = Why is it late?
reason-hint = A few sentences; please name no illness of others
reason-button = Tell us
done-reason = Your reason is recorded; see it below.
done-reason-stands = Thank you. A reason that one of our people recorded with you still stands; your words did not replace it.
disputes = Your objections
dispute-open = we are looking into it
dispute-upheld = you were right
dispute-rejected = we found no fault
dispute-withdrawn = withdrawn
dispute-effect = While we look into it, no new restriction begins for some days.
dispute-no-effect = We look into it. Under these rules measures go on meanwhile.
dispute-label = What is wrong?
dispute-hint = Name the amount, the day or the payment
dispute-button = Object
done-dispute = Your objection is recorded; see it below.
preferences-language = Language of messages
preferences-days = Remind me so many days before a due date
preferences-days-hint = Up to 5 numbers from 0 to 31, such as 7, 1; empty: as the rules say
preferences-button = Save
done-preferences = Your choice is saved. It holds from the next reminder on.
feedback-score = How helpful is this page?
feedback-of-five = { $score ->
    [1] 1, not at all
    [5] 5, very much
   *[other] { $score }
}
feedback-words = In your words, if you like
feedback-button = Send
act-feedback = Say how this page is
done-feedback = Thank you. It is counted without your name; your words stay with your own data.
consent-effect = You will get no more reminders on the channel that you choose. Notices that the law asks for may still come by another one.
consent-label = Stop messages by
consent-all = all channels
consent-refused = You have stopped all messages.
consent-withdrawn = You have stopped messages by:
consent-button = Stop
done-consent = Done: we stop.

# The record.
decisions = What was decided
decisions-none = Nothing was ever decided against this account.
decisions-wrong = Is a decision wrong?
decision-same = the step changed, and no restriction
decision-applied = restricted
decision-lifted = restrictions lifted
decision-lifted-list = Lifted:
decision-rules = Decided by the rules { $policy }, version { $version }; number
messages = Messages
messages-none = We have sent you nothing about this account.
messages-more = Older messages are not shown here.
message-state = { $state ->
    [sent] sent
    [withdrawn] not sent, for its reason had passed
    [held] not sent, for a payment was being posted
    [suppressed] not sent, for you must not be disturbed
    [unrenderable] not sent, for a fault of ours
    [leaving] leaving now
   *[waiting] waiting for its time
}
message-kind = { $template ->
    [due_soon] Reminder before the due date
    [due_tomorrow] Reminder of the day before
    [due_today] Reminder of the due day
    [help_offered] Offer of help
    [before_limit] Notice before a lower limit
    [before_freeze] Notice before a stop of drawing
    [before_suspension] Notice before a suspension
    [before_credit_report] Notice before a report to a credit bureau
    [new_rules] Notice of new rules
    [new_terms] Notice of new terms
    [third_party] Request to a contact of yours to have you call us
   *[other] Message about a late payment
}
