"""A whole prediction with a model of nnU-Net v2: this project in float32 and bfloat16, and nnunetv2.

.peers/v2/bin/python bench/predict-v2/run.py [--patch 128] [--size 256] [--mirroring] [--rounds 1]

See README.md.
"""

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "predict"))
from measure import measured, write_noise  # noqa: E402

PROGRAM = HERE.parent.parent / "dist" / "ts" / "cli" / "main.js"
NETWORK = "dynamic_network_architectures.architectures.unet.PlainConvUNet"
FEATURES = [32, 64, 128, 256, 320, 320]
LABELS = {"background": 0, "a": 1, "b": 2, "c": 3}


def plans(patch):
    """Plans as nnU-Net v2 makes them for isotropic images."""
    stages = next(n for n in range(len(FEATURES), 1, -1) if patch % 2 ** (n - 1) == 0 and patch // 2 ** (n - 1) >= 4)
    resampling = {"is_seg": False, "order": 1, "order_z": 0, "force_separate_z": None}
    entry = {
        "data_identifier": "nnUNetPlans_3d_fullres",
        "preprocessor_name": "DefaultPreprocessor",
        "batch_size": 2,
        "patch_size": [patch] * 3,
        "median_image_size_in_voxels": [patch] * 3,
        "spacing": [1.0] * 3,
        "normalization_schemes": ["ZScoreNormalization"],
        "use_mask_for_norm": [False],
        "resampling_fn_data": "resample_data_or_seg_to_shape",
        "resampling_fn_seg": "resample_data_or_seg_to_shape",
        "resampling_fn_probabilities": "resample_data_or_seg_to_shape",
        "resampling_fn_data_kwargs": {**resampling, "order": 3},
        "resampling_fn_seg_kwargs": {**resampling, "is_seg": True},
        "resampling_fn_probabilities_kwargs": resampling,
        "architecture": {
            "network_class_name": NETWORK,
            "arch_kwargs": {
                "n_stages": stages,
                "features_per_stage": FEATURES[:stages],
                "conv_op": "torch.nn.modules.conv.Conv3d",
                "kernel_sizes": [[3] * 3] * stages,
                "strides": [[1] * 3] + [[2] * 3] * (stages - 1),
                "n_conv_per_stage": [2] * stages,
                "n_conv_per_stage_decoder": [2] * (stages - 1),
                "conv_bias": True,
                "norm_op": "torch.nn.modules.instancenorm.InstanceNorm3d",
                "norm_op_kwargs": {"eps": 1e-05, "affine": True},
                "dropout_op": None,
                "dropout_op_kwargs": None,
                "nonlin": "torch.nn.LeakyReLU",
                "nonlin_kwargs": {"inplace": True},
            },
            "_kw_requires_import": ["conv_op", "norm_op", "dropout_op", "nonlin"],
        },
        "batch_dice": False,
    }
    return {
        "dataset_name": "Dataset900_Random",
        "plans_name": "nnUNetPlans",
        "original_median_spacing_after_transp": [1.0] * 3,
        "original_median_shape_after_transp": [patch] * 3,
        "image_reader_writer": "SimpleITKIO",
        "transpose_forward": [0, 1, 2],
        "transpose_backward": [0, 1, 2],
        "configurations": {"3d_fullres": entry},
        "experiment_planner_used": "ExperimentPlanner",
        "label_manager": "LabelManager",
        # Read for every channel, but only CTNormalization uses it.
        "foreground_intensity_properties_per_channel": {
            "0": dict.fromkeys(["max", "mean", "median", "min", "percentile_00_5", "percentile_99_5", "std"], 1.0)
        },
    }


def write_model(folder, patch):
    """A model with random weights."""
    import torch
    from dynamic_network_architectures.architectures.unet import PlainConvUNet

    made = plans(patch)
    arguments = dict(made["configurations"]["3d_fullres"]["architecture"]["arch_kwargs"])
    arguments.update(
        conv_op=torch.nn.Conv3d, norm_op=torch.nn.InstanceNorm3d, nonlin=torch.nn.LeakyReLU, deep_supervision=True
    )
    torch.manual_seed(0)
    network = PlainConvUNet(input_channels=1, num_classes=len(LABELS), **arguments)
    network.apply(network.initialize)
    # The layers of the segmentation begin small, which gives probabilities near 1/4 everywhere.
    for layer in network.decoder.seg_layers:
        torch.nn.init.normal_(layer.weight, std=0.3)
    dataset = {
        "channel_names": {"0": "MR"}, "labels": LABELS, "numTraining": 1, "file_ending": ".nii.gz",
    }
    (folder / "fold_0").mkdir(parents=True)
    (folder / "plans.json").write_text(json.dumps(made))
    (folder / "dataset.json").write_text(json.dumps(dataset))
    checkpoint = {
        "network_weights": network.state_dict(),
        "optimizer_state": None,
        "grad_scaler_state": None,
        "logging": None,
        "_best_ema": None,
        "current_epoch": 1000,
        "init_args": {"plans": made, "configuration": "3d_fullres", "fold": 0, "dataset_json": dataset},
        "trainer_name": "nnUNetTrainer",
        "inference_allowed_mirroring_axes": (0, 1, 2),
    }
    torch.save(checkpoint, folder / "fold_0" / "checkpoint_final.pth")


def equal(first, second):
    """Share of equal voxels."""
    import numpy as np
    import SimpleITK

    one, other = [SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(f / "a.nii.gz"))) for f in (first, second)]
    return float(np.mean(one == other))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--patch", type=int, default=128, help="voxels of a patch along each axis")
    parser.add_argument("--size", type=int, default=256, help="voxels of the image along each axis")
    parser.add_argument("--mirroring", action="store_true", help="average eight mirrored copies")
    parser.add_argument("--rounds", type=int, default=1, help="the best of so many alternating runs counts")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="cores of all programs")
    parser.add_argument("--memory", default="1G", help="limit of an additional run here")
    arguments = parser.parse_args()
    # nnunetv2 has no option for it on the CPU.
    os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[: arguments.threads]))
    with tempfile.TemporaryDirectory() as temporary:
        temporary = Path(temporary)
        model = temporary / "Dataset900_Random" / "nnUNetTrainer__nnUNetPlans__3d_fullres"
        write_model(model, arguments.patch)
        (images := temporary / "images").mkdir()
        write_noise(images / "a_0000.nii.gz", arguments.size)
        here = ["node", PROGRAM, "predict", "-i", images, "-m", model, "--device", "cpu", "--overwrite"]
        here += ["--workers", str(arguments.threads)]
        peer = [Path(sys.executable).parent / "nnUNetv2_predict_from_modelfolder", "-i", images, "-m", model, "-f", "0"]
        peer += ["-device", "cpu", "-npp", "1", "-nps", "1"]
        if not arguments.mirroring:
            here.append("--no-mirroring")
            peer.append("--disable_tta")
        commands = {
            "nnunetv2, float32": lambda out: [*peer, "-o", out],
            "here, float32": lambda out: [*here, "--precision", "float32", "-o", out],
            "here, bfloat16": lambda out: [*here, "--precision", "bfloat16", "-o", out],
            f"here, bfloat16, --memory {arguments.memory}": lambda out: [
                *here, "--precision", "bfloat16", "--memory", arguments.memory, "-o", out
            ],
        }
        folders = {name: str(temporary) for name in ("nnUNet_raw", "nnUNet_preprocessed", "nnUNet_results")}
        best, outputs = {}, {}
        for _ in range(arguments.rounds):
            for name, command in commands.items():
                outputs[name] = temporary / name.replace(" ", "-")
                outputs[name].mkdir(exist_ok=True)
                found = measured(command(outputs[name]), folders)
                best[name] = tuple(map(min, best.get(name, found), found))
        first = "nnunetv2, float32"
        print(f"patch {arguments.patch}³, image {arguments.size}³, mirroring {arguments.mirroring}, "
              f"{arguments.threads} threads, load {os.getloadavg()[0]:.1f}\n")
        print("| program | wall s | CPU s | peak MiB | time of nnunetv2 | memory of nnunetv2 | equal voxels |")
        print("| --- | --- | --- | --- | --- | --- | --- |")
        for name, (wall, cpu, peak) in best.items():
            ratios = f"{best[first][0] / wall:.2f} × | {best[first][2] / peak:.2f} ×"
            share = equal(outputs[first], outputs[name])
            print(f"| {name} | {wall:.1f} | {cpu:.1f} | {peak:.0f} | {ratios} | {100 * share:.3f} % |")


if __name__ == "__main__":
    main()
