"""Online evaluation, moving averages, learning rates and splits: methods of the trainers on bare objects."""

from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch

from common import Topic

V2 = "nnunet.training.network_training.nnUNetTrainerV2.nnUNetTrainerV2"
SPARSE = "nnunet.training.network_training.diag.nnUNetTrainerV2Sparse.nnUNetTrainerV2Sparse"
BASE = "nnunet.training.network_training.network_trainer.NetworkTrainer"


def bare(trainer):
    """A trainer without its constructor, which needs a task."""
    made = object.__new__(trainer)
    made.print_to_log_file = lambda *_, **__: None
    return made


def online(topic, rng):
    from nnunet.training.network_training.diag.nnUNetTrainerV2Sparse import nnUNetTrainerV2Sparse
    from nnunet.training.network_training.nnUNetTrainerV2 import nnUNetTrainerV2

    for kind, trainer, function in (("v2", nnUNetTrainerV2, V2), ("sparse", nnUNetTrainerV2Sparse, SPARSE)):
        for dimension, shape, images, classes, batches in (
            ("2d", (9, 8), 3, 3, 2),
            ("3d", (4, 5, 6), 1, 6, 3),
        ):
            run = bare(trainer)
            run.online_eval_foreground_dc, run.online_eval_tp, run.online_eval_fp, run.online_eval_fn = (
                [],
                [],
                [],
                [],
            )
            run.all_val_eval_metrics = []
            arrays = {}
            for batch in range(batches):
                logits = rng.standard_normal((images, classes, *shape)).astype(np.float32)
                target = rng.integers(0, classes, (images, 1, *shape)).astype(np.float32)
                if kind == "sparse":
                    target[rng.random(target.shape) < 0.4] = -1
                # The last class is nowhere: it has no Dice unless it is predicted.
                target[target == classes - 1] = 0
                arrays.update({f"logits_{batch}": logits, f"target_{batch}": target})
                run.run_online_evaluation([torch.from_numpy(logits)], [torch.from_numpy(target)])
            arrays.update(
                tp=run.online_eval_tp,
                fp=run.online_eval_fp,
                fn=run.online_eval_fn,
                batch_dc=run.online_eval_foreground_dc,
            )
            run.finish_online_evaluation()
            arrays["val_eval_metric"] = np.float64(run.all_val_eval_metrics[-1])
            arrays = {key: np.asarray(value) for key, value in arrays.items()}
            topic.arrays(
                f"online_eval_{kind}_{dimension}.npz",
                arrays,
                f"{function}.run_online_evaluation + finish_online_evaluation",
                {"batches": batches, "classes": classes},
            )


def averages(topic, rng):
    from nnunet.training.network_training.network_trainer import NetworkTrainer
    from nnunet.training.network_training.nnUNetTrainerV2 import nnUNetTrainerV2

    run = bare(nnUNetTrainerV2)
    run.train_loss_MA = run.val_eval_criterion_MA = run.best_val_eval_criterion_MA = None
    run.best_MA_tr_loss_for_patience = run.best_epoch_based_on_MA_tr_loss = None
    run.train_loss_MA_alpha, run.train_loss_MA_eps, run.val_eval_criterion_alpha = 0.93, 5e-4, 0.9
    run.patience, run.save_every, run.lr_threshold = 50, 50, 1e-6
    run.save_latest_only = run.save_intermediate_checkpoints = run.save_best_checkpoint = True
    run.save_latest_only = False
    run.output_folder, run.all_tr_losses, run.all_val_losses, run.all_val_eval_metrics = ".", [], [], []
    run.also_val_in_tr_mode, run.log_file = False, None
    saved = []
    run.save_checkpoint = lambda path, *_: saved.append(Path(path).name)

    class Optimizer:
        param_groups = [{"lr": 0.01}]

    run.optimizer = Optimizer()
    rows = {
        key: []
        for key in (
            "train_loss",
            "val_metric",
            "train_loss_MA",
            "val_eval_criterion_MA",
            "best_val_eval_criterion_MA",
            "best_MA_tr_loss",
            "best_epoch_tr",
            "saved_best",
        )
    }
    for epoch in range(70):
        run.epoch = epoch
        loss = float(0.4 - 0.9 * (1 - np.exp(-epoch / 15)) + 0.08 * rng.standard_normal())
        metric = float(0.7 * (1 - np.exp(-epoch / 20)) + 0.05 * rng.standard_normal())
        run.all_tr_losses.append(loss)
        run.all_val_eval_metrics.append(metric)
        saved.clear()
        NetworkTrainer.update_train_loss_MA(run)
        NetworkTrainer.update_eval_criterion_MA(run)
        # The order of on_epoch_end: the checkpoint is decided before patience, after the average of the metric.
        NetworkTrainer.manage_patience(run)
        rows["train_loss"].append(loss)
        rows["val_metric"].append(metric)
        rows["train_loss_MA"].append(run.train_loss_MA)
        rows["val_eval_criterion_MA"].append(run.val_eval_criterion_MA)
        rows["best_val_eval_criterion_MA"].append(run.best_val_eval_criterion_MA)
        rows["best_MA_tr_loss"].append(run.best_MA_tr_loss_for_patience)
        rows["best_epoch_tr"].append(run.best_epoch_based_on_MA_tr_loss)
        rows["saved_best"].append("model_best.model" in saved)
    topic.arrays(
        "moving_averages.npz",
        {k: np.array(v) for k, v in rows.items()},
        f"{BASE}.{{update_train_loss_MA,update_eval_criterion_MA,manage_patience}}",
        {"alpha_val": 0.9, "alpha_train": 0.93, "eps": 5e-4},
    )


def rates(topic):
    from nnunet.training.network_training.nnUNetTrainerV2 import nnUNetTrainerV2

    run = bare(nnUNetTrainerV2)
    run.max_num_epochs, run.initial_lr = 150, 0.025

    class Optimizer:
        param_groups = [{"lr": 0.0}]

    run.optimizer, found = Optimizer(), []
    for epoch in range(150):
        run.maybe_update_lr(epoch)
        found.append(run.optimizer.param_groups[0]["lr"])
    topic.arrays(
        "lr_schedule.npz",
        {"lr": np.array(found)},
        f"{V2}.maybe_update_lr",
        {"max_num_epochs": 150, "initial_lr": 0.025},
    )


def splits(topic, rng):
    from nnunet.training.network_training.nnUNetTrainerV2 import nnUNetTrainerV2

    arrays = {}
    for count in (6, 13, 41):
        keys = [f"subject{i}" for i in rng.permutation(count)]
        folder = Path(f"n{count}")
        folder.mkdir()
        for fold in (0, 2, 4, 5, 9):
            run = bare(nnUNetTrainerV2)
            run.fold, run.dataset_directory = fold, str(folder)
            run.dataset = OrderedDict((key, {}) for key in keys)
            run.do_split()
            arrays[f"n{count}_fold{fold}_train"] = np.array(list(run.dataset_tr))
            arrays[f"n{count}_fold{fold}_val"] = np.array(list(run.dataset_val))
    topic.arrays("splits.npz", arrays, f"{V2}.do_split", None)


def record(out, rng):
    topic = Topic(out, "training_loop")
    online(topic, rng)
    averages(topic, rng)
    rates(topic)
    splits(topic, rng)
    topic.finish()
