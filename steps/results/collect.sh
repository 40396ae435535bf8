#!/usr/bin/env bash
# Copy the public half of every run to a folder of its own, so that no private half can be published with it.
set -euo pipefail
shopt -s nullglob
runs=$AGENT_TEMPDIRECTORY/telescope/runs
for folder in "$runs"/*/publish; do
    run=${folder%/publish}
    # A run that was killed could not take secrets out of what it wrote. 1: what could not be searched is withheld.
    status=0
    python -m pytest_telescope.report.secret_files "$run" || status=$?
    if ((status > 1)); then
        echo "##vso[task.logissue type=error]run ${run##*/} was not searched for secrets, so it is not published"
        exit "$status"
    fi
    target=$AGENT_TEMPDIRECTORY/published/${run##*/}
    mkdir -p "$target"
    cp -R "$folder" "$target/"
    echo "##vso[task.setvariable variable=TELESCOPE_COLLECTED]true"
    echo "run ${run##*/}: $(du -sh "$folder" | cut -f1)"
done
if [[ ! -d $AGENT_TEMPDIRECTORY/published ]]; then
    echo "no run folder in $runs: the benchmark ended before it began a run"
fi
