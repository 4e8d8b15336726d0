# 每个页面都有的文字。
site-name = 您的信贷账户
skip = 跳到正文
navigation = 主导航
nav-accounts = 我的账户
nav-verify = 核实消息真伪
nav-help = 帮助
nav-agencies = 谁代表我们
sign-out = 退出登录
footer-genuine = 我们绝不会通过电话或消息向您索要密码或验证码。
amount = { $currency } { $number }
instant = { $date }{ $time }
channel = { $channel ->
    [sms] 短信
    [email] 电子邮件
    [phone] 电话
    [app] 应用消息
   *[letter] 信函
}
account = 账户
own-data = 您的数据文件（JSON）

# 登录。
sign-in-title = 登录
sign-in-intro = 请输入您的账号。我们会把验证码发送到您在我们这里登记的手机号或电子邮箱。
sign-in-account = 账号
sign-in-account-hint = 见您的合同
sign-in-account-fault = 请输入合同上的账号：字母、数字和 - . _ : /，最多128个字符。
sign-in-send = 发送验证码
sign-in-new-number = 登记不满三天的手机号或地址暂时收不到验证码。
sign-in-no-phone = 没有手机，或者号码没有登记？请看如何联系我们。
code-title = 输入验证码
code-sent = 如果这个账号存在，验证码已发往该账户登记的联系方式，10分钟内在本浏览器中有效。
code-label = 验证码
code-hint = 8位数字
code-wrong = 这个验证码无效：可能有误、已过期或已用过。请核对8位数字，或重新获取。
code-button = 登录
code-lasts = 登录状态保持{ $minutes }分钟。
code-again = 重新获取验证码
accounts-title = 我的账户
accounts-none = 没有可以显示的账户。

# 故障。
to-first-page = 回到首页
fault-reach = 暂时无法显示此页面
fault-reach-text = 我们的系统没有响应，请几分钟后再试。
outage-harmless = 不会因为这次故障向任何人收费或加以限制。您现在还款，仍按还款当日计算。
fault-missing = 没有这个页面
fault-missing-text = 这个地址下没有属于您的内容。请核对地址，或从首页开始。
fault-session = 请登录
fault-session-text = 您尚未登录，或者登录已失效。请重新登录后继续。
fault-form = 无法提交此表单
fault-form-text = 表单不是来自本页面，或者页面已经过期。没有任何改动。请重新打开页面再试。
fault-method = 不能这样使用
fault-method-text = 请打开页面，使用页面上的表单。
fault-large = 内容太长
fault-large-text = 一个表单最多16千字节。请缩短文字后再提交。
fault-kind = 这不是表单
fault-kind-text = 我们只接受本页面的表单。文件请按帮助页所列的方式提交。

# 核实消息。
verify-title = 核实消息真伪
verify-intro = 我们的每条消息末尾都有一个编号。输入编号，即可知道我们是否发过带有这个编号的消息。
verify-label = 编号
verify-hint = 24个字母和数字，连字符可以省略
verify-button = 核实
verify-privacy = 本页面绝不显示消息与谁有关。
verify-genuine = 真实：我们发过带有这个编号的消息，有效期至{ $date }。
verify-genuine-text = 编号可能被复制到假冒消息中。请只用合同所列的方式还款，不要把验证码告诉任何人。
verify-expired = 已过期：我们发过带有这个编号的消息，有效期曾至{ $date }。
verify-expired-text = 请不要依赖旧消息。登录后可以查看今天的情况。
verify-not-ours = 不是我们的：我们没有带有这个编号的消息。
verify-not-ours-text = 请逐字核对。如果无误，请不要回复该消息，不要打开其中的链接，也不要付款。请拨打您已知的号码联系我们。
