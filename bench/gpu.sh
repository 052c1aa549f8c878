#!/usr/bin/env bash
# Tests CUDA on a machine with an NVIDIA GPU: installs libtorch with CUDA, reports devices, trains the same short
# schedule on the CPU and in every precision of the GPU, predicts on both devices, and compares.
#
#   bench/gpu.sh [WORK_FOLDER]
#
# Requires the tools of `npm run build` and a driver for CUDA 13. Prints one JSON line per step. Exits with 1 if a step
# fails, or if GPU and CPU segmentations agree in fewer than 99 % of voxels.
set -euo pipefail
cd "$(dirname "$0")/.."
work=${1:-$(mktemp -d)}
cli="node dist/ts/cli/main.js"

npm run build
$cli libtorch install --cuda
$cli libtorch status --json | tee "$work/status.json"
grep -q '"cuda:0' "$work/status.json" || { echo 'libtorch sees no CUDA device' >&2; exit 1; }

export nnUNet_raw_data_base="$work/raw" nnUNet_preprocessed="$work/preprocessed"
mkdir -p "$work/raw/nnUNet_raw_data"
ln -sfn "$PWD/examples/data/Task501_IcbmTissue" "$work/raw/nnUNet_raw_data/Task501_IcbmTissue"
$cli preprocess 501 -c 3d_fullres --json --quiet

schedule='--epochs 4 --iterations 50 --validation-iterations 8 --batch-size 2 --seed 1'
run() { # name, device, precision
  local results="$work/$1"
  # shellcheck disable=SC2086
  $cli train 501 -c 3d_fullres -f 0 $schedule --device "$2" --precision "$3" --results "$results" --json \
    | grep -E '"type":"(started|epoch|done|failed)"'
  $cli predict -i examples/data/Task501_IcbmTissue/imagesTs -o "$results/predictions" --device "$2" --precision "$3" \
    -m "$results/nnUNet/3d_fullres/Task501_IcbmTissue/nnUNetTrainerV2__nnUNetPlansv2.1" --json | tail -n 1
  $cli evaluate examples/data/Task501_IcbmTissue/labelsTs "$results/predictions" -l 1 2 3
}
run cpu cpu float32
for precision in float32 bfloat16 float16; do run "cuda_$precision" cuda "$precision"; done

# One model on both devices: segmentations must agree except at near ties of the softmax.
model="$work/cpu/nnUNet/3d_fullres/Task501_IcbmTissue/nnUNetTrainerV2__nnUNetPlansv2.1"
$cli predict -i examples/data/Task501_IcbmTissue/imagesTs -o "$work/cpu_on_cuda" -m "$model" --device cuda --precision float32
$cli evaluate "$work/cpu/predictions" "$work/cpu_on_cuda" -l 1 2 3 --json | tail -n 1 | tee "$work/agreement.json"
node -e '
  const { result } = JSON.parse(require("fs").readFileSync(process.argv[1], "utf8"));
  const worst = Math.min(...Object.values(result.mean).map((m) => m.Dice ?? 0));
  console.log(JSON.stringify({ agreement: worst }));
  process.exit(worst >= 0.99 ? 0 : 1);
' "$work/agreement.json"
