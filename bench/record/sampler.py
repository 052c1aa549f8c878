"""Patch centres of the sparse trainer, its transform about a drawn voxel, and the boxes of the data loaders."""

import unittest.mock

import numpy as np

from common import Topic, image, labels, scripted
from loaders import boxes, boxes_2d, choices, oversampling

SPARSE = "nnunet.training.data_augmentation.diag.transforms.spatial_transforms_sparse.augment_spatial_sparse"


def sparse(data, seg, patch, index, angles=None, scale=None, order_seg=1, cval=-1):
    """One call with drawn values given; the voxel is the one of this index among the annotated."""
    from nnunet.training.data_augmentation.diag.transforms.spatial_transforms_sparse import (
        augment_spatial_sparse,
    )

    drawn = [] if angles is None else list(angles)
    drawn += [] if scale is None else [scale]
    low, high = (scale, scale) if scale is not None else (1, 1)
    with scripted(drawn, lambda valid, size: np.array([valid[index]])):
        # scale_range (s, s) below 1 would draw from (s, 1): the listed number is what is drawn.
        return augment_spatial_sparse(
            data,
            seg,
            seg != -1,
            patch,
            np.array(patch) // 2,
            False,
            do_rotation=angles is not None,
            angle_x=(0, 1),
            angle_y=(0, 1),
            angle_z=(0, 1),
            do_scale=scale is not None,
            scale=(min(low, 1), max(high, 1)),
            border_mode_data="constant",
            border_cval_data=0,
            order_data=3,
            border_mode_seg="constant",
            border_cval_seg=cval,
            order_seg=order_seg,
            random_crop=False,
        )


def centre_of(seg, patch, index):
    """The centre that a drawn voxel gets, read from the coordinates that are interpolated."""
    module = "nnunet.training.data_augmentation.diag.transforms.spatial_transforms_sparse"
    seen = []

    def interpolate(img, coords, *_, **__):
        seen.append(coords.reshape(len(patch), -1).mean(1))
        return np.zeros(patch)

    with unittest.mock.patch(f"{module}.interpolate_img", interpolate):
        sparse(np.zeros((1, 1, *seg.shape), np.float32), seg[None, None], patch, index)
    return seen[0].round().astype(int)


def centres(topic, rng):
    flat, deep = (14, 11), (8, 12, 9)

    def scattered(shape, share):
        return labels(rng, shape, 3, share)

    slices = np.full(deep, -1, np.float32)
    slices[[1, 6]] = labels(rng, (2, *deep[1:]), 2)
    slices[slices == 0] = np.where(rng.random((slices == 0).sum()) < 0.7, -1, 0)
    border = np.full(deep, -1, np.float32)
    border[0, 3, :4] = border[-1, -1, ::3] = border[4, 0, 5] = 2
    cases = {
        "even_patch": (scattered(deep, 0.9), (4, 6, 8)),
        "odd_patch": (scattered(deep, 0.9), (3, 5, 7)),
        "two_slices": (slices, (4, 4, 4)),
        "border": (border, (6, 6, 4)),
        "whole_volume": (scattered(deep, 0.92), deep),
        "larger_than_volume": (scattered(deep, 0.93), (15, 4, 22)),
        "single_voxels": (scattered(deep, 0.95), (1, 1, 1)),
        "2d_even": (scattered(flat, 0.7), (6, 4)),
        "2d_odd": (scattered(flat, 0.7), (5, 7)),
    }
    for name, (seg, patch) in cases.items():
        picked = np.argwhere(seg != -1)
        found = np.array([centre_of(seg, patch, k) for k in range(len(picked))])
        dist = np.array(patch) // 2
        parameters = {"patch_size": list(patch), "patch_center_dist_from_border": dist.tolist()}
        topic.arrays(
            f"sparse_centers_{name}.npz",
            {
                "seg": seg,
                "patch_size": np.array(patch),
                "dist": dist,
                "picked": picked,
                "center": found,
            },
            SPARSE,
            parameters,
        )


def applied(topic, rng):
    deep = (10, 9, 12)
    data, seg = image(rng, deep, 1)[None], labels(rng, deep, 5, 0.3)[None, None]
    flat = (13, 16)
    data2, seg2 = image(rng, flat, 3)[None], labels(rng, flat, 3, 0.3)[None, None]
    three = {
        "even": ((4, 6, 4), None, None, 1),
        "odd": ((5, 3, 7), None, None, 1),
        "turned_y": ((6, 4, 6), (0, 0.45, 0), None, 1),
        "turned": ((5, 5, 5), (-0.28, 0.19, 0.4), None, 1),
        "shrunk": ((6, 6, 6), None, 0.75, 1),
        "grown": ((4, 6, 8), None, 1.3, 1),
        "turned_and_grown": ((6, 6, 8), (0.3, -0.15, 0.22), 1.25, 1),
        "nearest": ((6, 6, 8), (0.3, -0.15, 0.22), 1.4, 0),
    }
    two = {"2d_odd": ((7, 5), None, None, 1), "2d_turned_and_shrunk": ((6, 8), (-1.3,), 0.8, 1)}
    for (d, s), cases in (((data, seg), three), ((data2, seg2), two)):
        annotated = np.argwhere(s[0, 0] != -1)
        for name, (patch, angles, scale, order) in cases.items():
            index = int(rng.integers(len(annotated)))
            out_data, out_seg = sparse(d, s, patch, index, angles, scale, order)
            voxel = annotated[index]
            parameters = {
                "voxel": voxel.tolist(),
                "patch_size": list(patch),
                "angles_xyz_rad": None if angles is None else list(angles),
                "scale": scale,
                "order_data": 3,
                "order_seg": order,
                "border_mode_data": "constant",
                "border_cval_seg": -1,
            }
            topic.arrays(
                f"sparse_apply_{name}.npz",
                {
                    "data": d,
                    "seg": s,
                    "voxel": voxel,
                    "patch_size": np.array(patch),
                    "dist": np.array(patch) // 2,
                    "out_data": out_data,
                    "out_seg": out_seg,
                    "angles": np.array(angles or (), float),
                    "scale": np.array([] if scale is None else [scale]),
                },
                SPARSE,
                parameters,
            )


def record(out, rng):
    topic = Topic(out, "sampler")
    centres(topic, rng)
    applied(topic, rng)
    boxes(topic, rng)
    boxes_2d(topic, rng)
    choices(topic)
    oversampling(topic)
    topic.finish()
