#!/usr/bin/env bash
# Deploys infra/template.yaml with the built functions onto an AWS emulator on this machine and watches one
# late account there: flagged by the sweep, reminded through an SQS subscription that filters on `channel`,
# lifted by a payment. Every call is made under the role that the template gives the caller, and the
# emulator enforces it.
#
#   tests/deploy-emulator.sh         needs cargo-lambda on the PATH, Python 3.10 or newer,
#                                    and PyPI the first time. No Docker, no AWS account.
#
#   FUNCTION_PROFILE=function        the Cargo profile that the functions are built with;
#                                    by default: release
#   COMPILER=cargo                   builds them without cargo-lambda, for this machine only, and finds built
#                                    what `cargo build --workspace --bins` has built
#   ENVIRONMENT=dev                     the template's parameter
#
# deploy_emulator.py states each difference between the emulator (ministack) and AWS where it matters.
set -euo pipefail
cd "$(dirname "$0")/.."

profile=${FUNCTION_PROFILE:-release}
target=${CARGO_TARGET_DIR:-target}
mkdir -p "$target/deploy-emulator"
target=$(cd "$target" && pwd)
work=$target/deploy-emulator
rm -rf "${work:?}/run"
mkdir -p "$work/run/tmp"

pid=
stop() {
    # In a group of its own, with the functions that it started.
    if [ -n "$pid" ]; then
        kill -- "-$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    fi
    # A copy of each function, unpacked.
    rm -rf "$work/run/tmp"
}
trap stop EXIT
trap 'exit 130' INT TERM

fail() {
    echo "FAIL $*" >&2
    exit 1
}

# The functions that the template names are deployed, each binary once, for this machine.
mapfile -t functions < <(sed -n 's#^ *CodeUri: \.\./target/lambda/\([^/]*\)/*$#\1#p' infra/template.yaml | sort -u)
[ "${#functions[@]}" -gt 0 ] || fail 'infra/template.yaml names no function under ../target/lambda/'
case $(uname -m) in
    x86_64) architecture=x86_64 option=--x86-64 ;;
    aarch64 | arm64) architecture=arm64 option=--arm64 ;;
    *) fail "no function is built for $(uname -m)" ;;
esac
echo "building ${functions[*]} ($architecture, profile $profile)"
if [ "${COMPILER:-}" = cargo ]; then
    cargo build --quiet --locked --profile "$profile" --workspace --bins
    binaries=$work/functions
    for function in "${functions[@]}"; do
        # Cargo's folder of the profile dev is `debug`.
        install -D "$target/${profile/#dev/debug}/$function" "$binaries/$function/bootstrap"
    done
else
    bins=()
    for function in "${functions[@]}"; do bins+=(--bin "$function"); done
    cargo lambda build --quiet --locked --profile "$profile" "$option" "${bins[@]}"
    binaries=$target/lambda
fi
cargo build --quiet --locked --workspace --bins
duewatch=$target/debug/duewatch

[ -x "$work/venv/bin/python" ] || python3 -m venv "$work/venv"
timeout 300 "$work/venv/bin/pip" install --quiet --disable-pip-version-check \
    ministack==1.5.33 aws-sam-translator==1.115.0 boto3==1.43.106
# The AWS command line wants another botocore.
[ -x "$work/venv-cli/bin/python" ] || python3 -m venv "$work/venv-cli"
timeout 300 "$work/venv-cli/bin/pip" install --quiet --disable-pip-version-check awscli==1.46.3
began=$SECONDS

port=$("$work/venv/bin/python" -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
export AWS_ENDPOINT_URL="http://127.0.0.1:$port"
export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_REGION=eu-west-1 AWS_DEFAULT_REGION=eu-west-1
unset AWS_PROFILE AWS_SESSION_TOKEN

# AUTH: the emulator checks signatures and IAM policies. AWS_ENDPOINT_URL: the address that the functions
# call. No other variable of this environment reaches the functions.
setsid env -i PATH="$PATH" HOME="$work/run/tmp" TMPDIR="$work/run/tmp" \
    BIND_HOST=127.0.0.1 GATEWAY_PORT="$port" AUTH=true SFTP_ENABLED=0 IOT_MTLS_ENABLED=0 \
    MINISTACK_HOST=127.0.0.1 MINISTACK_ACCOUNT_ID=123456789012 MINISTACK_REGION="$AWS_REGION" \
    AWS_ENDPOINT_URL="$AWS_ENDPOINT_URL" AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test \
    "$work/venv/bin/ministack" >"$work/run/emulator.log" 2>&1 &
pid=$!

step() {
    "$work/venv/bin/python" tests/deploy_emulator.py --work "$work/run" "$@" || {
        echo "the emulator's log: $work/run/emulator.log; the end of it:" >&2
        tail -20 "$work/run/emulator.log" >&2
        fail "$1"
    }
}

# The publisher's key: its file stays with us, the functions get the public half.
key=$work/run/policy.key
(umask 077 && "$work/venv/bin/python" -c 'import secrets; print(secrets.token_hex(32))' >"$key")
step deploy --policy-keys "$("$duewatch" policy key "$key")" --environment "${ENVIRONMENT:-dev}" --architecture "$architecture" --binaries "$binaries"
step book
# The command under test, as an operator would run it: the tables' names come from the environment of a
# deployed function.
set -a
# shellcheck disable=SC1091
. "$work/run/functions.env"
set +a
timeout 60 "$duewatch" import --book "$work/run/book.jsonl" --policy "$work/run/policy-1.toml" --signing-key "$key"
# It is published at once, and restricts both. After a minute it queues its accounts, which the emulator cannot show:
# its DescribeTable states a boolean as a text. The sweep finds these two before.
timeout 180 "$duewatch" policy publish "$work/run/policy-2.toml" --signing-key "$key" --accept-restricting 2 2>/dev/null &
publishing=$!
step watch
kill "$publishing" 2>/dev/null || true
wait "$publishing" || true
story=$(timeout 60 "$duewatch" explain E-late)
grep -q 'current -> late' <<<"$story" || fail "explain does not tell of the flag: $story"
grep -q 'late -> current' <<<"$story" || fail "explain does not tell of the lift: $story"
timeout 60 "$duewatch" stop sending --reason 'tried on the emulator'
step stopped
timeout 60 "$duewatch" start --reason 'it was tried'
step started
# The page's commands, by the command and the client of AWS that are tried here.
mkdir -p "$work/run/bin"
ln -s "$duewatch" "$work/run/bin/duewatch"
PATH="$work/run/bin:$work/venv-cli/bin:$PATH" STACK=duewatch ENVIRONMENT="${ENVIRONMENT:-dev}" step commands
step roles

echo "deployed, flagged, reminded, lifted: $((SECONDS - began)) s"
