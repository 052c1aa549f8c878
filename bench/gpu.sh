#!/usr/bin/env bash
# Tests CUDA on a machine with an NVIDIA GPU: installs libtorch with CUDA, reports devices, trains the same short
# schedule on the CPU and in every precision of the GPU, predicts on both devices, and compares. Then measures training
# on four channels and patches of 128x128x128: volumes per second, waiting for data, and memory over 510 iterations.
#
#   bench/gpu.sh [WORK_FOLDER]
#
# Requires the tools of `npm run build` and a driver for CUDA 13. Prints one JSON line per step and check. Exits with 1
# if a step fails or a check does not pass:
# - the losses of 10 iterations differ from the CPU's float32 ones by at most 0.002 in float32, else 0.05;
# - GPU and CPU segmentations agree in at least 99 % of the voxels (Dice of each class);
# - training waits for data in less than 3 % of the time, and its memory does not grow.
# The throughput is printed beside 6.7 volumes per second, a figure for nnU-Net on an A100 with DALI.
set -euo pipefail
cd "$(dirname "$0")/.."
work=${1:-$(mktemp -d)}
cli=(node dist/ts/cli/main.js)
failed=0

npm run build
"${cli[@]}" libtorch install --cuda
"${cli[@]}" libtorch status --json | tee "$work/status.json"
grep -q '"cuda:0' "$work/status.json" || { echo 'libtorch sees no CUDA device' >&2; exit 1; }

export nnUNet_raw_data_base="$work/raw" nnUNet_preprocessed="$work/preprocessed"
mkdir -p "$work/raw/nnUNet_raw_data"
ln -sfn "$PWD/examples/data/Task501_IcbmTissue" "$work/raw/nnUNet_raw_data/Task501_IcbmTissue"
"${cli[@]}" preprocess 501 -c 3d_fullres --json --quiet

check() { # arguments of check.mjs
  node bench/gpu/check.mjs "$@" || failed=1
}

train() { # name, task, device, precision, more arguments
  local name=$1 task=$2 device=$3 precision=$4
  shift 4
  "${cli[@]}" train "$task" -c 3d_fullres -f 0 --batch-size 2 --seed 1 --device "$device" --precision "$precision" \
    --results "$work/$name" --json "$@" > "$work/$name.events"
  grep -E '"type":"(started|epoch|done|failed)"' "$work/$name.events"
}

model_of() { # name of a training of task 501
  echo "$work/$1/nnUNet/3d_fullres/Task501_IcbmTissue/nnUNetTrainerV2__nnUNetPlansv2.1"
}

# The same iterations on both devices. With a small learning rate, rounding has no time to grow.
short=(--epochs 1 --iterations 10 --validation-iterations 1 --initial-lr 0.0001)
train equal_cpu 501 cpu float32 "${short[@]}"
for precision in float32 tf32 bfloat16 float16; do
  train "equal_$precision" 501 cuda "$precision" "${short[@]}"
  tolerance=0.05
  if [ "$precision" = float32 ]; then tolerance=0.002; fi
  check equal "$work/equal_cpu.events" "$work/equal_$precision.events" "$tolerance"
done
train equal_deterministic_1 501 cuda float16 "${short[@]}" --deterministic
train equal_deterministic_2 501 cuda float16 "${short[@]}" --deterministic
check equal "$work/equal_deterministic_1.events" "$work/equal_deterministic_2.events" 0

# Short trainings, with predictions.
long=(--epochs 4 --iterations 50 --validation-iterations 8)
images=examples/data/Task501_IcbmTissue/imagesTs
labels=examples/data/Task501_IcbmTissue/labelsTs
train cpu 501 cpu float32 "${long[@]}"
for precision in float32 bfloat16 float16; do train "cuda_$precision" 501 cuda "$precision" "${long[@]}"; done
for name in cpu cuda_float32 cuda_bfloat16 cuda_float16; do
  device=${name%%_*}
  precision=${name#cuda_}
  if [ "$name" = cpu ]; then precision=float32; fi
  "${cli[@]}" predict -i "$images" -o "$work/$name/predictions" --device "$device" --precision "$precision" \
    -m "$(model_of "$name")" --json | tail -n 1
  "${cli[@]}" evaluate "$labels" "$work/$name/predictions" -l 1 2 3
done

# One model on both devices: segmentations must agree except at near ties of the softmax.
"${cli[@]}" predict -i "$images" -o "$work/cpu_on_cuda" -m "$(model_of cpu)" --device cuda --precision float32
"${cli[@]}" evaluate "$work/cpu/predictions" "$work/cpu_on_cuda" -l 1 2 3 --json | tail -n 1 | tee "$work/agreement.json"
node -e '
  const { result } = JSON.parse(require("fs").readFileSync(process.argv[1], "utf8"));
  const worst = Math.min(...Object.values(result.mean).map((m) => m.Dice ?? 0));
  console.log(JSON.stringify({ check: "agreement", passed: worst >= 0.99, agreement: worst }));
  process.exit(worst >= 0.99 ? 0 : 1);
' "$work/agreement.json" || failed=1

# Throughput, waiting and memory.
node bench/gpu/task.mjs "$work/raw/nnUNet_raw_data/Task902_Noise"
"${cli[@]}" preprocess 902 -c 3d_fullres --json --quiet
for precision in float16 tf32; do
  train "speed_$precision" 902 cuda "$precision" --patch-size 128 128 128 --epochs 3 --iterations 170 \
    --validation-iterations 1
  check speed "$work/speed_$precision.events" 2 6.7
done
exit "$failed"
