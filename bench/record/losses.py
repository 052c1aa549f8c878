"""Losses of nnU-Net v1 and of DIAG's trainers, alone and over deep supervision, with their gradients."""

import warnings

import numpy as np
import torch

from common import Topic

DICE = "nnunet.training.loss_functions.dice_loss."
SPARSE = "nnunet.training.network_training.diag.nnUNetTrainerV2Sparse."
WEIGHTED = "nnunet.training.network_training.diag.nnUNetTrainerV2Weighted."
DEEP = "nnunet.training.loss_functions.deep_supervision.MultipleOutputLoss2"

SETUPS = {
    "2d": {
        "images": 3,
        "classes": 3,
        "shape": (6, 9),
        "scales": [[1, 1], [0.5, 0.5], [0.5, 0.25]],
        "deep": (8, 12),
    },
    "3d": {
        "images": 2,
        "classes": 5,
        "shape": (3, 5, 4),
        "deep": (4, 8, 8),
        "scales": [[1, 1, 1], [0.5, 0.5, 0.5], [0.5, 0.25, 0.5], [0.5, 0.125, 0.25]],
    },
}


def dice_kwargs(batch_dice):
    return {"batch_dice": batch_dice, "smooth": 1e-5, "do_bg": False}


def losses():
    from nnunet.training.loss_functions.dice_loss import DC_and_CE_loss, DCandCEWeightedLoss
    from nnunet.training.network_training.diag.nnUNetTrainerV2Sparse import (
        DC_and_CE_loss_with_retained_output,
    )
    from nnunet.training.network_training.diag.nnUNetTrainerV2Weighted import DC_and_CE_loss_weighted

    return {
        "DC_and_CE_loss": (DICE, lambda p: DC_and_CE_loss(dice_kwargs(p["batch_dice"]), {})),
        "DC_and_CE_loss_with_retained_output": (
            SPARSE,
            lambda p: DC_and_CE_loss_with_retained_output(dice_kwargs(p["batch_dice"]), {}, ignore_label=-1),
        ),
        "DC_and_CE_loss_weighted": (
            WEIGHTED,
            lambda p: DC_and_CE_loss_weighted(
                dice_kwargs(p["batch_dice"]),
                {},
                **{k: p[k] for k in ("weight_dice", "weight_ce", "log_dice", "ignore_label") if k in p},
            ),
        ),
        "DCandCEWeightedLoss": (
            DICE,
            lambda p: DCandCEWeightedLoss(
                p["class_weights"],
                p.get("weight_dc", 1),
                p.get("weight_ce", 1),
                dice_kwargs(p["batch_dice"]),
                {},
                ignore_label=p["ignore_label"],
            ),
        ),
    }


class Recorder:
    def __init__(self, topic, kind, rng):
        self.topic, self.kind, self.rng = topic, kind, rng
        self.setup = SETUPS[kind]

    def logits(self, shape):
        size = (self.setup["images"], self.setup["classes"], *shape)
        return (np.round(48 * self.rng.standard_normal(size)) / 32).astype(np.float32)

    def target(self, shape, ignored=0.0):
        target = self.rng.integers(0, self.setup["classes"], (self.setup["images"], 1, *shape)).astype(
            np.float32
        )
        target[self.rng.random(target.shape) < ignored] = -1
        return target

    def weight(self, shape):
        return (self.rng.integers(1, 160, (self.setup["images"], 1, *shape)) / 32).astype(np.float32)

    def single(self, name, loss, parameters, target=None, weight=None, note=""):
        shape = self.setup["shape"]
        target = self.target(shape) if target is None else target
        logits = torch.from_numpy(self.logits(shape)).requires_grad_()
        given = torch.from_numpy(target.copy())
        module, make = losses()[loss]
        inputs = [logits, given] + ([torch.from_numpy(weight)] if weight is not None else [])
        value = make(parameters)(*inputs)
        value.backward()
        arrays = {"logits": logits.detach().numpy(), "target": target}
        if weight is not None:
            arrays["weight"] = weight
        arrays.update(loss=value.detach().numpy(), grad=logits.grad.numpy())
        self.topic.arrays(f"{self.kind}_{name}.npz", arrays, module + loss, parameters, note)

    def deep(self, name, loss, parameters, ignored=0.0, annotated=None, factors=True):
        from nnunet.training.data_augmentation.downsampling import downsample_seg_for_ds_transform2
        from nnunet.training.loss_functions.deep_supervision import MultipleOutputLoss2
        from nnunet.training.network_training.diag.nnUNetTrainerV2Weighted import (
            MultipleOutputLoss2WithWeightMaps,
        )

        scales = self.setup["scales"]
        whole = self.target(self.setup["deep"], ignored)
        if annotated is not None:
            # A few annotated voxels that no lower scale keeps.
            whole[:] = -1
            for image, label in annotated:
                whole[(image, 0, *[0] * len(self.setup["deep"]))] = label
        targets = downsample_seg_for_ds_transform2(whole, scales)
        logits = [torch.from_numpy(self.logits(t.shape[2:])).requires_grad_() for t in targets]
        weights = deep_weights(len(scales))
        module, make = losses()[loss]
        weighted = loss == "DC_and_CE_loss_weighted"
        maps = [self.weight(t.shape[2:]) for t in targets] if weighted else []
        wrapper = MultipleOutputLoss2WithWeightMaps if weighted else MultipleOutputLoss2
        inputs = [logits, [torch.from_numpy(t.copy()) for t in targets]]
        if weighted:
            inputs.append([torch.from_numpy(w) for w in maps])
        value = wrapper(make(parameters), weights if factors else None)(*inputs)
        value.backward()
        arrays = {"ds_weights": weights}
        for i, (l, t) in enumerate(zip(logits, targets)):
            arrays.update({f"logits_{i}": l.detach().numpy(), f"target_{i}": t})
            if weighted:
                arrays[f"weight_{i}"] = maps[i]
        arrays["loss"] = value.detach().numpy()
        for i, l in enumerate(logits):
            arrays[f"grad_{i}"] = np.zeros(l.shape, np.float32) if l.grad is None else l.grad.numpy()
        parameters = {**parameters, "scales": scales, **({} if factors else {"weight_factors": None})}
        self.topic.arrays(
            f"{self.kind}_{name}.npz", arrays, f"{DEEP}({module}{loss})", parameters, "deep supervision"
        )

    def record(self):
        shape = self.setup["shape"]
        absent = self.target(shape)
        absent[absent == self.setup["classes"] - 1] = 0
        one_image = self.target(shape)
        one_image[0] = -1
        nothing = np.full_like(absent, -1)
        for batch_dice, dice in ((True, "batchdice"), (False, "sampledice")):
            p = {"batch_dice": batch_dice}
            self.single(f"a_dcce_{dice}", "DC_and_CE_loss", p)
            self.single(f"a_dcce_{dice}_class_absent", "DC_and_CE_loss", p, absent)
            sparse = {**p, "ignore_label": -1}
            for name, target in (
                ("some", self.target(shape, 0.3)),
                ("one_sample_all_ignored", one_image),
                ("all_ignored", nothing),
                ("none_ignored", self.target(shape)),
            ):
                self.single(f"b_sparse_{dice}_{name}", "DC_and_CE_loss_with_retained_output", sparse, target)
        p = {"batch_dice": True, "weight_dice": 0}
        loss = "DC_and_CE_loss_weighted"
        self.single("c_weighted_dice0", loss, p, weight=self.weight(shape))
        self.single("c_weighted_dice0_zero_weights", loss, p, weight=np.zeros_like(self.weight(shape)))
        self.single("c_weighted_dice0p1_default", loss, {**p, "weight_dice": 0.1}, weight=self.weight(shape))
        halves = {"batch_dice": False, "weight_dice": 1.0, "weight_ce": 0.25}
        self.single("c_weighted_dice1_sampledice", loss, halves, weight=self.weight(shape))
        ignore = {**p, "ignore_label": -1}
        self.single("c_weighted_dice0_ignore", loss, ignore, self.target(shape, 0.4), self.weight(shape))
        self.single("c_weighted_dice0_all_ignored", loss, ignore, nothing, self.weight(shape))
        logarithm = {"batch_dice": True, "weight_dice": 1.0, "log_dice": True}
        self.single("c_weighted_logdice", loss, logarithm, weight=self.weight(shape))
        weights = [round(0.3 + 0.45 * c, 3) for c in range(self.setup["classes"])]
        loss = "DCandCEWeightedLoss"
        for batch_dice, dice in ((True, "batchdice"), (False, "sampledice")):
            p = {"class_weights": weights, "weight_dc": 1, "weight_ce": 1, "batch_dice": batch_dice}
            self.single(f"d_classweights_{dice}_ignore_m100", loss, {**p, "ignore_label": -100})
            self.single(
                f"d_classweights_{dice}_ignore_m1", loss, {**p, "ignore_label": -1}, self.target(shape, 0.3)
            )
            self.single(f"d_classweights_{dice}_ignore_class2", loss, {**p, "ignore_label": 2})
        p = {
            "class_weights": weights,
            "weight_dc": 0.6,
            "weight_ce": 0.2,
            "batch_dice": True,
            "ignore_label": -1,
        }
        self.single("d_classweights_dc0p6_ce0p2", loss, p, self.target(shape, 0.3))
        self.single("d_classweights_all_m1", loss, {**p, "weight_dc": 1}, nothing)
        batch = {"batch_dice": True}
        self.deep("e_ds_dcce", "DC_and_CE_loss", batch)
        self.deep("e_ds_weight_factors_none", "DC_and_CE_loss", batch, factors=False)
        self.deep("e_ds_sparse", "DC_and_CE_loss_with_retained_output", {**batch, "ignore_label": -1}, 0.4)
        lost = [(image, 1) for image in range(self.setup["images"])]
        self.deep(
            "e_ds_sparse_low_scale_all_ignored",
            "DC_and_CE_loss_with_retained_output",
            {**batch, "ignore_label": -1},
            annotated=lost,
        )
        self.deep("e_ds_weighted", "DC_and_CE_loss_weighted", {**batch, "weight_dice": 0})
        self.deep(
            "e_ds_classweights",
            "DCandCEWeightedLoss",
            {**batch, "class_weights": weights, "ignore_label": -1},
            0.2,
        )


def deep_weights(outputs):
    """What nnUNetTrainerV2.initialize gives the outputs, finest first."""
    weights = np.array([1 / 2**i for i in range(outputs)])
    weights[np.arange(outputs) >= max(1, outputs - 1)] = 0
    return weights / weights.sum()


def record(out, rng):
    topic = Topic(out, "losses")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for kind in SETUPS:
            Recorder(topic, kind, rng).record()
    arrays = {f"n{n}": deep_weights(n) for n in (1, 2, 3, 5, 8)}
    topic.arrays(
        "ds_weights.npz",
        arrays,
        "nnunet.training.network_training.nnUNetTrainerV2.nnUNetTrainerV2.initialize",
        None,
        "weights of n outputs, finest first",
    )
    topic.finish()
