"""Tiles, importance maps, sliding-window predictions and postprocessing."""

import shutil

import numpy as np
import torch

from common import Topic, image, inside, labels, network, state, stir, write_nifti

NETWORKS = {
    "net3d": {
        "input_channels": 1,
        "base_num_features": 3,
        "num_classes": 4,
        "pool_op_kernel_sizes": [[2, 2, 1], [1, 2, 2]],
        "conv_kernel_sizes": [[3, 3, 3], [3, 3, 3], [1, 3, 3]],
    },
    "net2d": {
        "input_channels": 1,
        "base_num_features": 4,
        "num_classes": 2,
        "pool_op_kernel_sizes": [[2, 2], [2, 1]],
        "conv_kernel_sizes": [[3, 3], [3, 3], [3, 3]],
    },
}
FOLDS = {"net3d": (0, 3), "net2d": (None,)}
# Run -> network, fold, shape (z, y, x), and what differs from the defaults.
RUNS = {
    "volume_mirrored": ("net3d", 0, (9, 15, 11), {"do_mirroring": True}),
    "volume_mirrored_fold3": ("net3d", 3, (9, 15, 11), {"do_mirroring": True, "mirror_axes": (1,)}),
    "volume_dense": ("net3d", 0, (8, 14, 13), {"step_size": 0.3}),
    "volume_smaller_than_patch": ("net3d", 0, (5, 12, 7), {"do_mirroring": True, "mirror_axes": (0, 2)}),
    "volume_plain_mean_fold3": ("net3d", 3, (10, 12, 9), {"use_gaussian": False, "step_size": 0.75}),
    "volume_regions": ("net3d", 0, (8, 12, 12), {"regions_class_order": (3, 1, 2, 4)}),
    "slices_mirrored": ("net2d", None, (3, 20, 13), {"do_mirroring": True, "mirror_axes": (0, 1)}),
    "slices_one_tile": ("net2d", None, (2, 12, 10), {"step_size": 1}),
}
PATCHES = {"net3d": (8, 12, 10), "net2d": (12, 10)}


def default_args(patch):
    return {
        "do_mirroring": False,
        "mirror_axes": tuple(range(len(patch))),
        "use_sliding_window": True,
        "step_size": 0.5,
        "patch_size": patch,
        "regions_class_order": None,
        "use_gaussian": True,
        "pad_border_mode": "constant",
        "pad_kwargs": {"constant_values": 0},
        "all_in_gpu": False,
        "verbose": False,
        "mixed_precision": False,
    }


def networks(topic, generator):
    from nnunet.utilities.nd_softmax import softmax_helper

    made = {}
    for name, args in NETWORKS.items():
        for fold in FOLDS[name]:
            model = network(
                args["input_channels"],
                args["num_classes"],
                args["base_num_features"],
                args["pool_op_kernel_sizes"],
                args["conv_kernel_sizes"],
            )
            stir(model, generator)
            with torch.no_grad():
                # Spread the classes, so that few voxels are near ties.
                model.seg_outputs[-1].weight.mul_(3)
            model.inference_apply_nonlin, model.do_ds = softmax_helper, False
            model.eval()
            made[name, fold] = model
            suffix = "" if fold is None else f"_fold{fold}"
            np.savez_compressed(topic.folder / f"weights_{name}{suffix}.npz", **state(model))
    return made


def predictions(topic, rng, generator):
    models = networks(topic, generator)
    runs = {}
    (topic.folder / "predict").mkdir()
    for name, (net, fold, shape, changed) in RUNS.items():
        args = {**default_args(PATCHES[net]), **changed}
        x = image(rng, shape, NETWORKS[net]["input_channels"])
        seg, softmax = models[net, fold].predict_3D(x.copy(), **args)
        np.savez_compressed(topic.folder / "predict" / f"{name}.npz", x=x, seg=seg, softmax=softmax)
        runs[name] = {"args": args, "x_shape": x.shape}
    common = {"num_conv_per_stage": 2, "norm": "InstanceNorm eps 1e-5 affine", "nonlin": "LeakyReLU 0.01"}
    topic.json("params.json", {"network_args": {"common": common, **NETWORKS}, "runs": runs})


def tiles(topic, rng):
    from batchgenerators.augmentations.utils import pad_nd_image
    from nnunet.network_architecture.neural_network import SegmentationNetwork

    steps, paddings, maps = [], [], {}
    for i in range(14):
        patch = tuple(int(n) for n in rng.integers(3, 90, 2 + i % 2))
        size = tuple(int(n + rng.integers(0, 120)) for n in patch)
        step = float(rng.choice([0.2, 0.33, 0.5, 0.9, 1.0]))
        found = SegmentationNetwork._compute_steps_for_sliding_window(patch, size, step)
        steps.append({"patch_size": patch, "image_size": size, "step_size": step, "steps": found})
    topic.json("sliding_window_steps.json", steps)
    for i in range(6):
        shape = tuple(int(n) for n in rng.integers(1, 12, 3 + i % 2))
        wanted = tuple(int(n) for n in rng.integers(1, 15, 2 + i % 2))
        out, slicer = pad_nd_image(np.zeros(shape), wanted, "constant", {"constant_values": 0}, True, None)
        pairs = [[s.start, s.stop] for s in slicer]
        paddings.append({"shape": shape, "new_shape": wanted, "out_shape": out.shape, "slicer": pairs})
    topic.json("pad_nd_image.json", paddings)
    for patch in ((6, 10, 14), (3, 4, 5), (11, 11, 2), (24, 9), (1, 7)):
        name = "g_" + "_".join(map(str, patch))
        maps[name] = SegmentationNetwork._get_gaussian(patch, 1.0 / 8)
    np.savez_compressed(topic.folder / "gaussian.npz", **maps)


def removals(topic, rng):
    from nnunet.postprocessing.connected_components import (
        remove_all_but_the_largest_connected_component as remove,
    )

    shape = (7, 13, 11)
    seg = labels(rng, shape, 4).astype(np.uint8)
    ties = np.zeros(shape, np.uint8)
    ties[1:3, 1:4, 1:4] = ties[4:6, 6:9, 5:8] = ties[6, 12, 10] = 2
    corners = np.zeros(shape, np.uint8)
    corners[0:3, 0:3, 0:3] = corners[3:5, 3:5, 3:5] = 5
    cases = {
        "each_of_three": (seg, [1, 2, 3], 0.7, None),
        "joint_and_single": (seg, [(1, 3), 2], 2.0, None),
        "whatever_is_there": (seg, None, 1.0, None),
        "equal_sizes": (ties, [2], 3.5, None),
        "corners_touch": (corners, [5], 1.0, None),
        "only_small_ones": (seg, [1, 3], 1.5, {1: 9.0, 3: 20.0}),
        "nothing_there": (ties, [4], 1.0, None),
    }
    arrays, record = {}, {}
    for name, (given, classes, voxel, sizes) in cases.items():
        out, removed, kept = remove(given.copy(), classes, voxel, sizes)
        arrays.update({f"in_{name}": given, f"out_{name}": out})
        record[name] = {
            "for_which_classes": classes,
            "volume_per_voxel": voxel,
            "minimum_valid_object_size": sizes,
            "largest_removed": removed,
            "kept_size": kept,
        }
    folder = topic.folder / "postprocessing"
    folder.mkdir()
    np.savez_compressed(folder / "remove_all_but_largest.npz", **arrays)
    topic.json("postprocessing/remove_all_but_largest.json", record)


def scene(rng, islands, second_organ=False):
    """A reference of nested classes 1 and 2, and a prediction of it with islands of the given classes."""
    reference = np.zeros((8, 14, 12), np.uint8)
    z, y, x = (int(n) for n in rng.integers(0, 2, 3))
    reference[1 + z : 5 + z, 2 + y : 8 + y, 2 + x : 7 + x] = 1
    reference[2 + z : 4 + z, 4 + y : 7 + y, 3 + x : 6 + x] = 2
    if second_organ:
        reference[6:8, 10:13, 9:11] = 1
    prediction = reference.copy()
    prediction[1 + z, 2 + y, 2 + x : 5 + x] = 0
    for number, label in enumerate(islands):
        prediction[0, 12, 3 * number + 1] = label
    return reference, prediction


SCENARIOS = {
    "islands_of_both": ([1, 2], False, (1, 2)),
    "islands_of_the_inner_class": ([2], True, (1, 2)),
    "two_organs": ([], True, (1, 2)),
    "one_class": ([1, 1], False, (1,)),
}


def decisions(topic, rng):
    from nnunet.evaluation.evaluator import aggregate_scores
    from nnunet.postprocessing.connected_components import determine_postprocessing

    for name, (islands, second_organ, classes) in SCENARIOS.items():
        with inside(f"postprocessing/{name}"):
            pairs = []
            for number in range(3):
                case = f"subject-{number}.nii.gz"
                made = scene(rng, islands if number != 1 else [], second_organ)
                made = [np.where(np.isin(a, classes), a, 0).astype(np.uint8) for a in made]
                for folder, array in zip(("gt", "validation_raw"), made):
                    write_nifti(f"{folder}/{case}", array, (2.0, 1.0, 1.5))
                pairs.append([f"validation_raw/{case}", f"gt/{case}"])
            aggregate_scores(
                pairs, labels=list(classes), json_output_file="validation_raw/summary.json", num_threads=2
            )
            for suffix, advanced in (("", False), ("_adv", True)):
                determine_postprocessing(
                    ".",
                    "gt",
                    "validation_raw",
                    final_subf_name=f"validation_final{suffix}",
                    processes=2,
                    advanced_postprocessing=advanced,
                    pp_filename=f"postprocessing{suffix}.json",
                )
            shutil.copytree(".", topic.folder / "postprocessing" / "determine" / name)


def record(out, rng):
    topic = Topic(out, "inference")
    generator = torch.Generator().manual_seed(int(rng.integers(1 << 30)))
    torch.manual_seed(int(rng.integers(1 << 30)))
    tiles(topic, rng)
    predictions(topic, rng, generator)
    removals(topic, rng)
    decisions(topic, rng)
