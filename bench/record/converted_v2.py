"""Predicts with nnunetv2 and a model folder that `convert --to v2` made, and compares with the predictions of this project.

Needs an environment of its own: `pip install nnunetv2==2.8.1`.

    nnunet-diag convert MODEL --to v2 -o RESULTS
    nnunet-diag predict -i IMAGES -o HERE -m RESULTS/Dataset…/nnUNetTrainer__… --precision float32 --save-softmax
    nnunet-diag predict -i IMAGES -o OF_V1 -m MODEL --precision float32
    python bench/record/converted_v2.py --model RESULTS/Dataset…/nnUNetTrainer__… --input IMAGES --here HERE [--of-v1 OF_V1]

Fails if probabilities differ from those here by more than 3e-3 in more than one voxel of 10,000, or labels in more than 0.5 %.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
import SimpleITK
import torch
from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor


def labels(folder, case):
    return SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(folder / f"{case}.nii.gz")))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--input", type=Path, required=True)
    parser.add_argument("--here", type=Path, required=True)
    parser.add_argument("--of-v1", type=Path)
    arguments = parser.parse_args()
    predictor = nnUNetPredictor(
        tile_step_size=0.5, use_gaussian=True, use_mirroring=True, perform_everything_on_device=False,
        device=torch.device("cpu"), verbose=False, allow_tqdm=False,
    )
    folds = sorted(path.name.removeprefix("fold_") for path in arguments.model.glob("fold_*"))
    folds = [int(fold) if fold.isdigit() else fold for fold in folds]
    predictor.initialize_from_trained_model_folder(str(arguments.model), folds, "checkpoint_final.pth")
    with tempfile.TemporaryDirectory() as output:
        predictor.predict_from_files_sequential(str(arguments.input), output, save_probabilities=True, overwrite=True)
        for file in sorted(Path(output).glob("*.npz")):
            case = file.stem
            theirs = np.load(file)["probabilities"].astype(np.float32)
            ours = np.load(arguments.here / f"{case}.npz")["probabilities"].astype(np.float32)
            difference = np.abs(theirs - ours)
            far = float(np.mean(difference > 3e-3))
            same = float(np.mean(labels(Path(output), case) == labels(arguments.here, case)))
            text = f"{case}: {100 * same:.3f} % of the voxels equal, probabilities within {difference.max():.2e}"
            if arguments.of_v1:
                of_v1 = float(np.mean(labels(Path(output), case) == labels(arguments.of_v1, case)))
                text += f"; {100 * of_v1:.3f} % equal those of the model of v1"
            print(text)
            if far > 1e-4 or same < 0.995:
                raise SystemExit("the predictions differ")


if __name__ == "__main__":
    main()
