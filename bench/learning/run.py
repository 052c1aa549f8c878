#!/usr/bin/env python3
"""Learning of DIAG's fork of nnU-Net v1 and of this project, side by side: see README.md."""

import argparse
import json
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

from report import write_report

ROOT = Path(__file__).resolve().parents[2]
CLI = ROOT / "dist" / "ts" / "cli" / "main.js"
STAGE = "nnUNetData_plans_v2.1_stage0"
PLANS = "nnUNetPlansv2.1_plans_3D.pkl"
DENSE, SPARSE = "Task504_Hippocampus", "Task604_HippocampusSparse"
# Each trainer with its task.
TRAINERS = {
    "nnUNetTrainerV2": DENSE,
    "nnUNetTrainerV2Sparse": SPARSE,
    "nnUNetTrainerV2Weighted": DENSE,
}
IMPLEMENTATIONS = ("fork", "here")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--task", type=Path, required=True, help="folder of the raw task Hippocampus")
    parser.add_argument("--fork", type=Path, required=True, help="checkout of the fork")
    parser.add_argument("--out", type=Path, default=ROOT / "work" / "learning")
    parser.add_argument("--trainers", nargs="+", default=list(TRAINERS), choices=list(TRAINERS))
    parser.add_argument("--implementations", nargs="+", default=list(IMPLEMENTATIONS), choices=IMPLEMENTATIONS)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--iterations", type=int, default=25)
    parser.add_argument("--validation-iterations", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--slices", type=int, default=4, help="annotated slices of a case for the sparse trainer")
    parser.add_argument("--precision", default="float32", help="of this project; the fork computes in float32 on CPU")
    parser.add_argument("--base-features", type=int, default=12)
    parser.add_argument("--batch-size", type=int, default=4)
    parser.add_argument("--whole-plan", action="store_true", help="keep features and batch size of the plan")
    parser.add_argument("--report-only", action="store_true", help="train nothing; write the report of finished runs")
    options = parser.parse_args()
    bench = Bench(options)
    if not options.report_only:
        bench.prepare()
        for trainer in options.trainers:
            for seed in options.seeds:
                for implementation in options.implementations:
                    bench.run(implementation, trainer, seed)
    runs = [
        bench.read(implementation, trainer, seed)
        for trainer in options.trainers
        for implementation in options.implementations
        for seed in options.seeds
        if bench.result(implementation, trainer, seed).exists()
    ]
    write_report(options.out, runs, options.iterations)


class Bench:
    def __init__(self, options):
        self.options = options
        self.out = options.out.resolve()
        self.raw = self.out / "raw"
        self.preprocessed = self.out / "preprocessed"

    # Preparation. Each step leaves a file; a step whose file exists is done.

    def prepare(self):
        options = self.options
        self.out.mkdir(parents=True, exist_ok=True)
        self.keep_settings()
        data = self.raw / "nnUNet_raw_data"
        if not (data / DENSE).exists():
            data.mkdir(parents=True, exist_ok=True)
            shutil.copytree(options.task.resolve(), data / f"{DENSE}.incomplete", dirs_exist_ok=True)
            (data / f"{DENSE}.incomplete").rename(data / DENSE)
        if not (data / SPARSE).exists():
            self.here("simulate-sparse", DENSE, SPARSE, "--slices", options.slices, "--seed", 0)
        for task in sorted({TRAINERS[trainer] for trainer in options.trainers}):
            done = self.out / f"{task}.prepared"
            if done.exists():
                continue
            self.here("preprocess", task, "-c", "3d_fullres")
            self.here("splits", task, "--overwrite")
            if task == DENSE:
                self.here("weightmaps", self.preprocessed / task / STAGE)
            if not options.whole_plan:
                self.reduce(self.preprocessed / task / PLANS)
            done.touch()

    def keep_settings(self):
        """Refuses to mix runs of different schedules or plans in one folder."""
        names = ("epochs", "iterations", "validation_iterations", "slices", "precision", "whole_plan")
        settings = {name: getattr(self.options, name) for name in names}
        if not self.options.whole_plan:
            settings.update(base_features=self.options.base_features, batch_size=self.options.batch_size)
        path = self.out / "settings.json"
        if path.exists() and json.loads(path.read_text()) != settings:
            sys.exit(f"{path} has other settings than this command: {path.read_text()}; name another --out")
        path.write_text(json.dumps(settings))

    def reduce(self, path):
        plans = pickle.loads(path.read_bytes())
        plans["base_num_features"] = self.options.base_features
        for stage in plans["plans_per_stage"].values():
            stage["batch_size"] = self.options.batch_size
        path.write_bytes(pickle.dumps(plans))

    # Runs.

    def results(self, implementation, trainer, seed):
        return self.out / "results" / f"{implementation}-{trainer}-{seed}"

    def result(self, implementation, trainer, seed):
        """Written when a run is finished and evaluated."""
        return self.results(implementation, trainer, seed) / "result.json"

    def model(self, implementation, trainer, seed):
        results = self.results(implementation, trainer, seed)
        return results / "nnUNet" / "3d_fullres" / TRAINERS[trainer] / f"{trainer}__nnUNetPlansv2.1"

    def run(self, implementation, trainer, seed):
        target = self.result(implementation, trainer, seed)
        if target.exists():
            return
        print(f"{implementation}, {trainer}, seed {seed}", flush=True)
        model = self.model(implementation, trainer, seed)
        if not (model / "fold_0" / "model_final_checkpoint.model").exists():
            if implementation == "fork":
                self.train_fork(trainer, seed)
            else:
                self.train_here(trainer, seed)
        dice = self.evaluate(model, self.results(implementation, trainer, seed) / "predictions")
        lines = (model / "fold_0" / "progress.jsonl").read_text().splitlines()
        epochs = [json.loads(line) for line in lines]
        partial = target.with_suffix(".tmp")
        partial.write_text(json.dumps({"dice": dice, "epochs": epochs}))
        partial.rename(target)

    def schedule(self):
        options = self.options
        return [
            *("--epochs", options.epochs, "--iterations", options.iterations),
            *("--validation-iterations", options.validation_iterations),
        ]

    def train_fork(self, trainer, seed):
        results = self.results("fork", trainer, seed)
        results.mkdir(parents=True, exist_ok=True)
        with (results / "log.txt").open("w") as log:
            call(
                [
                    sys.executable, Path(__file__).with_name("fork.py"), "--fork", self.options.fork.resolve(),
                    "--raw", self.raw, "--preprocessed", self.preprocessed, "--results", results,
                    "--task", TRAINERS[trainer], "--trainer", trainer, "--seed", seed,
                    "--threads", self.options.threads, *self.schedule(),
                ],
                stdout=log, stderr=subprocess.STDOUT,
            )

    def train_here(self, trainer, seed):
        results = self.results("here", trainer, seed)
        self.here(
            "train", TRAINERS[trainer], "-c", "3d_fullres", "-f", 0, "--trainer", trainer, "--seed", seed,
            "--precision", self.options.precision, "--device", "cpu", "--save-every", 5, "--workers",
            self.options.threads, "--continue", *self.schedule(), results=results,
        )

    def evaluate(self, model, predictions):
        """Mean Dice of each class over the validation cases of fold 0, against the dense labels."""
        images, labels = self.validation_cases()
        self.here("predict", "-i", images, "-o", predictions, "-m", model, "-f", 0, "--device", "cpu")
        summary = predictions.with_name("summary.json")
        self.here("evaluate", labels, predictions, "-l", 1, 2, "-o", summary)
        mean = json.loads(summary.read_text())["results"]["mean"]
        return [mean[label]["Dice"] for label in ("1", "2")]

    def validation_cases(self):
        """Folders with the images and the dense labels of fold 0's validation cases."""
        split = pickle.loads((self.preprocessed / DENSE / "splits_final.pkl").read_bytes())[0]
        source = self.raw / "nnUNet_raw_data" / DENSE
        folders = [self.out / "validation" / name for name in ("images", "labels")]
        for folder, origin, ending in zip(folders, ("imagesTr", "labelsTr"), ("_0000", "")):
            folder.mkdir(parents=True, exist_ok=True)
            for case in split["val"]:
                name = f"{case}{ending}.nii.gz"
                if not (folder / name).exists():
                    shutil.copyfile(source / origin / name, folder / name)
        return folders

    def here(self, *arguments, results=None):
        environment = {
            **os.environ,
            "nnUNet_raw_data_base": str(self.raw),
            "nnUNet_preprocessed": str(self.preprocessed),
            "RESULTS_FOLDER": str(results or self.out / "results"),
        }
        call(["node", CLI, *arguments, "--quiet"], env=environment, stdout=subprocess.DEVNULL)

    def read(self, implementation, trainer, seed):
        content = json.loads(self.result(implementation, trainer, seed).read_text())
        return {"implementation": implementation, "trainer": trainer, "seed": seed, **content}


def call(command, **keywords):
    words = [str(word) for word in command]
    done = subprocess.run(words, check=False, **keywords)
    if done.returncode != 0:
        sys.exit(f"exit code {done.returncode}: {' '.join(words)}")


if __name__ == "__main__":
    main()
