#!/usr/bin/env bash
# Runs the commands of infra/stack/STACK.md: serve, cargo lambda watch and invoke with each sample event, and checks
# the answers.
#
#   tests/cargo-lambda.sh            needs cargo-lambda on the PATH
set -euo pipefail
cd "$(dirname "$0")/.."

work=target/cargo-lambda
mkdir -p "$work"
pids=()
stop() {
    # Each process in a group of its own, with the functions that it started.
    for pid in "${pids[@]}"; do kill -- "-$pid" 2>/dev/null || true; done
}
trap stop EXIT
start() {
    local log=$1
    shift
    setsid "$@" >"$work/$log" 2>&1 &
    pids+=("$!")
}
# Polls a log for a text, for at most so many seconds.
await() {
    local log=$1 words=$2 seconds=$3
    for _ in $(seq "$((seconds * 5))"); do
        grep -q -- "$words" "$work/$log" 2>/dev/null && return 0
        sleep 0.2
    done
    echo "$log never said: $words" >&2
    tail -20 "$work/$log" >&2
    return 1
}
failed=0 passed=0
expect() {
    local what=$1 words=$2 answer=$3
    if grep -q -- "$words" <<<"$answer"; then
        passed=$((passed + 1))
        echo "ok   $what: $(head -1 <<<"$answer")"
    else
        failed=$((failed + 1))
        echo "FAIL $what: wanted $words, got $answer"
    fi
}
invoke() { cargo lambda invoke "$1" --data-file "events/$2"; }
# Writes the payment of a sample event, as the lender does: post-payment posts only what the payments table states.
put_payment() {
    python3 -c 'import json, sys
image = json.load(open(sys.argv[1]))["Records"][0]["dynamodb"]["NewImage"]
print(json.dumps({"TableName": "duewatch-dev-payments", "Item": image}))' "events/$1" |
        curl --silent --show-error --fail --output /dev/null --data-binary @- \
            --user local:local --aws-sigv4 aws:amz:us-east-1:dynamodb \
            --header 'Content-Type: application/x-amz-json-1.0' \
            --header 'X-Amz-Target: DynamoDB_20120810.PutItem' http://127.0.0.1:8000/
}

cat >"$work/book.jsonl" <<'BOOK'
{"account_id":"A-1","customer_id":"C-1","policy_id":"standard","currency":"CNY","time_zone":"Asia/Shanghai","opened_on":"2023-10-01","installments":[{"number":1,"due_on":"2023-10-01","principal":"250.00"}]}
BOOK

cargo build --workspace --bins
start serve.log cargo run -- serve --lambda http://127.0.0.1:9000 --env-file target/duewatch.env \
    --book "$work/book.jsonl" --policy infra/cli/sample/policy.toml
await serve.log 'accounts opened' 120
start watch.log cargo lambda watch --env-file target/duewatch.env
await watch.log 'starting Runtime server' 60

expect detect-overdue '"failed":0' "$(invoke detect-overdue detect-overdue.schedule.json)"
expect 'detect-overdue, a shard' '"batchItemFailures":\[\]' "$(invoke detect-overdue detect-overdue.sweeps.json)"
expect intake '"batchItemFailures":\[\]' "$(invoke intake intake.queue.json)"
put_payment post-payment.stream.json
expect post-payment '"batchItemFailures":\[\]' "$(invoke post-payment post-payment.stream.json)"
put_payment post-payment.reversal.stream.json
expect 'post-payment, reversal' '"batchItemFailures":\[\]' \
    "$(invoke post-payment post-payment.reversal.stream.json)"
expect send-reminders '"batchItemFailures":\[\]' "$(invoke send-reminders send-reminders.stream.json)"
expect 'send-reminders, the schedule' '"failed":0' "$(invoke send-reminders send-reminders.schedule.json)"
# Receipts of messages that never left here: quarantined, not failed.
expect record-delivery '"batchItemFailures":\[\]' "$(invoke record-delivery record-delivery.queue.json)"
expect record-history '"batchItemFailures":\[\]' "$(invoke record-history record-history.stream.json)"
expect reconcile-accounts '"failed":0' "$(invoke reconcile-accounts reconcile-accounts.schedule.json)"
expect anchor-history '"days_behind":0' "$(invoke anchor-history anchor-history.schedule.json)"
expect serve-borrower '"statusCode":200' "$(invoke serve-borrower serve-borrower.http.json)"
page=$(curl -sS http://127.0.0.1:9000/lambda-url/serve-borrower/verify/2222-2222-2222-2222-2222-2222)
expect 'serve-borrower, by its lambda-url' 'Not ours' "$page"

set -a
# shellcheck disable=SC1091
. target/duewatch.env
set +a
story=$(cargo run -q -- explain A-1)
expect 'explain, lifted by the payment' 'suspended -> current\|frozen -> current' "$story"
expect 'explain, back after the reversal' 'current -> frozen' "$story"
await serve.log 'duewatch.account.changed.v1' 30
expect 'the change reaches SNS' '"to":"frozen"' "$(grep 'account.changed.v1' "$work/serve.log" | grep '"to":"frozen"' | tail -1)"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
