"""Times the reference's augmentation chain, as nnU-Net v1 and DIAG's fork build it, on batches that are in memory.

    python reference.py CONFIGURATION [--batches N] [--fork DIR]

batchgenerators is installed by run.sh; `--fork` is a checkout of DIAGNijmegen/nnUNet, whose own transforms (dummy 2D,
mask, sparse and weighted spatial transforms, deep-supervision targets) are loaded from their files, so that neither
torch nor the rest of nnU-Net is needed.
"""

import argparse
import importlib
import json
import sys
import time
import types
from pathlib import Path

import numpy as np
from batchgenerators.transforms.abstract_transforms import Compose
from batchgenerators.transforms.color_transforms import (
    BrightnessMultiplicativeTransform,
    ContrastAugmentationTransform,
    GammaTransform,
)
from batchgenerators.transforms.noise_transforms import GaussianBlurTransform, GaussianNoiseTransform
from batchgenerators.transforms.resample_transforms import SimulateLowResolutionTransform
from batchgenerators.transforms.spatial_transforms import MirrorTransform, SpatialTransform
from batchgenerators.transforms.utility_transforms import RemoveLabelTransform, RenameTransform
from scipy.ndimage import distance_transform_edt

HERE = Path(__file__).parent


def fork_module(fork, name):
    """Imports one module of the fork without running the packages' __init__ files. torch is imported there for a
    transform that is not used here, so an empty module is enough."""
    if "torch" not in sys.modules:
        for part in ("torch", "torch.nn", "torch.nn.functional"):
            sys.modules[part] = types.ModuleType(part)
        sys.modules["torch.nn.functional"].avg_pool2d = sys.modules["torch.nn.functional"].avg_pool3d = None
    for depth in range(1, name.count(".") + 1):
        package = ".".join(name.split(".")[:depth])
        if package not in sys.modules:
            module = types.ModuleType(package)
            module.__path__ = [str(fork / package.replace(".", "/"))]
            sys.modules[package] = module
    return importlib.import_module(name)


def chain(config, fork):
    angle = np.deg2rad(config["degrees"])
    planar = len(config["patch"]) == 2
    augmentation = "nnunet.training.data_augmentation."
    custom = fork_module(fork, augmentation + "custom_transforms")
    downsampling = fork_module(fork, augmentation + "downsampling")
    common = dict(
        do_elastic_deform=False, do_rotation=True, angle_x=(-angle, angle), angle_y=(-angle, angle),
        angle_z=(-angle, angle), do_scale=True, scale=(0.7, 1.4), border_mode_data="constant", border_cval_data=0,
        order_data=3, border_mode_seg="constant", border_cval_seg=-1, random_crop=False, p_el_per_sample=0.2,
        p_scale_per_sample=0.2, p_rot_per_sample=0.2, independent_scale_for_each_axis=False, p_rot_per_axis=1,
    )
    patch = np.array(config["patch"])
    if config["kind"] == "sparse":
        module = fork_module(fork, augmentation + "diag.transforms.spatial_transforms_sparse")
        spatial = module.SparseSpatialTransform(patch, patch_center_dist_from_border=patch // 2, order_seg=1, **common)
    elif config["kind"] == "weighted":
        module = fork_module(fork, augmentation + "diag.transforms.spatial_transforms_weightmaps")
        spatial = module.SpatialTransformWithWeights(
            patch, patch_center_dist_from_border=None, order_seg=0, border_mode_weightmap="constant",
            border_cval_weightmap=0, order_weightmap=1, **common)
    else:
        spatial = SpatialTransform(patch, patch_center_dist_from_border=None, order_seg=1, **common)
    axes = (0, 1) if planar else (0, 1, 2)
    mirror = module.MirrorTransformWithWeights(axes) if config["kind"] == "weighted" else MirrorTransform(axes)
    transforms = [
        spatial,
        GaussianNoiseTransform(p_per_sample=0.1),
        GaussianBlurTransform((0.5, 1.0), different_sigma_per_channel=True, p_per_sample=0.2, p_per_channel=0.5),
        BrightnessMultiplicativeTransform(multiplier_range=(0.75, 1.25), p_per_sample=0.15),
        ContrastAugmentationTransform(p_per_sample=0.15),
        SimulateLowResolutionTransform(zoom_range=(0.5, 1), per_channel=True, p_per_channel=0.5, order_downsample=0,
                                       order_upsample=3, p_per_sample=0.25, ignore_axes=None),
        GammaTransform((0.7, 1.5), True, True, retain_stats=True, p_per_sample=0.1),
        GammaTransform((0.7, 1.5), False, True, retain_stats=True, p_per_sample=0.3),
        mirror,
        custom.MaskTransform({0: False}, mask_idx_in_seg=0, set_outside_to=0),
    ]
    if config["kind"] != "sparse":
        transforms.append(RemoveLabelTransform(-1, 0))
    transforms.append(RenameTransform("seg", "target", True))
    scales = config["scales"]
    transforms.append(downsampling.DownsampleSegForDSTransform2(scales, 0, input_key="target", output_key="target"))
    if config["kind"] == "weighted":
        transforms.append(
            downsampling.DownsampleSegForDSTransform2(scales, 1, input_key="weightmap", output_key="weightmap"))
    return Compose(transforms)


def batch(config, rng, levels):
    """Smooth structures with noise, three labels; sparse: every eighth slice is annotated, and blocks beside it."""
    shape = config["loaded"]
    grid = np.meshgrid(*[np.arange(n, dtype=np.float32) for n in shape], indexing="ij", sparse=True)
    data = np.empty((config["batch"], 1, *shape), np.float32)
    seg = np.zeros_like(data)
    weights = np.empty_like(data) if config["kind"] == "weighted" else None
    for b in range(config["batch"]):
        phase = rng.uniform(0, 6, len(shape))
        wave = sum(np.sin(g / 11 + p) for g, p in zip(grid, phase)) / len(shape)
        data[b, 0] = 2 * wave + rng.normal(0, 0.3, shape)
        seg[b, 0] = np.digitize(wave, (0.2, 0.5))
        if config["kind"] == "sparse":
            labelled = (np.arange(shape[0]) % 8 == 0)[:, None, None]
            seg[b, 0][np.broadcast_to(~labelled, shape)] = -1
        if weights is not None:
            # Like U-Net border weightmaps: a function of the distance to the objects, with hundreds of distinct values.
            border = np.exp(-distance_transform_edt(seg[b, 0] == 0) ** 2 / 50)
            weights[b, 0] = 1 + 10 * (np.round(border * (levels - 1)) / (levels - 1) if levels > 1 else border)
    made = {"data": data, "seg": seg}
    if weights is not None:
        made["weightmap"] = weights
    return made


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("configuration")
    parser.add_argument("--batches", type=int, default=20)
    parser.add_argument("--levels", type=int, default=0, help="round weightmaps to so many values")
    parser.add_argument("--fork", type=Path, default=HERE.parents[1] / ".peers" / "nnUNet")
    args = parser.parse_args()
    config = json.loads((HERE / "configurations.json").read_text())[args.configuration]
    transforms = chain(config, args.fork)
    rng = np.random.default_rng(1)
    source = batch(config, rng, args.levels)
    np.random.seed(1)
    wall = cpu = 0.0
    zeros = []
    for _ in range(args.batches):
        given = {key: value.copy() for key, value in source.items()}
        start, start_cpu = time.perf_counter(), time.process_time()
        made = transforms(**given)
        wall += time.perf_counter() - start
        cpu += time.process_time() - start_cpu
        if "weightmap" in source:
            zeros.append([np.mean(scale == 0) for scale in made["weightmap"]])
    print(json.dumps({"who": "reference", "configuration": args.configuration, "batches": args.batches,
                      "distinctWeights": len(np.unique(source.get("weightmap", 0))),
                      "zeroWeights": list(np.mean(zeros, axis=0)) if zeros else [],
                      "wallPerBatch": wall / args.batches, "cpuPerBatch": cpu / args.batches}))


if __name__ == "__main__":
    main()
