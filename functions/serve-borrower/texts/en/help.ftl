# Help.
help-title = Help
help-pay = How to pay
help-pay-plain = Pay in the ways that your contract names: an auto-debit, a transfer, or at a branch. Name your account number.
help-call = Whom to call
help-call-plain = Call the number on your contract.
help-hardship = If you cannot pay
help-hardship-text = Many people fall behind once. The earlier you tell us, the more can be done.
help-hardship-early = Tell us before the due date if you can; afterwards is better than never.
help-hardship-tell = Say what has changed, for how long it may last, and how much you can pay each month.
help-hardship-debts = Pay rent, power, food and health first. A debt adviser who takes no fee can help you with several debts.
help-credit = How credit works
help-late = What being late costs
help-late-text = An installment is late from the day after its due date. After the days of grace, a fee is charged on the overdue amount for each night, as your rules say. The page of your account shows the fee to the cent.
help-order = What a payment settles
help-order-text = A payment settles what has been due longest, in the order that your rules name. A part of the amount helps too: the fee is charged on less.
help-cure = How a restriction ends
help-cure-text = A restriction ends with the payment that clears what is overdue. No application is needed, and no fee is charged for it.
help-record = What others learn
help-record-text = Some late payments are reported to a credit bureau, where the law allows it and after we have told you.
help-genuine = Is a message from us?
help-genuine-text = Each message of ours ends with a reference, which you can check here:

# Agencies.
agencies-title = Who acts for us
agencies-none = No agency and no collector is registered to act for us.
agencies-doubt = If somebody calls or visits you in our name, pay nothing to them and tell us.

# The budget sheet.
budget-title = What is left of your month
budget-intro = Fill in what comes in and what goes out in a month. An empty field counts as nothing.
budget-income = Income of the household
budget-rent = Rent, power, water
budget-food = Food and everyday things
budget-health = Health and insurance
budget-family = Children, parents, school, transport
budget-debts = Instalments of all loans
budget-fault = Write an amount in figures, such as 250.00; leave the field empty for nothing.
budget-button = Work it out
budget-left = { $amount } is left of the month.
budget-left-text = You can pay instalments of at most that much. Keep some of it for what you do not expect.
budget-lacking = { $amount } is lacking in the month.
budget-lacking-text = You cannot pay all of this. Tell us early, and ask for help with all of your debts.
budget-privacy = We do not store what you enter here, and nobody of us sees it.
