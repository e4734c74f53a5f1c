#!/usr/bin/env bash
# The step of the action: inputs are variables, outputs go to $GITHUB_OUTPUT.
# Whatever is not allowed by name is denied: a pull request is words of a stranger.
set -euo pipefail

: "${INPUT_PROMPT:?The input prompt is empty.}"
command -v qcode >/dev/null || {
    echo "qcode is not on the PATH of this runner. Run install.sh in a step before this one." >&2
    exit 2
}

execution_file=$(mktemp -d "${RUNNER_TEMP:-/tmp}/qcode-XXXXXX")/run.jsonl
flags=(--permission-mode dontAsk --output-format stream-json --max-turns "${INPUT_MAX_TURNS:-80}")
[ -z "${INPUT_BASE_URL:-}" ] || flags+=("--base-url=$INPUT_BASE_URL")
[ -z "${INPUT_MODEL:-}" ] || flags+=("--model=$INPUT_MODEL")
[ -z "${INPUT_ALLOWED_TOOLS:-}" ] || flags+=("--allowed-tools=$INPUT_ALLOWED_TOOLS")
[ -z "${INPUT_JSON_SCHEMA:-}" ] || flags+=("--json-schema=$INPUT_JSON_SCHEMA")
while IFS= read -r flag; do
    [ -z "$flag" ] || flags+=("$flag")
done <<<"${INPUT_ARGS:-}"

code=0
qcode -p "${flags[@]}" -- "$INPUT_PROMPT" >"$execution_file" </dev/null || code=$?

EXECUTION_FILE=$execution_file python3 - <<'PYTHON'
import json, os, secrets, sys

lines = open(os.environ["EXECUTION_FILE"], encoding="utf-8").read().splitlines()
results = [found for found in map(json.loads, lines) if found.get("type") == "result"]
result = results[-1] if results else {}
outputs = {
    "result": result.get("result", ""),
    "session_id": result.get("session_id", ""),
    "structured_output": json.dumps(result["structured_output"]) if "structured_output" in result else "",
    "execution_file": os.environ["EXECUTION_FILE"],
}
with open(os.environ.get("GITHUB_OUTPUT", os.devnull), "a", encoding="utf-8") as file:
    for name, value in outputs.items():
        end = f"end-{secrets.token_hex(16)}"  # no answer can guess it and set another output
        file.write(f"{name}<<{end}\n{value}\n{end}\n")
print(result.get("result") or " ".join(result.get("errors", [])))
PYTHON
exit "$code"
