# 帮助。
help-title = 帮助
help-pay = 如何还款
help-pay-plain = 请按合同所列的方式还款：自动扣款、转账或到网点办理，并注明账号。
help-call = 联系谁
help-call-plain = 请拨打合同上的电话。
help-hardship = 如果还不上
help-hardship-text = 很多人都有周转不开的时候。越早告诉我们，能做的越多。
help-hardship-early = 尽量在到期日之前告诉我们；之后再说也比不说好。
help-hardship-tell = 请说明发生了什么变化、可能持续多久、每月能还多少。
help-hardship-debts = 请先保证房租、水电、吃饭和看病。不收费的债务咨询可以帮您处理多笔债务。
help-credit = 信贷如何运作
help-late = 逾期的代价
help-late-text = 到期日的次日起即为逾期。宽限期过后，按您的规则对逾期金额逐日计收罚息。您的账户页面会精确显示罚息。
help-order = 还款先抵扣什么
help-order-text = 还款按规则所列的顺序，先抵扣逾期最久的款项。先还一部分也有帮助：罚息的基数会变小。
help-cure = 限制如何解除
help-cure-text = 还清逾期金额的那笔还款一到账，限制随即解除。无需申请，也不收费。
help-record = 别人会知道什么
help-record-text = 在法律允许并事先告知您的情况下，部分逾期会报送征信机构。
help-genuine = 消息是不是我们发的？
help-genuine-text = 我们的每条消息末尾都有一个编号，可以在这里核实：

# 代理机构。
agencies-title = 谁代表我们
agencies-none = 目前没有任何代理机构或催收人员登记代表我们。
agencies-doubt = 如果有人以我们的名义致电或上门，请不要向其付款，并告诉我们。

# 收支表。
budget-title = 每月还剩多少
budget-intro = 请填写每月的收入和支出，空着的栏目按零计算。
budget-income = 家庭收入
budget-rent = 房租、水电
budget-food = 饮食和日用
budget-health = 医疗和保险
budget-family = 子女、父母、上学、交通
budget-debts = 各项贷款的月供
budget-fault = 请用数字填写金额，例如 250.00；没有则留空。
budget-button = 计算
budget-left = 每月还剩{ $amount }。
budget-left-text = 月供最多可以还这么多。请留一部分应付意外。
budget-lacking = 每月还缺{ $amount }。
budget-lacking-text = 您无法同时偿还全部款项。请尽早告诉我们，并就全部债务寻求帮助。
budget-privacy = 我们不保存您在此填写的内容，也没有任何人员能看到。
