# What every message is put together from, around the text of its template. The attribute `sms`
# is what a text message says instead. No character here is outside GSM 03.38: it would more than
# double the price of a text message.

# Where no template has a subject.
subject = About your account
subject-to-pass-on = Please pass on a message

greeting = Dear customer,

# What is owed, a line for each account.
overdue =
    Account { $account }: { $amount } is overdue. The oldest part was due on { $date }{ $days ->
        [0] .
        [one] { " " }(1 day past due).
       *[other] { " " }({ $days } days past due).
    }
    .sms =
        Account { $account }: { $amount } overdue, the oldest part due { $date }{ $days ->
            [0] .
            [one] { " " }(1 day late).
           *[other] { " " }({ $days } days late).
        }
coming = Account { $account }: { $amount } is due on { $date }.
    .sms = Account { $account }: { $amount } due { $date }.
# An account of which nothing but that is said.
nothing = Account { $account }.
amount = { $currency } { $number }

# What happens next.
next-stage = If it is still unpaid on { $date }, the following applies from that day. { $restrictions }
    .sms = If still unpaid on { $date }: { $restrictions }
next-notice = This is the notice of what follows. It applies from { $date } at the earliest, if what is overdue is still unpaid then. { $restrictions }
    .sms = Notice: from { $date } at the earliest, if still unpaid: { $restrictions }
next-rules = Account { $account }: the change applies from { $date }.

# An outage.
late =
    This message is late. It should have been sent on { $date }, but our system was out of service.
stands-for = { $count ->
    [one] It takes the place of one earlier message.
   *[other] It takes the place of { $count } earlier messages.
}

# What every message ends with.
pay = How to pay: { $how }
    .sms = Pay: { $how }
pay-plain = You can pay in the ways that your contract names.
    .sms = Pay as your contract says.
help = For help, or to appeal: { $how }
    .sms = Help, appeal: { $how }
help-plain = If you cannot pay, or if you think that we are wrong, please tell us: you can ask for help, and you can appeal.
    .sms = Can't pay, or are we wrong? Tell us: you can get help or appeal.
call-back = You can reach us here: { $how }
    .sms = Reach us: { $how }
rules = The rules that we follow: { $address }
    .sms = Rules: { $address }
opt-out = To get no more messages like this one, reply STOP.
    .sms = Reply STOP to opt out.
opt-out-at = To get no more messages like this one: { $how }
    .sms = Opt out: { $how }
refuse = If you do not want to be contacted about this, tell us, and we stop.
reference = Reference { $reference }. With it you can ask us whether this message is ours.
    .sms = Ref. { $reference }

# A code for the pages.
subject-sign-in = Your sign-in code
sign-in = Your code is { $code }. It works for { $minutes } minutes, in the browser that asked for it. Nobody of us ever asks you for it. If you did not ask for it, do nothing.
    .sms = Code { $code }, valid { $minutes } min. We never ask you for it. Not you? Do nothing.
