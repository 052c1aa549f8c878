"""Records a set of reference values: `python bench/record/make.py --reference <DIAGNijmegen/nnUNet> --out <folder>`."""

import argparse
import importlib
import json
import tempfile
import zlib
from pathlib import Path

import numpy as np

TOPICS = [
    "augmentation",
    "checkpoint",
    "evaluation",
    "fs",
    "inference",
    "losses",
    "network",
    "planner",
    "preprocess",
    "resampling",
    "sampler",
    "training_loop",
    "weightmaps",
]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reference", required=True, type=Path, help="a checkout of DIAGNijmegen/nnUNet")
    parser.add_argument("--out", required=True, type=Path, help="folder of the topics")
    parser.add_argument("--seed", type=int, default=20, help="of all made-up data")
    parser.add_argument("topics", nargs="*", help=f"of {', '.join(TOPICS)}; all of them by default")
    args = parser.parse_args()
    out = args.out.resolve()
    with tempfile.TemporaryDirectory() as work:
        import common

        common.use_reference(args.reference.resolve(), work)
        for topic in args.topics or TOPICS:
            print(topic, flush=True)
            rng = np.random.default_rng([args.seed, zlib.crc32(topic.encode())])
            with common.quiet(), common.inside(Path(work) / topic):
                np.random.seed(args.seed)
                importlib.import_module(topic).record(out, rng)
        print(json.dumps(versions()))


def versions():
    import platform
    from importlib.metadata import version

    names = [
        "numpy",
        "scipy",
        "scikit-image",
        "scikit-learn",
        "SimpleITK",
        "batchgenerators",
        "medpy",
        "torch",
    ]
    return {"python": platform.python_version(), **{name: version(name) for name in names}}


if __name__ == "__main__":
    main()
