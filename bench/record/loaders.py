"""Boxes and choices of the data loaders, with their draws scripted."""

import pickle
import unittest.mock
from collections import OrderedDict

import numpy as np

from common import inside

LOADING = "nnunet.training.dataloading.dataset_loading."


class Draws:
    """Keeps what the loader draws of, and gives the first of all choices and the lower or upper end of all ranges."""

    def __init__(self, upper=False):
        self.ranges, self.choices, self.upper = [], [], upper

    def randint(self, low, high):
        self.ranges.append((int(low), int(high)))
        return high - 1 if self.upper else low

    def choice(self, of, size=None, *_):
        offered = np.arange(of) if np.ndim(of) == 0 else np.asarray(of)
        if size is not None:
            return offered[:1].repeat(size)
        self.choices.append(offered)
        return offered[-1] if self.upper and np.ndim(of) == 0 else offered[0]

    def __enter__(self):
        self.patches = [
            unittest.mock.patch("numpy.random.randint", self.randint),
            unittest.mock.patch("numpy.random.choice", self.choice),
        ]
        for patch in self.patches:
            patch.start()
        return self

    def __exit__(self, *_):
        for patch in self.patches:
            patch.stop()


def load(loader, shape, patch, final, locations, forced, classes, upper=False, weights=False, **more):
    """One batch of one sample of a case whose image counts its voxels; what was drawn, and the loader."""
    voxels = int(np.prod(shape))
    index = np.arange(voxels, dtype=np.float32).reshape(shape)
    with inside("case"):
        np.save("c.npy", np.stack([index + 1, index % classes]))
        np.savez("c.npz", data=np.stack([index + 1, index % classes]))
        if weights:
            np.save("c_weightmap.npy", (index.astype(np.float64) + 0.5)[None])
        with open("c.pkl", "wb") as file:
            pickle.dump(OrderedDict(class_locations=locations), file)
        entry = {"data_file": "c.npz", "properties_file": "c.pkl", "weightmap_file": "c_weightmap.npy"}
        made = loader(
            OrderedDict(c=entry),
            patch,
            final,
            1,
            oversample_foreground_percent=float(forced),
            pad_mode="constant",
            **more,
        )
        with Draws(upper) as draws:
            return made.generate_train_batch(), draws, made


def bounds(draws):
    return np.array([r[0] for r in draws.ranges]), np.array([r[1] - 1 for r in draws.ranges])


def box_3d(shape, patch, final, voxel, classes, **more):
    from nnunet.training.dataloading.dataset_loading import DataLoader3D

    at = {1: np.array([voxel])}
    random, draws, _ = load(DataLoader3D, shape, patch, final, at, False, classes, **more)
    forced, _, _ = load(DataLoader3D, shape, patch, final, at, True, classes, **more)
    lower, upper = bounds(draws)
    return random, forced, lower, upper


def corner(batch, lower, patch, shape):
    """The lower corner of a forced box, from the number of the voxel of its image, or of the padding before it."""
    data = batch["data"][0, 0]
    seen = np.argwhere(data > 0)[0]
    first = np.array(np.unravel_index(int(data[tuple(seen)]) - 1, shape))[-len(patch) :]
    return first - seen


def boxes(topic, rng):
    rows, kept, count = [], {}, 5
    for k in range(14):
        shape = tuple(int(n) for n in rng.integers(4, 22, 3))
        final = rng.integers(2, 12, 3) * 2
        patch = final + rng.integers(0, 7, 3)
        voxel = [int(rng.integers(n)) for n in shape]
        random, forced, lower, upper = box_3d(shape, patch, final, voxel, count)
        rows.append((shape, patch, final, voxel, lower, upper, corner(forced, lower, patch, shape)))
        if k in (0, 3, 8) and np.prod(patch) < 3000:
            kept.update({f"case{k}_data": forced["data"], f"case{k}_seg": forced["seg"]})
            kept.update(
                {f"case{k}_random_at_lb_data": random["data"], f"case{k}_random_at_lb_seg": random["seg"]}
            )
    if not kept:
        raise RuntimeError("no patch was small enough to keep")
    names = ("shape", "patch_size", "final_patch_size", "voxel", "lb", "ub_inclusive", "bbox_lb_forced")
    arrays = {name: np.array(column) for name, column in zip(names, zip(*rows))}
    topic.arrays(
        "loader3d_bbox.npz",
        {**arrays, **kept},
        f"{LOADING}DataLoader3D.generate_train_batch",
        {"pad_mode": "constant", "pad_sides": None},
    )
    rows = []
    sides = [2, 0, 7]
    for _ in range(3):
        shape = tuple(int(n) for n in rng.integers(6, 18, 3))
        final = rng.integers(2, 6, 3) * 2
        patch = final + rng.integers(0, 4, 3)
        _, _, lower, upper = box_3d(shape, patch, final, [0, 0, 0], count, pad_sides=sides)
        rows.append((shape, patch, final, lower, upper))
    names = ("shape", "patch_size", "final_patch_size", "lb", "ub_inclusive")
    topic.arrays(
        "loader3d_bbox_pad_sides.npz",
        {n: np.array(c) for n, c in zip(names, zip(*rows))},
        f"{LOADING}DataLoader3D.generate_train_batch",
        {"pad_sides": sides},
    )


def boxes_2d(topic, rng):
    from nnunet.training.dataloading.dataset_loading import DataLoader2D

    rows, kept = [], {}
    for k in range(8):
        shape = tuple(int(n) for n in rng.integers(4, 24, 3))
        final = rng.integers(2, 9, 2) * 2
        patch = final + rng.integers(0, 6, 2)
        voxel = [int(rng.integers(n)) for n in shape]
        at = {1: np.array([voxel])}
        _, draws, _ = load(DataLoader2D, shape, patch, final, at, False, 4)
        forced, _, _ = load(DataLoader2D, shape, patch, final, at, True, 4)
        rows.append((shape, patch, final, voxel, *bounds(draws), corner(forced, None, patch, shape)))
        if k < 2:
            kept.update({f"case{k}_data": forced["data"], f"case{k}_seg": forced["seg"]})
    names = ("shape", "patch_size", "final_patch_size", "voxel", "lb", "ub_inclusive", "bbox_lb_forced")
    arrays = {name: np.array(column) for name, column in zip(names, zip(*rows))}
    topic.arrays(
        "loader2d_bbox.npz",
        {**arrays, **kept},
        f"{LOADING}DataLoader2D.generate_train_batch",
        {"pad_mode": "constant"},
    )
    voxels = np.array([[2, 0, 3], [2, 4, 1], [5, 2, 2], [5, 0, 0], [5, 6, 3], [6, 1, 1], [0, 3, 3]])
    _, draws, _ = load(
        DataLoader2D, (8, 7, 5), np.array([4, 4]), np.array([4, 4]), {1: [], 3: voxels}, True, 4
    )
    topic.arrays(
        "loader2d_slice_choice.npz",
        {
            "voxels_of_class3": voxels,
            "class_candidates": draws.choices[0],
            "slice_candidates": draws.choices[1],
        },
        f"{LOADING}DataLoader2D.generate_train_batch",
    )


def choices(topic):
    from nnunet.training.dataloading.dataset_loading import DataLoader3D
    from nnunet.training.dataloading.diag.dataset_loading_weightmaps import DataLoader3DWeighted

    counts = {-1: 4, 0: 9, 1: 0, 2: 6, 4: 1, 7: 3}
    at = {key: np.zeros((count, 3), int) if count else [] for key, count in counts.items()}
    _, draws, _ = load(DataLoader3D, (5, 6, 7), np.array([4, 4, 4]), np.array([4, 4, 4]), at, True, 5)
    topic.arrays(
        "loader3d_class_choice.npz",
        {
            "class_keys": np.array(list(counts)),
            "class_counts": np.array(list(counts.values())),
            "candidates": draws.choices[0],
        },
        f"{LOADING}DataLoader3D.generate_train_batch",
    )
    shape, patch, final = (7, 12, 9), [8, 5, 6], [6, 4, 6]
    _, draws, _ = load(DataLoader3D, shape, np.array(patch), np.array(final), {1: []}, True, 5)
    topic.arrays(
        "loader3d_no_foreground.npz",
        {"randint_calls": np.array(draws.ranges)},
        f"{LOADING}DataLoader3D.generate_train_batch",
        {"shape": list(shape), "patch_size": patch, "final_patch_size": final},
    )
    shape, patch, final, voxel = (9, 8, 11), np.array([8, 10, 6]), np.array([6, 8, 4]), [7, 1, 9]
    batch, _, _ = load(
        DataLoader3DWeighted, shape, patch, final, {1: np.array([voxel])}, True, 6, weights=True
    )
    topic.arrays(
        "loader3d_weighted.npz",
        {
            "shape": np.array(shape),
            "patch_size": patch,
            "final_patch_size": final,
            "voxel": np.array(voxel),
            "data": batch["data"],
            "seg": batch["seg"],
            "weightmap": batch["weightmap"],
        },
        "nnunet.training.dataloading.diag.dataset_loading_weightmaps.DataLoader3DWeighted.generate_train_batch",
    )


def oversampling(topic):
    from nnunet.training.dataloading.dataset_loading import DataLoader3D

    arrays = {}
    for fraction in (0.1, 0.33, 0.6, 0.9):
        loader = object.__new__(DataLoader3D)
        loader.oversample_foreground_percent = fraction
        table = np.zeros((11, 11), bool)
        for size in range(1, 12):
            loader.batch_size = size
            table[size - 1] = [loader.get_do_oversample(i) for i in range(11)]
        arrays[f"p{fraction}"] = table
    topic.arrays(
        "oversample_rule.npz",
        arrays,
        f"{LOADING}DataLoader3D.get_do_oversample",
        None,
        "row = batch size - 1, column = sample of the batch",
    )
