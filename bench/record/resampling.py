"""Resampling of images, segmentations and softmax, and the export of predictions."""

import importlib
import os

import numpy as np
import SimpleITK as sitk

from common import Topic, image, inside, labels

PATIENT = {
    "coarser": {"shape": [8, 13, 11], "original_spacing": [1.1, 0.8, 0.9], "target_spacing": [1.7, 1.0, 1.3]},
    "slices": {"shape": [5, 12, 14], "original_spacing": [6.0, 1.1, 1.0], "target_spacing": [4.4, 1.0, 1.2]},
    "coarse_last_axis": {
        "shape": [11, 12, 6],
        "original_spacing": [0.9, 1.0, 4.2],
        "target_spacing": [1.1, 0.9, 3.0],
    },
    "anisotropic_before": {
        "shape": [6, 12, 10],
        "original_spacing": [4.0, 1.0, 1.1],
        "target_spacing": [2.2, 1.0, 1.0],
    },
    "never_apart": {
        "shape": [5, 11, 12],
        "original_spacing": [5.0, 1.0, 1.0],
        "target_spacing": [3.0, 1.2, 1.1],
        "force_separate_z": False,
    },
    "always_apart": {
        "shape": [9, 8, 10],
        "original_spacing": [1.3, 1.0, 1.1],
        "target_spacing": [1.0, 0.9, 0.8],
        "force_separate_z": True,
    },
    "halves": {"shape": [9, 7, 5], "original_spacing": [1.0, 1.0, 1.0], "target_spacing": [2.0, 2.0, 2.0]},
    "unchanged": {"shape": [6, 7, 8], "original_spacing": [1.0, 1.2, 1.1], "target_spacing": [1.0, 1.2, 1.1]},
}
SOFTMAX = {
    "linear": {
        "shape": [6, 9, 8],
        "new_shape": [10, 12, 7],
        "axis": None,
        "order": 1,
        "do_separate_z": False,
        "order_z": 0,
    },
    "apart_0": {
        "shape": [5, 9, 8],
        "new_shape": [8, 12, 11],
        "axis": [0],
        "order": 1,
        "do_separate_z": True,
        "order_z": 0,
    },
    "apart_1_linear": {
        "shape": [9, 4, 8],
        "new_shape": [12, 7, 11],
        "axis": [1],
        "order": 1,
        "do_separate_z": True,
        "order_z": 1,
    },
    "apart_2_fewer": {
        "shape": [8, 9, 7],
        "new_shape": [9, 11, 4],
        "axis": [2],
        "order": 1,
        "do_separate_z": True,
        "order_z": 0,
    },
    "cubic": {
        "shape": [7, 8, 6],
        "new_shape": [9, 7, 10],
        "axis": None,
        "order": 3,
        "do_separate_z": False,
        "order_z": 0,
    },
}
SEGMENTATION = [
    ((7, 9, 8), (11, 8, 13)),
    ((12, 10, 9), (5, 6, 7)),
    ((11, 14), (16, 9)),
    ((6, 6, 6), (12, 12, 12)),
]


def softmax(rng, classes, shape):
    scores = 4 * image(rng, tuple(shape), classes)
    scores = np.exp(scores - scores.max(0))
    return np.round(scores / scores.sum(0) * 1024).astype(np.float32) / 1024


def patients(topic, rng):
    from nnunet.preprocessing.preprocessing import resample_patient

    params = {}
    for name, p in PATIENT.items():
        p = {"force_separate_z": None, **p}
        shape = tuple(p["shape"])
        data, seg = image(rng, shape, 1), labels(rng, shape, 4, 0.05)[None]
        arrays = {"data": data, "seg": seg}

        def resample(order_data, order_seg, order_z):
            return resample_patient(
                data,
                seg,
                np.array(p["original_spacing"]),
                np.array(p["target_spacing"]),
                order_data,
                order_seg,
                p["force_separate_z"],
                order_z_data=order_z,
                order_z_seg=order_z,
            )

        arrays["out_data_order3"], arrays["out_seg_order1"] = resample(3, 1, 0)
        arrays["out_seg_order0"] = resample(3, 0, 0)[1]
        arrays["out_data_order1_orderz1"], arrays["out_seg_order1_orderz1"] = resample(1, 1, 1)
        params[name] = {**p, "out_shape": arrays["out_seg_order1"].shape[1:]}
        topic.arrays(f"resample_patient/{name}.npz", arrays)
    topic.json("resample_patient/params.json", params)


def softmaxes(topic, rng):
    from nnunet.preprocessing import alt, preprocessing

    for name, p in SOFTMAX.items():
        given = softmax(rng, 4, p["shape"])
        args = (np.array(p["new_shape"]), False, p["axis"], p["order"], p["do_separate_z"])
        topic.arrays(
            f"softmax_default_vs_alt/{name}.npz",
            {
                "softmax": given,
                "out_default": preprocessing.resample_data_or_seg(given.copy(), *args, order_z=p["order_z"]),
                "out_alt": alt.resample_data_or_seg(given.copy(), *args, order_z=p["order_z"]),
            },
        )
    topic.json("softmax_default_vs_alt/params.json", SOFTMAX)


def segmentations(topic, rng):
    from batchgenerators.augmentations.utils import resize_segmentation

    params = {}
    for i, (shape, new_shape) in enumerate(SEGMENTATION):
        seg = labels(rng, shape, 5, 0.03)
        arrays = {"seg": seg}
        arrays.update({f"out_order{o}": resize_segmentation(seg, new_shape, o) for o in (0, 1, 3)})
        topic.arrays(f"resize_segmentation/rs_{i}.npz", arrays)
        params[f"rs_{i}"] = {"shape": shape, "new_shape": new_shape}
    topic.json("resize_segmentation/params.json", params)


def resizes(topic, rng):
    from skimage.transform import resize

    arrays = {"x3": rng.standard_normal((6, 7, 5)), "x2": rng.standard_normal((11, 8))}
    for dimension, shape in ((3, (4, 10, 9)), (3, (9, 7, 3)), (2, (7, 15))):
        for order in (0, 1, 3):
            made = resize(arrays[f"x{dimension}"], shape, order, mode="edge", anti_aliasing=False)
            arrays[f"resize{dimension}d_o{order}_to_{'_'.join(map(str, shape))}"] = made
    np.savez_compressed(topic.folder / "skimage_resize.npz", **arrays)


EXPORTS = {
    "slices": ([9, 22, 20], [4.5, 1.0, 1.2], [[1, 8], [3, 20], [2, 19]], [3.0, 1.4, 1.3], {}),
    "cubic": ([14, 16, 15], [1.2, 1.0, 1.0], [[2, 13], [0, 14], [1, 15]], [1.0, 1.3, 1.1], {"order": 3}),
    "regions_of_two": (
        [12, 18, 16],
        [1.0, 1.1, 1.0],
        [[0, 12], [4, 16], [2, 14]],
        [1.3, 1.0, 1.2],
        {"region_class_order": [2, 5, 1]},
    ),
    "never_apart": (
        [8, 20, 18],
        [4.0, 1.0, 1.0],
        [[1, 7], [2, 18], [3, 17]],
        [3.1, 1.2, 1.1],
        {"force_separate_z": False},
    ),
}


def network_shape(size, spacing, after):
    return [max(1, round(n * s / a)) for n, s, a in zip(size, spacing, after)]


def switch(alternative):
    """Turns the alternative resampling on or off, which the reference reads when it is imported."""
    from nnunet.inference import segmentation_export
    from nnunet.utilities import switches

    os.environ.pop("DIAG_NNUNET_ALT_RESAMPLING", None)
    if alternative:
        os.environ["DIAG_NNUNET_ALT_RESAMPLING"] = "1"
    importlib.reload(switches)
    importlib.reload(segmentation_export)


def export(topic, rng):
    from nnunet.inference import segmentation_export

    params = {}
    for name, (original, spacing, bbox, after, kwargs) in EXPORTS.items():
        cropped = [b - a for a, b in bbox]
        regions = kwargs.get("region_class_order")
        given = softmax(rng, 3, network_shape(cropped, spacing, after))
        properties = {
            "original_size_of_raw_data": np.array(original),
            "original_spacing": np.array(spacing),
            "size_after_cropping": tuple(cropped),
            "spacing_after_resampling": np.array(after),
            "crop_bbox": bbox,
            "itk_origin": (4.0, -7.5, 12.0),
            "itk_spacing": tuple(spacing[::-1]),
            "itk_direction": (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0),
        }
        arrays = {"softmax": given}
        for mode in ("default", "alt"):
            switch(mode == "alt")
            segmentation_export.save_segmentation_nifti_from_softmax(
                given.copy(),
                f"{name}.nii.gz",
                dict(properties),
                kwargs.get("order", 1),
                regions,
                None,
                None,
                f"{name}.npz",
                None,
                kwargs.get("force_separate_z"),
                kwargs.get("interpolation_order_z", 0),
            )
            arrays[f"seg_{mode}"] = sitk.GetArrayFromImage(sitk.ReadImage(f"{name}.nii.gz"))
            arrays[f"npz_softmax_f16_{mode}"] = np.load(f"{name}.npz")["softmax"]
        switch(False)
        topic.arrays(f"export/{name}.npz", arrays)
        params[name] = {"kwargs": kwargs, "properties": properties}
    for order in (0, 1):
        original, spacing, bbox, after, _ = EXPORTS["slices"]
        cropped = [b - a for a, b in bbox]
        seg = labels(rng, tuple(network_shape(cropped, spacing, after)), 3).astype(np.int64)
        properties = dict(params["slices"]["properties"])
        segmentation_export.save_segmentation_nifti(seg, "fast.nii.gz", dict(properties), order, None, 0)
        name = f"fastseg_order{order}"
        made = sitk.GetArrayFromImage(sitk.ReadImage("fast.nii.gz"))
        topic.arrays(f"export/{name}.npz", {"seg_in": seg, "seg_out": made})
        params[name] = {"kwargs": {"order": order}, "properties": properties}
    topic.json("export/params.json", params)


def record(out, rng):
    topic = Topic(out, "resampling")
    patients(topic, rng)
    softmaxes(topic, rng)
    segmentations(topic, rng)
    resizes(topic, rng)
    with inside("export"):
        export(topic, rng)
