"""Spatial transforms with given angles and scales: plain, slice by slice, and with weightmaps."""

import numpy as np

from common import image, labels, scripted

BG = "batchgenerators.augmentations."
WEIGHTS = "nnunet.training.data_augmentation.diag.transforms.spatial_transforms_weightmaps."
TRAINER = {
    "order_data": 3,
    "border_mode_data": "constant",
    "border_cval_data": 0,
    "border_mode_seg": "constant",
    "border_cval_seg": -1,
    "random_crop": False,
    "do_elastic_deform": False,
}


def drawn(angles, scale):
    """Keyword arguments that draw, and the numbers that are drawn for one sample."""
    numbers = [*(angles or ()), *([] if scale is None else [scale])]
    turn = {f"angle_{axis}": (0, 1) for axis in "xyz"}
    return {
        "do_rotation": angles is not None,
        "do_scale": scale is not None,
        "scale": (1, 2),
        **turn,
    }, numbers


def spatial(topic, name, data, seg, patch, angles=None, scale=None, order_seg=1, cval=-1, note=None):
    from batchgenerators.augmentations.spatial_transformations import augment_spatial

    given, numbers = drawn(angles, scale)
    fixed = {**TRAINER, "border_cval_seg": cval, "order_seg": order_seg}
    with scripted(numbers * len(data)):
        out_data, out_seg = augment_spatial(data, seg, patch, 0, **given, **fixed)
    topic.arrays(
        f"spatial_{name}.npz",
        {
            "data": data,
            "seg": seg,
            "patch_size": np.array(patch),
            "angles": np.array(angles or (), float),
            "scale": np.array([] if scale is None else [scale]),
            "out_data": out_data,
            "out_seg": out_seg,
        },
        f"{BG}spatial_transformations.augment_spatial",
        {"angles": None if angles is None else list(angles), "scale": scale, **fixed},
        note,
    )


def weighted(topic, name, data, seg, weightmap, patch, angles=None, scale=None):
    from nnunet.training.data_augmentation.diag.transforms.spatial_transforms_weightmaps import (
        augment_spatial,
    )

    given, numbers = drawn(angles, scale)
    fixed = {**TRAINER, "order_seg": 0}
    with scripted(numbers * len(data)):
        out = augment_spatial(
            data, seg, weightmap, patch, 0, order_weightmap=1, border_cval_weightmap=0, **given, **fixed
        )
    topic.arrays(
        f"spatial_weights_{name}.npz",
        {
            "data": data,
            "seg": seg,
            "weightmap": weightmap,
            "patch_size": np.array(patch),
            "out_data": out[0],
            "out_seg": out[1],
            "out_weightmap": out[2],
        },
        f"{WEIGHTS}augment_spatial",
        {
            "angles": None if angles is None else list(angles),
            "scale": scale,
            "order_data": 3,
            "order_seg": 0,
            "border_cval_seg": -1,
            "order_weightmap": 1,
            "border_cval_weightmap": 0,
        },
    )


def slicewise(topic, name, data, seg, patch, angle, scale, weightmap=None):
    """Dummy 2D: slices become channels and back."""
    from nnunet.training.data_augmentation import custom_transforms as plain_transforms
    from nnunet.training.data_augmentation.diag.transforms import custom_transforms as weighted_transforms

    given, numbers = drawn([angle], scale)
    whole = {"data": data.copy(), "seg": seg.copy()}
    if weightmap is None:
        from batchgenerators.augmentations.spatial_transformations import augment_spatial

        flat = plain_transforms.Convert3DTo2DTransform()(**whole)
        with scripted(numbers * len(data)):
            made = augment_spatial(flat["data"], flat["seg"], patch, 0, **given, **TRAINER, order_seg=1)
        flat["data"], flat["seg"] = made
        out = plain_transforms.Convert2DTo3DTransform()(**flat)
    else:
        from nnunet.training.data_augmentation.diag.transforms.spatial_transforms_weightmaps import (
            augment_spatial,
        )

        flat = weighted_transforms.Convert3DTo2DTransformWithWeights()(**whole, weightmap=weightmap.copy())
        with scripted(numbers * len(data)):
            made = augment_spatial(
                flat["data"], flat["seg"], flat["weightmap"], patch, 0, **given, **TRAINER, order_seg=0
            )
        flat["data"], flat["seg"], flat["weightmap"] = made
        out = weighted_transforms.Convert2DTo3DTransformWithWeights()(**flat)
    arrays = {
        "data": data,
        "seg": seg,
        "patch_size": np.array(patch),
        "out_data": out["data"],
        "out_seg": out["seg"],
    }
    if weightmap is not None:
        arrays.update(weightmap=weightmap, out_weightmap=out["weightmap"])
    topic.arrays(
        f"spatial_{name}.npz",
        arrays,
        "Convert3DTo2DTransform -> augment_spatial -> Convert2DTo3DTransform",
        {"angle": angle, "scale": scale},
    )


def spatials(topic, rng):
    from nnunet.utilities.diag.generate_unet_weightmaps import compute_unet_border_weightmaps

    deep, flat = (9, 12, 10), (17, 20)
    data, seg = image(rng, deep, 3)[None], labels(rng, deep, 4, 0.05)[None, None]
    spatial(topic, "3d_turned_and_grown", data, seg, (6, 8, 8), (-0.35, 0.15, 0.3), 1.2)
    spatial(topic, "3d_turned", data, seg, (7, 6, 8), (0.5, -0.2, 0.1))
    spatial(topic, "3d_shrunk", data, seg, (8, 9, 7), None, 0.78)
    spatial(topic, "3d_nearest", data, seg, (8, 12, 10), (0.2, 0.0, -0.4), 1.35, order_seg=0)
    spatial(topic, "3d_nearest_cval_0", data, seg, (8, 12, 10), None, 1.3, order_seg=0, cval=0)
    spatial(topic, "3d_nothing_drawn", data, seg, (6, 9, 7))
    spatial(topic, "3d_nothing_drawn_pad", data, seg, (12, 9, 13), note="centre crop with padding by 0")
    data, seg = image(rng, flat, 2)[None], labels(rng, flat, 3)[None, None]
    batch = [np.concatenate([a, a[:, :, ::-1]]) for a in (data, seg)]
    spatial(topic, "2d_two_samples", *batch, (12, 15), (-1.7,), 1.15)
    spatial(topic, "2d_shrunk", data, seg, (13, 10), (0.4,), 0.72)
    spatial(topic, "2d_between_voxels", data[..., :12, :12], seg[..., :12, :12], (9, 7), (0.0,))
    shape = (5, 14, 13)
    data, seg = image(rng, shape, 2)[None], labels(rng, shape, 3)[None, None]
    made = compute_unet_border_weightmaps(seg[0, 0], (1, 2), 3.0, 8.0).astype(np.float32)[None, None]
    slicewise(topic, "dummy2d", data, seg, (10, 12), -0.8, 1.1)
    slicewise(topic, "weights_dummy2d", data, seg, (10, 12), 0.5, 0.9, made)
    weighted(topic, "turned_and_grown", data, seg, made, (4, 10, 10), (0.2, -0.1, 0.3), 1.15)
    weighted(topic, "nothing_drawn", data, seg, made, (4, 9, 8))
    weighted(topic, "nothing_drawn_pad", data, seg, made, (7, 9, 16))
