"""Scores of whole folders by the reference's evaluator."""

from pathlib import Path

import numpy as np

from common import Topic, inside, labels, write_nifti

SPACING = (2.5, 0.8, 1.1)

# Scenario -> labels, options, cases.
SCENARIOS = {
    "four_labels": ([0, 1, 2, 3], {}, ["plain", "missing", "invented", "empty", "full", "equal"]),
    "named_unions": (
        [(1, "core"), ((1, 3), "core_and_rim"), ((1, 2, 3), "all")],
        {},
        ["plain", "empty", "equal"],
    ),
    "surface": ([1, 3], {"advanced": True}, ["plain", "missing", "equal"]),
    "unlabelled_voxels": ([-1, 1, 2], {}, ["unlabelled", "plain"]),
}


def pair(kind, rng):
    """Reference and prediction (z, y, x) of one kind."""
    shape = (6, 14, 11)
    reference = labels(rng, shape, 4)
    prediction = np.where(rng.random(shape) < 0.15, labels(rng, shape, 4), reference)
    if kind == "missing":
        prediction[prediction == 3] = 0
    if kind == "invented":
        reference[reference == 2] = 0
    if kind == "empty":
        reference[:] = prediction[:] = 0
    if kind == "full":
        reference[:] = 1
        prediction[:4] = 1
    if kind == "equal":
        prediction = reference
    if kind == "unlabelled":
        reference[rng.random(shape) < 0.3] = -1
        prediction[rng.random(shape) < 0.1] = -1
    return reference, prediction


def record(out, rng):
    from nnunet.evaluation.evaluator import evaluate_folder

    topic = Topic(out, "evaluation")
    for name, (regions, options, kinds) in SCENARIOS.items():
        with inside(topic.folder):
            for number, kind in enumerate(kinds):
                for folder, array in zip(("gt", "pred"), pair(kind, rng)):
                    write_nifti(f"{name}/{folder}/p{number}_{kind}.nii.gz", array.astype(np.int16), SPACING)
            asked = dict(regions) if isinstance(regions[0], tuple) else regions
            results = evaluate_folder(f"{name}/gt", f"{name}/pred", asked, **options)
            written = Path(f"{name}/pred/summary.json").read_text()
        named = (
            [[list(k) if isinstance(k, tuple) else k, v] for k, v in regions]
            if isinstance(asked, dict)
            else regions
        )
        topic.json(
            f"{name}/expected.json",
            {
                "labels": named,
                "kwargs": options,
                "contains_bare_NaN_token": "NaN" in written,
                "results": results,
            },
        )
