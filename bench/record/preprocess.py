"""A whole run of nnUNet_plan_and_preprocess on made-up tasks; cropping, test cases and splits alone."""

import json
import pickle
import shutil
import sys
import unittest.mock
from collections import OrderedDict
from pathlib import Path

import numpy as np

from common import Topic, image, labels, write_nifti

BASE, PREPROCESSED = "nnunet_base", "nnunet_preprocessed"

TASKS = {
    # The coarsest axis is the last one, so that the network's axes are transposed; a wide border of zeros.
    "Task611_Shoulder": {
        "modalities": ["T1", "T2", "PD"],
        "labels": {"0": "background", "1": "cuff", "2": "bone", "3": "cyst"},
        "cases": {"shoulder left": (18, 15, 6), "shoulder_R2": (17, 14, 7), "s-3": (18, 16, 6)},
        "spacing": (0.9, 1.0, 4.2),
        "border": 4,
        "turn": -0.3,
        "test": ["s-3"],
    },
    "Task7_Thorax": {
        "modalities": ["CT"],
        "labels": {"0": "background", "1": "lung", "2": "nodule"},
        "cases": {"th1": (9, 14, 13), "th2": (8, 13, 15), "th4": (10, 12, 14)},
        "spacing": (2.0, 1.3, 1.2),
        "border": 0,
        "turn": 0.0,
        "test": ["th2"],
    },
}
TASKS = {name.replace("Task7_", "Task007_"): task for name, task in TASKS.items()}


def raw_task(name, task, rng):
    folder = Path(BASE) / "nnUNet_raw_data" / name
    for number, (case, shape) in enumerate(task["cases"].items()):
        # Not all cases of one spacing.
        spacing = np.array(task["spacing"]) * (1 + 0.1 * (number % 3))
        origin = rng.uniform(-40, 60, 3).round(2)
        seg = labels(rng, shape, len(task["labels"]))
        inside = np.zeros(shape, bool)
        border = task["border"]
        inside[border : shape[0] - border, max(0, border - 1) : shape[1] - border] = True
        channels = image(rng, shape, len(task["modalities"]), step=1 / 8)
        for channel, values in enumerate(channels):
            if task["modalities"][channel] == "CT":
                values = np.round(180 * values + 300 * seg).astype(np.int16)
            else:
                values = np.where(inside, np.round(8 * (90 + 30 * values + 12 * seg)) / 8, 0)
                values = values.astype(np.int16 if channel == 1 else np.float32)
            at = [folder / "imagesTr" / f"{case}_{channel:04d}.nii.gz"]
            if case in task["test"]:
                at.append(folder / "imagesTs" / f"test_{case}_{channel:04d}.nii.gz")
            for path in at:
                write_nifti(path, values, spacing, origin, task["turn"])
        seg = np.where(inside, seg, 0)
        # Class locations are long: the organs lie in the middle.
        seg[:, :, : shape[2] // 3] = 0
        seg[: shape[0] // 3] = 0
        write_nifti(
            folder / "labelsTr" / f"{case}.nii.gz", seg.astype(np.uint8), spacing, origin, task["turn"]
        )
    record = {
        "name": name,
        "description": "made up",
        "tensorImageSize": "4D",
        "reference": "",
        "licence": "",
        "release": "0.0",
        "modality": {str(i): m for i, m in enumerate(task["modalities"])},
        "labels": task["labels"],
        "numTraining": len(task["cases"]),
        "numTest": 0,
        "test": [],
        "training": [
            {"image": f"./imagesTr/{c}.nii.gz", "label": f"./labelsTr/{c}.nii.gz"} for c in task["cases"]
        ],
    }
    (folder / "dataset.json").write_text(json.dumps(record, indent=1))


def plan_and_preprocess(tasks):
    from nnunet.experiment_planning import nnUNet_plan_and_preprocess

    numbers = [str(int(name[4:7])) for name in tasks]
    argv = [
        "nnUNet_plan_and_preprocess",
        "-t",
        *numbers,
        "-tl",
        "1",
        "-tf",
        "1",
        "--verify_dataset_integrity",
    ]
    with unittest.mock.patch.object(sys, "argv", argv):
        nnUNet_plan_and_preprocess.main()


def files(folder):
    return sorted(str(path) for path in Path(folder).rglob("*") if path.is_file())


def summary_of(locations):
    shapes = {c: np.shape(a) for c, a in locations.items()}
    return {c: {"n": len(a), "shape": shapes[c], "first5": np.array(a)[:5]} for c, a in locations.items()}


def keep(topic, name):
    """Copies what the run wrote, every pickle as JSON beside, and all class locations as arrays."""
    for root in (Path(BASE) / "nnUNet_raw_data", Path(BASE) / "nnUNet_cropped_data", Path(PREPROCESSED)):
        for path in (root / name).rglob("*"):
            if not path.is_file() or "gt_segmentations" in path.parts:
                continue
            target = topic.folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
            if path.suffix != ".pkl":
                continue
            content = pickle.loads(path.read_bytes())
            locations = content.get("class_locations") if isinstance(content, dict) else None
            if locations is not None:
                arrays = {f"class_{c}": np.array(a, np.int64) for c, a in locations.items()}
                at = topic.folder / "class_locations" / str(path.with_suffix(".npz")).replace("/", "__")
                at.parent.mkdir(exist_ok=True)
                np.savez_compressed(at, **arrays)
                content = {**content, "class_locations": summary_of(locations)}
            topic.json(f"json/{path.with_suffix('.json')}", content)


def test_cases(topic, name, task):
    from nnunet.preprocessing.preprocessing import GenericPreprocessor, PreprocessorFor2D

    for case in task["test"]:
        for kind, preprocessor in (("3D", GenericPreprocessor), ("2D", PreprocessorFor2D)):
            plans = pickle.loads(
                (Path(PREPROCESSED) / name / f"nnUNetPlansv2.1_plans_{kind}.pkl").read_bytes()
            )
            made = preprocessor(
                plans["normalization_schemes"],
                plans["use_mask_for_norm"],
                plans["transpose_forward"],
                plans["dataset_properties"]["intensityproperties"],
            )
            spacing = plans["plans_per_stage"][max(plans["plans_per_stage"])]["current_spacing"]
            folder = Path(BASE) / "nnUNet_raw_data" / name / "imagesTs"
            images = sorted(str(path) for path in folder.glob(f"test_{case}_*.nii.gz"))
            data, seg, properties = made.preprocess_test_case(images, spacing)
            file = f"preprocess_test_case/{name}__test_{case}__{kind}"
            topic.arrays(f"{file}.npz", {"data": data, "seg": seg})
            topic.json(f"{file}.json", {"properties": properties})


def crops(topic, rng):
    from nnunet.preprocessing.cropping import ImageCropper, create_nonzero_mask, crop_to_nonzero

    for number, channels in enumerate((1, 3, 2)):
        shape = (9 + number, 12, 10)
        data, seg = image(rng, shape, channels), labels(rng, shape, 3)[None]
        data[:, :2] = data[:, :, 9:] = data[:, :, :, : 1 + number] = 0
        # A hole that the mask fills, and a lone voxel of another channel.
        data[:, 4:6, 4:6, 5:7] = 0
        data[-1, 8, 10, 8] = 3
        if number == 2:
            seg[0, 0, 0, 0] = -3
        out_data, out_seg, bbox = crop_to_nonzero(data.copy(), seg.copy())
        properties = OrderedDict(original_spacing=np.ones(3))
        _, cropped, properties = ImageCropper.crop(data.copy(), properties, seg.copy())
        topic.arrays(
            f"crop_unit/volume_{number}.npz",
            {
                "data": data,
                "seg": seg,
                "nonzero_mask": create_nonzero_mask(data),
                "out_data": out_data,
                "out_seg": out_seg,
                "out_seg_when_none": crop_to_nonzero(data.copy(), None)[1],
                "bbox": np.array(bbox),
                "imagecropper_seg": cropped,
                "imagecropper_classes": properties["classes"],
            },
        )


def splits(topic, rng):
    from nnunet.training.network_training.nnUNetTrainerV2 import nnUNetTrainerV2

    found = {}
    for count in (3, 5, 7, 16):
        keys = [f"pat{i:02d}-{'ab'[i % 2]}" for i in rng.permutation(3 * count)[:count]]
        entry = {"keys_in_dataset_order": keys, "per_fold": {}}
        folder = Path(f"splits_{count}")
        folder.mkdir()
        for fold in (0, 1, 2, 3, 4, 6, 11, "all"):
            trainer = object.__new__(nnUNetTrainerV2)
            trainer.fold, trainer.dataset_directory = fold, str(folder)
            trainer.dataset = OrderedDict((key, {}) for key in keys)
            trainer.print_to_log_file = lambda *_, **__: None
            try:
                trainer.do_split()
                entry["per_fold"][fold] = {
                    "train": list(trainer.dataset_tr),
                    "val": list(trainer.dataset_val),
                }
            except ValueError as error:
                entry["per_fold"][fold] = {"error": f"ValueError: {error}"}
        if (folder / "splits_final.pkl").exists():
            (topic.folder / "splits").mkdir(exist_ok=True)
            shutil.copyfile(
                folder / "splits_final.pkl", topic.folder / "splits" / f"splits_final_n{count}.pkl"
            )
        found[count] = entry
    topic.json("splits/splits.json", found)


def record(out, rng):
    topic = Topic(out, "preprocess")
    for name, task in TASKS.items():
        raw_task(name, task, rng)
    Path(PREPROCESSED).mkdir()
    (Path(BASE) / "nnUNet_cropped_data").mkdir()
    plan_and_preprocess(TASKS)
    for name, task in TASKS.items():
        keep(topic, name)
        test_cases(topic, name, task)
    written = [path for path in files(BASE) if "/nnUNet_cropped_data/" in path]
    topic.json(
        "file_tree_after_plan_and_preprocess.json",
        {"nnunet_base": written, "nnunet_preprocessed": files(PREPROCESSED)},
    )
    crops(topic, rng)
    splits(topic, rng)
    topic.index = {}
