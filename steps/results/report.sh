#!/usr/bin/env bash
# Make the report of the runs below RUNS into REPORT, and carry the history from FORMER to HISTORY.
#
# GATE: not empty makes a broken quality gate and a regression red; report and history are published all the same.
set -euo pipefail
shopt -s nullglob

runs=("$RUNS"/run-*/*/publish)
if ((${#runs[@]} == 0)); then
    echo "##vso[task.logissue type=error]no run was published by the jobs before: there is nothing to report"
    exit 1
fi

mkdir -p "$HISTORY" "$REPORT"
attempts=("$FORMER"/history-*) # of a job that ran twice the last attempt counts
if ((${#attempts[@]} > 0)); then
    newest=$(printf '%s\n' "${attempts[@]}" | sort -V | tail -n 1)
    cp -R "$newest"/. "$HISTORY/"
fi

python steps/results/carry_records.py "$HISTORY/results.jsonl" "${runs[@]}"
code=0
telescope report "${runs[@]}" --history "$HISTORY/history.jsonl" --out "$REPORT" ${GATE:+--gate} || code=$?
echo "##vso[task.setvariable variable=TELESCOPE_REPORTED]true"
if [[ -s $HISTORY/results.jsonl ]]; then
    telescope trend "$HISTORY/results.jsonl" --html "$REPORT/trend.html" ${GATE:+--fail} || code=$?
fi
exit "$code"
