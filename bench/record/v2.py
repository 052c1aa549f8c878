"""Records what nnunetv2 2.8.1 makes of made-up cases: the network's input, segmentation, probabilities and summary.

Needs an environment of its own: `pip install nnunetv2==2.8.1 nibabel==5.4.2`.

    python bench/record/v2.py --out __test__/fixtures [--seed 1]

writes `v2/preprocessing.json`. Images, logits and the segmentation of a previous stage follow integer formulas, so that the
file has only their coefficients. Of long results, it has every `step`-th value in C order.
"""

import argparse
import contextlib
import io
import json
import math
import pickle
import tempfile
import warnings
from pathlib import Path

import nibabel
import numpy as np
import SimpleITK
import torch
from nnunetv2.evaluation.evaluate_predictions import compute_metrics_on_folder
from nnunetv2.imageio.simpleitk_reader_writer import SimpleITKIO
from nnunetv2.inference.export_prediction import export_prediction_from_logits
from nnunetv2.preprocessing.preprocessors.default_preprocessor import DefaultPreprocessor
from nnunetv2.utilities.label_handling.label_handling import convert_labelmap_to_one_hot
from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

LENGTH = 56
SPLINE = {
    "resampling_fn_data": "resample_data_or_seg_to_shape",
    "resampling_fn_data_kwargs": {"is_seg": False, "order": 3, "order_z": 0, "force_separate_z": None},
    "resampling_fn_seg": "resample_data_or_seg_to_shape",
    "resampling_fn_seg_kwargs": {"is_seg": True, "order": 1, "order_z": 0, "force_separate_z": None},
    "resampling_fn_probabilities": "resample_data_or_seg_to_shape",
    "resampling_fn_probabilities_kwargs": {"is_seg": False, "order": 1, "order_z": 0, "force_separate_z": None},
}


def torch_functions(**seg):
    plain = {"is_seg": False, "force_separate_z": None, "memefficient_seg_resampling": False}
    return {
        "resampling_fn_data": "resample_torch_fornnunet",
        "resampling_fn_data_kwargs": plain,
        "resampling_fn_seg": "resample_torch_fornnunet",
        "resampling_fn_seg_kwargs": {**plain, "is_seg": True, **seg},
        "resampling_fn_probabilities": "resample_torch_fornnunet",
        "resampling_fn_probabilities_kwargs": plain,
    }


def formula(shape, k):
    """Whole numbers 0 to k[5] - 1 at (z, y, x)."""
    z, y, x = np.meshgrid(*[np.arange(n) for n in shape], indexing="ij")
    return (k[0] * z * z + k[1] * y + k[2] * x * x + k[3] * x * y + k[4] * z * x) % k[5]


def image(spec, channel):
    """The formula with an offset inside a box, 0 outside and in a hole."""
    k = spec["image"][channel]
    values = formula(spec["shape"], k) + spec["offset"][channel]
    inside = np.zeros(spec["shape"], bool)
    (z0, z1), (y0, y1), (x0, x1) = spec["box"]
    inside[z0:z1, y0:y1, x0:x1] = True
    inside[z0 + 1, y0 + 2 : y0 + 4, x0 + 2 : x0 + 5] = False
    return np.where(inside, values, 0).astype(np.float32)


def write(path, array, spec):
    volume = SimpleITK.GetImageFromArray(array)
    volume.SetSpacing(spec["spacing"][::-1])
    volume.SetOrigin(spec["origin"])
    volume.SetDirection(spec["direction"])
    SimpleITK.WriteImage(volume, str(path))


def rotation(angle, axes, signs):
    """Direction cosines: permuted axes with signs, turned by `angle` about z."""
    base = np.zeros((3, 3))
    for column, (row, sign) in enumerate(zip(axes, signs)):
        base[row, column] = sign
    turn = np.array([[math.cos(angle), -math.sin(angle), 0], [math.sin(angle), math.cos(angle), 0], [0, 0, 1]])
    return (turn @ base).ravel().tolist()


def specs(rng):
    def one(name, shape, spacing, target, schemes, labels, **more):
        def coefficients(modulus):
            return [*rng.integers(1, 12, 5).tolist(), modulus]

        n = len(schemes)
        box = [[1, shape[0]], [2, shape[1] - 1], [0, shape[2] - 3]]
        spec = {
            "name": name,
            "shape": shape,
            "spacing": spacing,
            "origin": rng.integers(-40, 40, 3).astype(float).tolist(),
            "direction": rotation(0.2, [0, 1, 2], [1, 1, 1]),
            "box": more.pop("box", box),
            "image": [coefficients(int(rng.integers(60, 120))) for _ in range(n)],
            "offset": more.pop("offset", [-20] * n),
            "logits": coefficients(31),
        }
        for key in ["direction"]:
            spec[key] = more.pop(key, spec[key])
        stage = {
            "data_identifier": "x",
            "preprocessor_name": "DefaultPreprocessor",
            "batch_size": 2,
            "patch_size": [16] * len(target),
            "spacing": target,
            "normalization_schemes": schemes,
            "use_mask_for_norm": more.pop("mask", [False] * n),
            **more.pop("functions", SPLINE),
            "architecture": {},
        }
        if more.get("previous"):
            stage["previous_stage"] = "3d_lowres"
            spec["previous"] = coefficients(len(more.pop("previous")))
        forward = more.pop("transpose", [0, 1, 2])
        spec["plans"] = {
            "dataset_name": "Dataset900_Made",
            "plans_name": "nnUNetPlans",
            "image_reader_writer": more.pop("reader", "SimpleITKIO"),
            "transpose_forward": forward,
            "transpose_backward": np.argsort(forward).tolist(),
            "label_manager": "LabelManager",
            "configurations": {"base": stage, "used": {"inherits_from": "base"}},
            "foreground_intensity_properties_per_channel": {
                str(c): {"mean": 31.5, "std": 17.25, "percentile_00_5": -12.5, "percentile_99_5": 61.0}
                for c in range(n)
            },
        }
        spec["dataset"] = {
            "channel_names": {str(c): "x" for c in range(n)},
            "labels": labels,
            "numTraining": 3,
            "file_ending": more.pop("ending", ".nii.gz"),
            **more,
        }
        return spec

    zscore, ct, rescale = "ZScoreNormalization", "CTNormalization", "RescaleTo01Normalization"
    rgb, none = "RGBTo01Normalization", "NoNormalization"
    labels = {"background": 0, "a": 1, "b": 2}
    return [
        one("separate z", [7, 20, 24], [4.0, 0.75, 1.0], [4.5, 1.0, 0.875], [ct, zscore], labels,
            mask=[False, True], transpose=[0, 2, 1]),
        one("isotropic, ignore label", [12, 15, 14], [1.0, 1.0, 1.25], [1.25, 1.125, 1.0], [zscore, rescale],
            {**labels, "ignore": 3}, transpose=[1, 0, 2], mask=[True, False]),
        one("plane by plane", [6, 19, 18], [3.0, 1.0, 1.5], [1.25, 1.25], [rescale], labels),
        one("regions of high labels", [9, 14, 16], [2.0, 1.0, 1.0], [1.5, 1.25, 1.0], [none],
            {"background": 0, "whole": [1, 255], "core": 255}, regions_class_order=[1, 255],
            ending=".nii", reader="NibabelIO"),
        one("reoriented", [9, 14, 16], [2.0, 1.0, 1.25], [1.5, 1.25, 1.0], [none, zscore], labels,
            reader="NibabelIOWithReorient", direction=rotation(0.15, [1, 2, 0], [-1, 1, 1]), transpose=[2, 0, 1]),
        one("cascade", [12, 15, 14], [1.0, 1.0, 1.25], [1.25, 1.125, 1.0], [zscore], labels, previous=[0, 1, 2],
            mask=[True]),
        one("cascade, separate z", [7, 16, 14], [4.0, 1.0, 1.25], [3.0, 1.125, 1.0], [zscore], labels,
            previous=[0, 1, 2]),
        one("torch, separate z", [7, 16, 18], [4.0, 0.75, 1.0], [4.5, 1.0, 0.875], [rgb], labels, offset=[3],
            functions=torch_functions(), previous=[0, 1, 2]),
        one("torch, majority", [12, 15, 14], [1.0, 1.0, 1.25], [1.25, 1.125, 1.0], [zscore], labels,
            functions=torch_functions(memefficient_seg_resampling=True), previous=[0, 1, 2]),
    ]


def sampled(array):
    flat = np.asarray(array).ravel()
    step = max(1, math.ceil(flat.size / LENGTH))
    values = [float(f"{float(v):.7g}") for v in flat[::step]]
    return {"shape": list(array.shape), "step": step, "values": [int(v) if v == int(v) else v for v in values]}


def record(spec, work):
    manager = PlansManager(json.loads(json.dumps(spec["plans"])))
    configuration = manager.get_configuration("used")
    dataset = spec["dataset"]
    ending = dataset["file_ending"]
    files = []
    for channel in range(len(spec["image"])):
        files.append(str(work / f"case_{channel:04d}{ending}"))
        write(files[-1], image(spec, channel), spec)
    previous = None
    if "previous" in spec:
        previous = str(work / f"previous{ending}")
        write(previous, formula(spec["shape"], spec["previous"]).astype(np.uint8), spec)
    preprocessor = DefaultPreprocessor(verbose=False)
    data, seg, properties = preprocessor.run_case(files, previous, manager, configuration, dataset)
    manager_of_labels = manager.get_label_manager(dataset)
    if previous:
        one_hot = convert_labelmap_to_one_hot(seg[0], manager_of_labels.foreground_labels, data.dtype)
        data = np.vstack((data, one_hot))
    heads = manager_of_labels.num_segmentation_heads
    z = formula([heads * data.shape[1], *data.shape[2:]], spec["logits"])
    logits = ((z - 15) / 4).astype(np.float32).reshape(heads, *data.shape[1:])
    export_prediction_from_logits(
        torch.from_numpy(logits.copy()), properties, configuration, manager, dataset, str(work / "out"), True
    )
    probabilities = np.load(work / "out.npz")["probabilities"]
    written = nibabel.load(work / f"out{ending}")
    with open(work / "out.pkl", "rb") as file:
        saved = pickle.load(file)
    stuff = saved.get("nibabel_stuff", saved.get("sitk_stuff"))
    keys = ["spacing", "shape_before_cropping", "bbox_used_for_cropping", "shape_after_cropping_and_before_resampling"]
    return {
        **spec,
        "data": sampled(data.astype(np.float32)),
        "probabilities": sampled(probabilities),
        "probabilitiesDtype": str(probabilities.dtype),
        "segmentation": sampled(np.asarray(written.dataobj).transpose(2, 1, 0)),
        "segmentationDtype": str(written.get_data_dtype()),
        "affine": np.round(written.affine, 5).tolist(),
        "properties": json.loads(json.dumps({key: saved[key] for key in keys}, default=lambda v: np.asarray(v).tolist())),
        "stuff": json.loads(json.dumps(stuff, default=lambda v: np.round(np.asarray(v), 6).tolist())),
    }


def record_summary(rng, work):
    """v2's summary.json of two made-up cases, with a region, a label that is absent, and an ignore label."""
    shape, regions = [4, 9, 8], [1, (1, 2), 7]
    formulas = {}
    for folder in ["reference", "prediction"]:
        (work / folder).mkdir()
        formulas[folder] = [[*rng.integers(1, 12, 5).tolist(), 4 if folder == "reference" else 3] for _ in range(2)]
        for case, k in enumerate(formulas[folder]):
            volume = SimpleITK.GetImageFromArray(formula(shape, k).astype(np.uint8))
            SimpleITK.WriteImage(volume, str(work / folder / f"c{case}.nii.gz"))
    output = work / "summary.json"
    compute_metrics_on_folder(
        str(work / "reference"), str(work / "prediction"), str(output), SimpleITKIO(), ".nii.gz", regions, 3, 1
    )
    result = json.loads(output.read_text())
    for case in result["metric_per_case"]:
        del case["reference_file"], case["prediction_file"]
    text = json.dumps(result).replace("NaN", "null")
    return {"shape": shape, **formulas, "regions": regions, "ignore": 3, "result": json.loads(text)}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    rng = np.random.default_rng(arguments.seed)
    cases = []
    warnings.simplefilter("ignore")
    for spec in specs(rng):
        with tempfile.TemporaryDirectory() as work, contextlib.redirect_stdout(io.StringIO()):
            cases.append(record(spec, Path(work)))
    with tempfile.TemporaryDirectory() as work:
        summary = record_summary(rng, Path(work))
    made = {
        "nnunetv2": "2.8.1",
        "numpy": np.__version__,
        "torch": torch.__version__,
        "SimpleITK": SimpleITK.Version_VersionString(),
        "nibabel": nibabel.__version__,
        "script": f"bench/record/v2.py --seed {arguments.seed}",
    }
    folder = arguments.out / "v2"
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"made": made, "cases": cases, "summary": summary}, separators=(",", ":"))
    (folder / "preprocessing.json").write_text(text.replace('{"name"', '\n{"name"') + "\n")


if __name__ == "__main__":
    main()
