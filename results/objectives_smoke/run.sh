#!/usr/bin/env bash
# Six configs, three seeds each, scored by one protocol beside real images; about 40 minutes on two cores, by the times of single runs.
#   bash results/objectives_smoke/run.sh [FOLDER]       what is done is left alone, what was interrupted goes on
set -euo pipefail
folder=${1:-runs/objectives_smoke}
python=${PYTHON:-python}
protocol=(--config.eval.split=test --config.eval.num_samples=1000 --config.eval.repeats=1
          --config.eval.metrics=fd,kid,prdc,repetition,is)
rows=(vanilla dcgan lsgan hinge wgan wgan_clip)
declare -A config=([vanilla]=vanilla.py [dcgan]=dcgan.py [lsgan]=lsgan.py [hinge]=hinge.py [wgan]=wgan.py [wgan_clip]=wgan.py:clip)
declare -A steps=([vanilla]=40000 [dcgan]=3000 [lsgan]=3000 [hinge]=3000 [wgan]=2250 [wgan_clip]=1500)
table=()
for row in "${rows[@]}"; do
  runs=()
  for seed in 0 1 2; do
    run=$folder/${row}_$seed
    runs+=("$run")
    [ -e "$run/DONE" ] || $python launch.py --config="configs/${config[$row]}" --workdir="$run" --config.seed=$seed \
      --config.steps="${steps[$row]}" --config.log.tensorboard=off
    [ -e "$run/evaluation.json" ] || $python launch.py --mode=evaluate --workdir="$run" "${protocol[@]}"
  done
  table+=("$row=$(IFS=,; echo "${runs[*]}")")
done
[ -e "$folder/floor.json" ] || $python launch.py --mode=evaluate --samples=digits@train --reference=digits@test \
  --config.eval.num_samples=1000 --config.eval.metrics=fd,kid,prdc,repetition,is --out="$folder/floor.json"
$python -m jaxgan.report "${table[@]}" "real digits of train=$folder/floor.json" | tee "$folder/table.md"
