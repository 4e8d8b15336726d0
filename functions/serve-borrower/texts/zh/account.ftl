# 账户现状。
standing-not-opened = 本账户自{ $date }起生效，目前没有应还款项。
standing-on-its-way = { $known ->
    [0] {""}
   *[other] 自{ $date }起，
}{ $amount }已逾期，一笔还款正在途中。
standing-held = { $known ->
    [0] {""}
   *[other] 自{ $date }起，
}{ $amount }已逾期，目前没有限制。
standing-paused = { $known ->
    [0] {""}
   *[other] 自{ $date }起，
}{ $amount }已逾期，与您约定的暂停期至{ $until }。
standing-restricted = { $known ->
    [0] {""}
   *[other] 自{ $date }起，
}{ $amount }已逾期，您的账户受到限制。
standing-overdue = { $known ->
    [0] {""}
   *[other] 自{ $date }起，
}{ $amount }已逾期，目前还没有限制。
standing-other = 本账户没有逾期，但有一项限制仍在生效。
standing-due = 没有逾期。下一笔应还{ $amount }，到期日{ $date }。
standing-nothing = 没有应还款项。
standing-unknown = 我们正在更新您的账户，请几分钟后再看。
to-pay = 如何还款
to-act = 告知或提出异议
to-help = 获得帮助

# 原因。
why = 原因
why-rules = 适用规则{ $policy }，第{ $version }版。
why-read = 用通俗文字阅读规则
days = { $count }天
figure-past-due = 逾期天数
figure-delinquent = 其中计入的天数
figure-material = 金额达到标准的天数
figure-installments = 逾期期数
figure-fee = 其中罚息
figure-outstanding = 全部欠款，含未到期部分
reason-delinquent = 计入的逾期天数为{ $value }天，本阶段要求至少{ $threshold }天；宽限期和暂停的天数不计。
reason-past-due = 逾期{ $value }天，本阶段要求至少{ $threshold }天。
reason-amount = 逾期金额为{ $value }，本阶段要求至少{ $threshold }。
reason-share = 逾期金额占欠款的{ $value }，本阶段要求至少{ $threshold }。
reason-installments = 有{ $value }期逾期未还，本阶段要求至少{ $threshold }期。
reason-cause = { $value ->
    [temporary] 登记的原因是暂时困难。
    [long_term] 登记的原因是长期信用问题。
   *[unknown] 登记的原因尚不清楚。
}这是本阶段的条件。
reason-score = 登记的评分为{ $value }，本阶段要求不高于{ $threshold }。
reason-deferred = { $by ->
    [notice] 限制须等通知发出，通知尚未发出。
    [buffer] 这是首次轻微逾期，暂不限制。
    [temporary_cause] 原因是暂时的，暂不限制。
    [payment_in_process] 有还款正在途中，暂不限制。
    [dispute] 您的异议正在核查，暂不限制。
    [pause] 天数已暂停计算，暂不限制。
   *[hold] 新的限制已暂停。
}
reason-deferred-until = { $by ->
    [notice] 通知发出后须等待期满，暂不限制
    [buffer] 这是首次轻微逾期，暂不限制
    [temporary_cause] 原因是暂时的，暂不限制
    [payment_in_process] 有还款正在途中，暂不限制
    [dispute] 您的异议正在核查，暂不限制
    [pause] 天数已暂停计算，暂不限制
   *[hold] 新的限制已暂停
}，至{ $date }。
reason-customer = 您的账户{ $value }已到达阶段{ $threshold }。还清该账户的逾期金额后，对本账户的影响即告解除。
reason-fee = 更换还款计划时，有{ $value }的罚息未还。
reason-nothing = 没有逾期的款项。
reason-held = 逾期的款项已被搁置。
reason-small = 逾期金额很小，不计入。
reason-below = 有款项逾期，但不满足任何阶段的条件。
reason-off = 本账户已停止采取措施。

# 如何解除、接下来、仍可办理。
clears = 如何解除
clears-today = 今天还清需要
clears-tomorrow = 明天还清需要
clears-text = 这笔金额一到账，本账户的全部限制随即解除，解除不收费。明天的金额以没有其他变化为前提。
next = 接下来会怎样
next-none = 不会再自动发生什么。
next-text = 如果不还款：
next-free = 进入下一阶段，不加限制。
next-assessment = 我们将在{ $instant }再次评估本账户。
works = 仍可办理
operation = { $name ->
    [repay] 还款
    [draw] 提用借款
    [transfer] 转账
    [pay_wages] 发放工资
    [receive] 收款
   *[other] { $name }
}
operation-works = 可以办理
operation-within = 使用额度不超过{ $percent }%时可以办理
operation-blocked = 暂时不能办理
as-of = 截至{ $instant }，版本{ $revision }。

# 计划与款项。
plan = 还款计划
plan-due = 到期日
plan-state = 状态
plan-amount = 金额
plan-paid = 已还
plan-open = 未还
plan-left = 另有{ $count }期见您的数据文件。
plan-calendar = 到期日历文件
calendar-due = 应还{ $amount }
state-held = 已搁置
state-paid = 已还清
state-upcoming = 未到期
state-past-due = 已逾期
state-written-off = 不再要求偿还
state-replaced = 已由新计划取代
part-penalty = 罚息
part-fee = 费用
part-interest = 利息
part-principal = 本金
payments = 您的还款
payments-none = 还没有收到还款。
payments-received = 收到时间
payments-id = 编号
payments-credit = { $amount }为您留存，用于抵扣下一笔到期款项。
payments-missing = 没有看到您的还款？可能需要一个工作日。如果更久，请在下面提出异议，并写明日期和金额。
payments-out-of-reach = 暂时无法显示途中的还款。本页其余内容是完整的。
payment-received = 全额计入
payment-partly = 部分退回
payment-reversed = 已退回
payment-arriving = { $amount }已于{ $instant }收到，正在入账。
payments-more = 另有{ $count }笔还款已收到，正在入账。
payment-under-way = 一笔还款正在途中，我们等待至{ $date }。
payment-tried-again = 一笔还款未成功，将于{ $date }再次尝试。
payment-failed = 一笔还款未成功。

# 您可以做什么。
act = 您可以做什么
act-promise = 承诺还款
act-reason = 告诉我们逾期原因
act-dispute = 对金额或日期提出异议
act-preferences = 选择语言和提醒
act-consent = 停止接收消息
form-faults = 表单没有提交。请修改标出的栏目，您填写的内容都还在。
fault-amount = 请用数字填写大于零的金额，例如 250.00。
fault-day = 请选择今天或以后的日期，最多一年内。
fault-text = 请写几个字。
fault-long = 太长了，请缩短到300字左右。
fault-choice = 请从列表中选择一项。
fault-days = 请填写最多5个0到31之间的数字，例如 7, 1。
promises = 您的承诺
promise-line = { $date }前还{ $amount }：
promise-open = 进行中
promise-kept = 已兑现
promise-broken = 未兑现
promise-effect = 承诺期间我们会减少提醒。到期日不变，罚息照计。
promise-no-effect = 承诺会被记录。按照现行规则，提醒和措施不因此改变。
promise-amount = 金额
promise-amount-hint = 用数字填写，例如 250.00
promise-by = 还款日期
promise-by-hint = 您还款的最后一天
promise-button = 承诺
done-promise = 您的承诺已记录，见下文。
cause = 您说明的原因
reason-effect = 您的说明会随账户记录，帮助我们与您一起想办法。
reason-label = 为什么逾期？
reason-hint = 几句话即可，请不要写他人的病情
reason-button = 告诉我们
done-reason = 您的原因已记录，见下文。
done-reason-stands = 谢谢。我们的人员此前与您登记的原因仍然有效，您的说明没有取代它。
disputes = 您的异议
dispute-open = 正在核查
dispute-upheld = 您是对的
dispute-rejected = 没有发现错误
dispute-withdrawn = 已撤回
dispute-effect = 核查期间，若干天内不会开始新的限制。
dispute-no-effect = 我们会核查。按照现行规则，措施在此期间继续。
dispute-label = 哪里不对？
dispute-hint = 请写明金额、日期或还款
dispute-button = 提出异议
done-dispute = 您的异议已记录，见下文。
preferences-language = 消息语言
preferences-days = 到期日前几天提醒我
preferences-days-hint = 最多5个0到31之间的数字，例如 7, 1；留空则按规则
preferences-button = 保存
done-preferences = 您的选择已保存，从下一次提醒起生效。
feedback-score = 这个页面对您有帮助吗？
feedback-of-five = { $score ->
    [1] 1，完全没有
    [5] 5，非常有
   *[other] { $score }
}
feedback-words = 您想说的话（可不填）
feedback-button = 提交
act-feedback = 评价这个页面
done-feedback = 谢谢。评分计数不含您的姓名，您的话只保存在您自己的数据中。
consent-effect = 您选择的渠道将不再发送提醒。法律要求的通知仍可能通过其他渠道送达。
consent-label = 停止接收
consent-all = 所有渠道
consent-refused = 您已停止接收全部消息。
consent-withdrawn = 您已停止接收：
consent-button = 停止
done-consent = 好的，我们停止发送。

# 记录。
decisions = 作出的决定
decisions-none = 从未对本账户作出决定。
decisions-wrong = 决定有误？
decision-same = 阶段变化，限制不变
decision-applied = 加以限制
decision-lifted = 解除限制
decision-lifted-list = 已解除：
decision-rules = 依据规则{ $policy }第{ $version }版决定，编号
messages = 消息
messages-none = 我们没有就本账户向您发送过消息。
messages-more = 更早的消息没有在此显示。
message-state = { $state ->
    [sent] 已发送
    [withdrawn] 未发送，原因已消失
    [held] 未发送，有还款正在入账
    [suppressed] 未发送，不应打扰您
    [unrenderable] 未发送，因我们的故障
    [leaving] 正在发送
   *[waiting] 等待发送时间
}
message-kind = { $template ->
    [due_soon] 到期前提醒
    [due_tomorrow] 到期前一天提醒
    [due_today] 到期日提醒
    [help_offered] 提供帮助
    [before_limit] 降低额度前的通知
    [before_freeze] 停止提款前的通知
    [before_suspension] 暂停账户前的通知
    [before_credit_report] 报送征信前的通知
    [new_rules] 新规则通知
    [new_terms] 新条款通知
    [third_party] 请您的联系人转告您回电
   *[other] 逾期消息
}
