#!/usr/bin/env python3
"""One training with DIAG's fork of nnU-Net v1, in one process: see README.md.

The fork's own trainer trains. Only the length of the schedule, the seed and a record of every epoch are added. The
record has the names of this project's `progress.jsonl`.
"""

import argparse
import json
import multiprocessing
import os
import sys
import time
from pathlib import Path


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fork", type=Path, required=True, help="checkout of the fork")
    parser.add_argument("--raw", type=Path, required=True, help="nnUNet_raw_data_base")
    parser.add_argument("--preprocessed", type=Path, required=True, help="nnUNet_preprocessed")
    parser.add_argument("--results", type=Path, required=True, help="RESULTS_FOLDER")
    parser.add_argument("--task", required=True)
    parser.add_argument("--trainer", required=True)
    for name in ("seed", "epochs", "iterations", "validation-iterations", "threads"):
        parser.add_argument(f"--{name}", type=int, required=True)
    options = parser.parse_args()

    # The fork reads these when it is imported.
    os.environ.update(
        nnUNet_raw_data_base=str(options.raw),
        nnUNet_preprocessed=str(options.preprocessed),
        RESULTS_FOLDER=str(options.results),
        nnUNet_n_proc_DA="2",
    )
    sys.path.insert(0, str(options.fork))
    import numpy as np
    import torch
    from nnunet.run.default_configuration import get_default_configuration
    from nnunet.paths import default_plans_identifier

    plans, folder, dataset, batch_dice, stage, trainer_class = get_default_configuration(
        "3d_fullres", options.task, options.trainer, default_plans_identifier
    )
    trainer = trainer_class(
        plans, 0, output_folder=folder, dataset_directory=dataset, batch_dice=batch_dice, stage=stage,
        unpack_data=True, deterministic=False, fp16=False,
    )
    trainer.max_num_epochs = options.epochs
    trainer.num_batches_per_epoch = options.iterations
    trainer.num_val_batches_per_epoch = options.validation_iterations
    torch.set_num_threads(options.threads)
    np.random.seed(options.seed)
    torch.manual_seed(options.seed)
    trainer.initialize(True)
    record(trainer, np)
    trainer.run_training()
    # The loaders' processes would outlive this one, and their queues would keep it from ending.
    for process in multiprocessing.active_children():
        process.kill()
    sys.stdout.flush()
    os._exit(0)


def record(trainer, np):
    """Writes the epochs of a trainer to its folder as they finish."""
    path = Path(trainer.output_folder) / "progress.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("")
    state = {"started": time.time()}
    end = trainer.on_epoch_end

    def on_epoch_end():
        hits, wrong, missed = (
            np.sum(values, 0)
            for values in (trainer.online_eval_tp, trainer.online_eval_fp, trainer.online_eval_fn)
        )
        sums = 2 * hits + wrong + missed
        report = {
            "epoch": trainer.epoch,
            "trainLoss": float(trainer.all_tr_losses[-1]),
            "validationLoss": float(trainer.all_val_losses[-1]),
            "dice": [float(2 * h / s) if s > 0 else None for h, s in zip(hits, sums)],
            "seconds": time.time() - state["started"],
        }
        with path.open("a") as file:
            file.write(json.dumps(report) + "\n")
        goes_on = end()
        state["started"] = time.time()
        return goes_on

    trainer.on_epoch_end = on_epoch_end


if __name__ == "__main__":
    main()
