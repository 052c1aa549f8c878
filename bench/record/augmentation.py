"""The parts of the augmentation, each with its drawn values given, and the attributes of the trainers' chains."""

import unittest.mock

import numpy as np

from chains import chains
from common import Topic, image, labels, scripted
from spatial import spatials

BG = "batchgenerators.augmentations."
NNUNET = "nnunet.training.data_augmentation."
WEIGHTS = f"{NNUNET}diag.transforms.spatial_transforms_weightmaps."


def intensities(topic, rng):
    from batchgenerators.augmentations import color_augmentations as color
    from batchgenerators.augmentations import noise_augmentations as noise
    from batchgenerators.augmentations import resample_augmentations as resample

    inputs = {"2d": image(rng, (13, 18), 3), "3d": image(rng, (6, 9, 8), 2)}
    for kind, data in inputs.items():
        channels = len(data)

        def put(name, out, function, parameters, **more):
            topic.arrays(f"{name}.npz", {"data": data, "out_data": out, **more}, BG + function, parameters)

        for value in (0.82, 1.3):
            for invert in (False, True):
                for retain in (False, True):
                    name = f"gamma_{kind}_g{value}_{'inv' if invert else 'noinv'}_{'retain' if retain else 'noretain'}"
                    with scripted([value] * channels):
                        out = color.augment_gamma(data.copy(), (1, 2), invert, 1e-7, True, retain)
                    put(
                        name.replace(".", "p"),
                        out,
                        "color_augmentations.augment_gamma",
                        {"gamma": value, "invert_image": invert, "retain_stats": retain, "per_channel": True},
                    )
        for value in (0.8, 1.2):
            with scripted():
                out = color.augment_contrast(data.copy(), lambda value=value: value, True, True)
            put(
                f"contrast_{kind}_f{value}".replace(".", "p"),
                out,
                "color_augmentations.augment_contrast",
                {"factor": value, "preserve_range": True, "per_channel": True},
            )
        factors = np.round(rng.uniform(0.75, 1.25, channels), 3)
        with scripted([9.0, *factors]):
            out = color.augment_brightness_multiplicative(data.copy(), (0.75, 1.25), True)
        put(
            f"brightness_mult_{kind}",
            out,
            "color_augmentations.augment_brightness_multiplicative",
            {"per_channel": True},
            factors=factors,
        )
        for value in (0.55, 0.9):
            with scripted():
                out = noise.augment_gaussian_blur(data.copy(), (value, value), True, 1)
            put(
                f"blur_{kind}_s{value}".replace(".", "p"),
                out,
                "noise_augmentations.augment_gaussian_blur",
                {"sigma": value},
            )
        for value in (0.55, 0.8, 1.0):
            for ignored in (None, (0,)) if kind == "3d" else (None,):
                with scripted():
                    out = resample.augment_linear_downsampling_scipy(
                        data.copy(), (value, value), True, 1, None, 0, 3, ignored
                    )
                name = f"lowres_{kind}_z{value}{'_ignore0' if ignored else ''}".replace(".", "p")
                put(
                    name,
                    out,
                    "resample_augmentations.augment_linear_downsampling_scipy",
                    {"zoom": value, "order_downsample": 0, "order_upsample": 3, "ignore_axes": ignored},
                )
    n, sds = 60_000, (0.0, 0.02, 0.08)
    measured = [noise.augment_gaussian_noise(np.zeros((1, n)), (sd, sd)) for sd in sds]
    topic.arrays(
        "noise_stats.npz",
        {
            "requested_variance": np.array(sds),
            "measured_std": np.array([m.std() for m in measured]),
            "n": np.array(n),
        },
        f"{BG}noise_augmentations.augment_gaussian_noise",
        {"noise_variance": "(v, v)"},
    )
    data, added = image(rng, (3, 8, 5), 2), rng.normal(0, 0.05, (2, 3, 8, 5))
    topic.arrays(
        "noise_add_fixed.npz",
        {"data": data, "noise": added, "out_data": (data + added).astype(np.float32)},
        "data + normal(0, v), stored back to float32",
        {"v": 0.05},
    )


def mirrors(topic, rng):
    from batchgenerators.augmentations.spatial_transformations import augment_mirroring
    from nnunet.training.data_augmentation.diag.transforms import spatial_transforms_weightmaps

    def flips(axes, chosen):
        return unittest.mock.patch(
            "numpy.random.uniform", side_effect=[0.1 if a in chosen else 0.9 for a in axes]
        )

    for shape, chosen in (
        ((5, 7, 6), (2,)),
        ((5, 7, 6), (1, 2)),
        ((5, 7, 6), ()),
        ((8, 6), (0,)),
        ((8, 6), (0, 1)),
    ):
        axes = tuple(range(len(shape)))
        data, seg = image(rng, shape, 2), labels(rng, shape, 4, 0.2)[None]
        with flips(axes, chosen):
            out_data, out_seg = augment_mirroring(data.copy(), seg.copy(), axes)
        name = f"mirror_{len(shape)}d_{''.join(map(str, chosen)) or 'none'}.npz"
        topic.arrays(
            name,
            {
                "data": data,
                "seg": seg,
                "flipped_spatial_axes": np.array(chosen, int),
                "out_data": out_data,
                "out_seg": out_seg,
            },
            f"{BG}spatial_transformations.augment_mirroring",
            {"axes": list(axes)},
        )
    shape, axes, chosen = (4, 6, 7), (0, 1, 2), (0, 1)
    data, seg, weightmap = (
        image(rng, shape, 1),
        labels(rng, shape, 3)[None],
        rng.random((1, *shape)).astype(np.float32),
    )
    with flips(axes, chosen):
        out = spatial_transforms_weightmaps.augment_mirroring(data.copy(), seg.copy(), weightmap.copy(), axes)
    topic.arrays(
        "mirror_weights_3d_01.npz",
        {
            "data": data,
            "seg": seg,
            "weightmap": weightmap,
            "flipped_spatial_axes": np.array(chosen),
            "out_data": out[0],
            "out_seg": out[1],
            "out_weightmap": out[2],
        },
        f"{WEIGHTS}augment_mirroring",
        {"axes": list(axes)},
    )


def targets(topic, rng):
    from batchgenerators.transforms.utility_transforms import RemoveLabelTransform
    from nnunet.training.data_augmentation.custom_transforms import MaskTransform
    from nnunet.training.data_augmentation.downsampling import downsample_seg_for_ds_transform2

    shape = (5, 8, 7)
    data, seg = image(rng, shape, 3)[None], labels(rng, shape, 3, 0.3)[None, None]
    made = MaskTransform({0: False, 1: True, 2: True}, 0, 0)(data=data.copy(), seg=seg)
    topic.arrays(
        "mask_transform.npz",
        {
            "data": data,
            "seg": seg,
            "use_mask": np.array([False, True, True]),
            "out_data": made["data"],
        },
        f"{NNUNET}custom_transforms.MaskTransform",
        {"mask_idx_in_seg": 0, "set_outside_to": 0},
    )
    topic.arrays(
        "remove_label.npz",
        {"seg": seg, "out_seg": RemoveLabelTransform(-1, 0)(seg=seg.copy())["seg"]},
        "batchgenerators RemoveLabelTransform(-1, 0)",
    )
    maps = np.round(4 * rng.random((1, 1, 6, 8, 8))).astype(np.float32) / 4 + 1
    for name, whole, scales, order in (
        (
            "ds_seg_3d_flat",
            labels(rng, (6, 12, 16), 4)[None, None],
            [[1, 1, 1], [1, 0.5, 0.5], [0.5, 0.5, 0.25]],
            0,
        ),
        ("ds_seg_3d_unlabelled", labels(rng, (8, 8, 8), 3, 0.5)[None, None], [[1, 1, 1], [0.5, 0.5, 0.5]], 0),
        (
            "ds_seg_3d_odd",
            labels(rng, (7, 9, 5), 3)[None, None],
            [[1, 1, 1], [0.5, 0.5, 0.5], [0.25, 0.5, 0.5]],
            0,
        ),
        (
            "ds_seg_2d_uneven",
            np.stack([labels(rng, (12, 20), 5)[None] for _ in range(3)]),
            [[1, 1], [0.5, 1], [0.25, 0.5]],
            0,
        ),
        ("ds_weightmap_levels", maps, [[1, 1, 1], [0.5, 0.5, 0.5], [0.5, 0.25, 0.25]], 1),
        ("ds_weightmap_flat", np.full((1, 1, 4, 8, 6), 2.25, np.float32), [[1, 1, 1], [0.5, 0.5, 0.5]], 1),
    ):
        made = downsample_seg_for_ds_transform2(whole, scales, order)
        topic.arrays(
            f"{name}.npz",
            {
                "input": whole,
                "scales": np.array(scales, float),
                "order": np.array(order),
                **{f"out_{i}": a for i, a in enumerate(made)},
            },
            f"{NNUNET}downsampling.downsample_seg_for_ds_transform2",
            {"scales": scales, "order": order},
        )


def patch_sizes(topic, rng):
    from nnunet.training.data_augmentation.default_data_augmentation import get_patch_size

    for axes in (2, 3):
        patch = rng.integers(2, 30, (9, axes)) * 8
        angles = rng.uniform(0.05, 1.5, (9, 3))
        scales = np.stack([rng.uniform(0.6, 0.95, 9), rng.uniform(1.0, 1.5, 9)], 1)
        if axes == 2:
            angles[:, 1:] = 0
        result = [get_patch_size(p, *a, tuple(s)) for p, a, s in zip(patch, angles, scales)]
        turned = {"angle": angles[:, 0]} if axes == 2 else {"angles": angles}
        topic.arrays(
            f"get_patch_size_{axes}d.npz",
            {"patch": patch, **turned, "scale_range": scales, "result": np.array(result)},
            f"{NNUNET}default_data_augmentation.get_patch_size",
        )


def record(out, rng):
    topic = Topic(out, "augmentation")
    spatials(topic, rng)
    intensities(topic, rng)
    mirrors(topic, rng)
    targets(topic, rng)
    patch_sizes(topic, rng)
    chains(topic)
    topic.finish()
