#!/usr/bin/env bash
# Copy the public half of every run to a folder of its own, so that no private half can be published with it.
set -euo pipefail
shopt -s nullglob
runs=$AGENT_TEMPDIRECTORY/telescope/runs
for folder in "$runs"/*/publish; do
    run=${folder%/publish}
    target=$AGENT_TEMPDIRECTORY/published/${run##*/}
    mkdir -p "$target"
    cp -R "$folder" "$target/"
    echo "##vso[task.setvariable variable=TELESCOPE_COLLECTED]true"
    echo "run ${run##*/}: $(du -sh "$folder" | cut -f1)"
done
if [[ ! -d $AGENT_TEMPDIRECTORY/published ]]; then
    echo "no run folder in $runs: the benchmark ended before it began a run"
fi
