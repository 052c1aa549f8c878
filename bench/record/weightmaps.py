"""Border weightmaps, by function and by command line."""

import contextlib
import io
import json
import sys
import unittest.mock

import numpy as np

from common import Topic, image, inside, labels

MODULE = "nnunet.utilities.diag.generate_unet_weightmaps"


def block(shape, *boxes):
    seg = np.zeros(shape, np.float32)
    for label, box in boxes:
        seg[tuple(slice(a, b) for a, b in box)] = label
    return seg


def cases(rng):
    """Name -> (segmentation, classes, sigma, w_0)."""
    shape = (9, 13, 16)
    four = labels(rng, shape, 5)
    sparse = labels(rng, shape, 4, 0.25)
    return {
        "two_classes_sigma3_w7": (labels(rng, shape, 3), [1, 2], 3.0, 7.0),
        "four_classes_reversed": (four, [4, 3, 2, 1], 1.25, 18.0),
        "gaps_between_classes": (np.where(four == 2, 9, four).astype(np.float32), [1, 3, 9], 6.0, 4.0),
        "unlisted_labels": (four, [2, 4], 2.5, 12.0),
        "listed_but_absent": (labels(rng, shape, 2), [1, 5], 4.0, 10.0),
        "scattered_minus1": (sparse, [1, 2, 3], 5.0, 10.0),
        "nothing_at_all": (np.zeros((4, 6, 5), np.float32), [1, 2], 5.0, 10.0),
        "only_thin_objects": (
            block((7, 8, 9), (1, ((2, 4), (2, 4), (2, 4))), (2, ((5, 6), (6, 7), (1, 8)))),
            [1, 2],
            3.0,
            9.0,
        ),
        "one_slice": (labels(rng, (1, 14, 12), 3), [1, 2], 3.0, 6.0),
        "neighbours": (
            block((8, 9, 7), (1, ((1, 7), (1, 5), (1, 6))), (3, ((1, 7), (5, 8), (1, 6)))),
            [1, 3],
            2.0,
            11.0,
        ),
        "along_the_border": (block((6, 8, 9), (2, ((0, 6), (0, 4), (0, 9)))), [2], 2.0, 5.0),
        "int16": (labels(rng, (6, 9, 8), 3).astype(np.int16), [1, 2], 3.5, 10.0),
    }


def command_line(topic, name, task, files, words, text):
    """Runs the console script's function inside the topic's folder; what it prints is kept with its arguments."""
    from nnunet.utilities.diag.generate_unet_weightmaps import generate_unet_weightmaps_cli

    with inside(topic.folder / name):
        stage = f"{task}/nnUNetData_plans_v2.1_stage1"
        with inside(stage):
            for case, data in files.items():
                np.savez_compressed(f"{case}.npz", data=data)
        with open(f"{task}/dataset.json", "w") as file:
            json.dump({"name": task, "labels": text}, file)
        argv = ["nnUNet_diag_generate_unet_weightmaps", stage, *words]
        printed = io.StringIO()
        with unittest.mock.patch.object(sys, "argv", argv), contextlib.redirect_stdout(printed):
            generate_unet_weightmaps_cli()
        with open("stdout.txt", "w") as file:
            file.write(f"argv: {' '.join(argv)}\n{printed.getvalue()}")


def record(out, rng):
    from nnunet.utilities.diag.generate_unet_weightmaps import compute_unet_border_weightmaps

    topic = Topic(out, "weightmaps")
    for name, (seg, classes, sigma, w_0) in cases(rng).items():
        made = compute_unet_border_weightmaps(seg, tuple(classes), sigma, w_0)
        arrays = {"seg": seg, "classes": np.array(classes), "sigma": sigma, "w_0": w_0, "weightmap": made}
        parameters = {"classes": classes, "sigma": sigma, "w_0": w_0}
        topic.arrays(f"{name}.npz", arrays, f"{MODULE}.compute_unet_border_weightmaps", parameters)

    def case(shape, channels, classes):
        return np.concatenate([image(rng, shape, channels), labels(rng, shape, classes)[None]])

    files = {"liver-a": case((6, 9, 11), 1, 3), "liver.b": case((8, 7, 10), 1, 3)}
    text = {"0": "background", "1": "liver", "2": "tumour"}
    command_line(topic, "cli_defaults", "Task731_Liver", files, [], text)
    words = ["--sigma", "2.5", "--w0", "14", "-c", "3", "1"]
    files = {"pelvis_x": case((7, 10, 9), 3, 4)}
    text = {"0": "background", "1": "bone", "2": "muscle", "3": "fat"}
    command_line(topic, "cli_three_modalities", "Task732_Pelvis", files, words, text)
    topic.finish()
