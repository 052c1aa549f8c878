"""Whole prediction of a folder: this project in float32 and bfloat16, and DIAG's fork of nnU-Net v1.

python bench/predict/run.py --model FOLDER --input FOLDER [--fork .peers/fork] [--cases 10] [--rounds 1]
python bench/predict/run.py --model FOLDER --size 256 --no-mirroring [--fork .peers/fork]

See README.md.
"""
import argparse
import os
import sys
import tempfile
from pathlib import Path

from measure import measured, write_noise

HERE = Path(__file__).resolve().parent
PROGRAM = HERE.parent.parent / "dist" / "ts" / "cli" / "main.js"

FORK = """
import os, sys
fork, model, source, target, folds, threads, tta = sys.argv[1:]
os.environ.update(nnUNet_raw_data_base=target, nnUNet_preprocessed=target, RESULTS_FOLDER=target)
sys.path.insert(0, fork)
import torch
torch.set_num_threads(int(threads))
from nnunet.inference.predict import predict_from_folder
predict_from_folder(
    model, source, target, [int(fold) if fold.isdigit() else fold for fold in folds.split()], save_npz=False,
    num_threads_preprocessing=1, num_threads_nifti_save=1, lowres_segmentations=None, part_id=0, num_parts=1, tta=tta == "True",
    mixed_precision=False, overwrite_existing=True, mode="normal", overwrite_all_in_gpu=None, step_size=0.5,
)
"""


def different(first, second):
    """Number of voxels that differ, and of all voxels."""
    import numpy as np
    import SimpleITK

    wrong = total = 0
    for path in sorted(first.glob("*.nii.gz")):
        labels = [SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(f / path.name))) for f in (first, second)]
        wrong, total = wrong + int(np.sum(labels[0] != labels[1])), total + labels[0].size
    return f"{wrong} of {total}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, required=True, help="folder TRAINER__PLANS")
    images = parser.add_mutually_exclusive_group(required=True)
    images.add_argument("--input", type=Path, help="folder of images <case>_0000.nii.gz")
    images.add_argument("--size", type=int, help="one image of noise instead, of so many voxels along each axis")
    parser.add_argument("--no-mirroring", action="store_true")
    parser.add_argument("--fork", type=Path, help="checkout of the fork, whose packages this Python has")
    parser.add_argument("--cases", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=1, help="the best of so many alternating runs counts")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--memory", help="also with --memory of this amount")
    arguments = parser.parse_args()
    folds = sorted(path.name.removeprefix("fold_") for path in arguments.model.iterdir()
                   if path.name == "all" or path.name.startswith("fold_"))
    folds = [fold for fold in folds if fold != "all"] or folds
    with tempfile.TemporaryDirectory() as temporary:
        temporary = Path(temporary)
        (source := temporary / "images").mkdir()
        if arguments.size:
            write_noise(source / "noise_0000.nii.gz", arguments.size)
            arguments.input = source
        cases = sorted({path.name.rsplit("_", 1)[0] for path in arguments.input.glob("*.nii.gz")})[: arguments.cases]
        for case in cases:
            for path in arguments.input.glob(f"{case}_*.nii.gz") if arguments.input != source else []:
                (source / path.name).symlink_to(path.resolve())
        here = ["node", PROGRAM, "predict", "-i", source, "-m", arguments.model, "--workers", str(arguments.threads),
                "-f", *folds]
        if arguments.no_mirroring:
            here.append("--no-mirroring")
        commands = {}
        for precision in ("float32", "bfloat16"):
            commands[f"here, {precision}"] = lambda out, p=precision: [*here, "--precision", p, "-o", out, "--overwrite"]
        if arguments.memory:
            commands[f"here, float32, --memory {arguments.memory}"] = lambda out: [
                *here, "--precision", "float32", "-o", out, "--overwrite", "--memory", arguments.memory]
        if arguments.fork:
            commands["fork, float32"] = lambda out: [
                sys.executable, "-c", FORK, arguments.fork.resolve(), arguments.model.resolve(), source, out, " ".join(folds),
                str(arguments.threads), str(not arguments.no_mirroring)]
        best, outputs = {}, {}
        for _ in range(arguments.rounds):
            for name, command in commands.items():
                outputs[name] = temporary / name.replace(" ", "-")
                outputs[name].mkdir(exist_ok=True)
                found = measured(command(outputs[name]))
                best[name] = tuple(map(min, best.get(name, found), found))
        print(f"{len(cases)} cases, {arguments.threads} threads, load {os.getloadavg()[0]:.1f}\n")
        print("| program | wall s | CPU s | peak MiB | voxels that differ from the first row |")
        print("| --- | --- | --- | --- | --- |")
        for name, (wall, cpu, peak) in best.items():
            print(f"| {name} | {wall:.1f} | {cpu:.1f} | {peak:.0f} | {different(outputs['here, float32'], outputs[name])} |")


if __name__ == "__main__":
    main()
