# 每条消息在模板正文之外的组成部分。属性 sms 是短信的说法。

# 模板没有主题时使用。
subject = 关于您的账户
subject-to-pass-on = 请帮忙转告

greeting = 尊敬的客户，您好：

# 欠款，每个账户一行。
overdue = 账户{ $account }：逾期{ $amount }，其中最早的一笔应于{ $date }还款{ $days ->
        [0] 。
       *[other] ，已逾期{ $days }天。
    }
    .sms = 账户{ $account }：逾期{ $amount }，最早应于{ $date }还款{ $days ->
            [0] 。
           *[other] （逾期{ $days }天）。
        }
coming = 账户{ $account }：应于{ $date }还款{ $amount }。
# 除账户外没有别的内容。
nothing = 账户{ $account }。
amount = { $currency ->
    [CNY] 人民币{ $number }元
   *[other] { $number } { $currency }
}

# 接下来会发生什么。
next-stage = 如到{ $date }仍未还清，自当日起适用以下措施：{ $restrictions }
    .sms = 如到{ $date }仍未还清：{ $restrictions }
next-notice = 特此通知：届时逾期款项仍未还清的，最早自{ $date }起适用以下措施：{ $restrictions }
    .sms = 通知：届时仍未还清的，最早自{ $date }起：{ $restrictions }
next-rules = 账户{ $account }：变更自{ $date }起适用。

# 系统中断。
late = 本消息原应于{ $date }发出，因系统一段时间无法使用而延迟。
stands-for = 本消息同时代替此前的{ $count }条消息。

# 每条消息的结尾。
pay = 还款方式：{ $how }
    .sms = 还款：{ $how }
pay-plain = 您可以按合同约定的方式还款。
    .sms = 请按合同约定的方式还款。
help = 需要帮助或提出异议：{ $how }
    .sms = 求助或异议：{ $how }
help-plain = 如果您暂时无力还款，或者认为我们弄错了，请告诉我们：您可以申请帮助，也可以提出异议。
    .sms = 无力还款或有异议，请联系我们。
call-back = 联系我们：{ $how }
rules = 我们遵循的规则：{ $address }
    .sms = 规则：{ $address }
opt-out = 如不想再收到此类消息，请回复“退订”。
    .sms = 拒收请回复R
opt-out-at = 如不想再收到此类消息：{ $how }
    .sms = 退订：{ $how }
refuse = 如果您不希望我们就此事与您联系，请告诉我们，我们将不再联系您。
reference = 编号{ $reference }。您可凭编号向我们核实本消息的真伪。
    .sms = 核实编号{ $reference }

# 登录页面的验证码。
subject-sign-in = 您的登录验证码
sign-in = 您的验证码是{ $code }，{ $minutes }分钟内在申请它的浏览器中有效。我们的任何人员都不会向您索要。如非您本人申请，请忽略。
    .sms = 验证码{ $code }，{ $minutes }分钟内有效。我们不会向您索要。非本人申请请忽略。
