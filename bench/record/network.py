"""Outputs of the network, series of training steps, initial weights and learning rates."""

import numpy as np
import torch

from common import Topic, network, state, stir
from losses import deep_weights

UNET = "nnunet.network_architecture.generic_UNet.Generic_UNet"
STEP = "nnunet.training.network_training.nnUNetTrainerV2.nnUNetTrainerV2.run_iteration (fp32 branch, replayed step by step)"

NETWORKS = {
    "net2d_uneven": {
        "in_ch": 2,
        "classes": 5,
        "base": 3,
        "pools": [[2, 1], [2, 2], [1, 2]],
        "kernels": [[3, 3]] * 4,
        "patch": [12, 20],
        "b": 2,
    },
    "net3d_flat": {
        "in_ch": 3,
        "classes": 2,
        "base": 3,
        "pools": [[1, 2, 2], [2, 2, 1]],
        "kernels": [[1, 3, 3], [1, 3, 3], [3, 3, 3]],
        "patch": [6, 20, 10],
        "b": 1,
    },
}
SERIES = {
    "train2d_plain": {
        "in_ch": 2,
        "classes": 4,
        "base": 3,
        "pools": [[2, 2], [2, 1]],
        "kernels": [[3, 3]] * 3,
        "patch": [20, 14],
        "b": 3,
        "steps": 4,
        "initial_lr": 0.02,
        "max_epochs": 7,
        "batch_dice": False,
        "seg_outputs_gain": 1.0,
    },
    "train3d_clip": {
        "in_ch": 1,
        "classes": 2,
        "base": 3,
        "pools": [[2, 2, 2], [1, 2, 2]],
        "kernels": [[3, 3, 3], [3, 3, 3], [1, 3, 3]],
        "patch": [8, 12, 8],
        "b": 2,
        "steps": 3,
        "initial_lr": 0.005,
        "max_epochs": 20,
        "batch_dice": True,
        "seg_outputs_gain": 40.0,
    },
}


def build(p):
    return network(p["in_ch"], p["classes"], p["base"], p["pools"], p["kernels"])


def noise(p, generator):
    return (64 * torch.randn((p["b"], p["in_ch"], *p["patch"]), generator=generator)).round() / 64


def outputs(topic, name, p, generator):
    model = build(p)
    stir(model, generator)
    topic.arrays(f"{name}_state.npz", state(model), f"{UNET}.state_dict", p, "randomised affine and bias")
    x = noise(p, generator)
    arrays = {"input": x.numpy()}
    for mode, switch in (("train", model.train), ("eval", model.eval)):
        switch()
        with torch.no_grad():
            model.do_ds = True
            for i, head in enumerate(model(x)):
                arrays[f"{mode}_head_{i}"] = head.numpy()
            model.do_ds = False
            if mode == "eval":
                arrays["eval_nods"] = model(x).numpy()
    topic.arrays(f"{name}_io.npz", arrays, f"{UNET}.forward", p, "head_0 is the finest")


def series(topic, name, p, generator, rng):
    """Steps as run_iteration makes them, with the very losses, optimiser and clipping of the trainer."""
    from nnunet.training.data_augmentation.downsampling import downsample_seg_for_ds_transform2
    from nnunet.training.learning_rate.poly_lr import poly_lr
    from nnunet.training.loss_functions.deep_supervision import MultipleOutputLoss2
    from nnunet.training.loss_functions.dice_loss import DC_and_CE_loss

    p = {**p, "exponent": 0.9, "momentum": 0.99, "nesterov": True, "weight_decay": 3e-5, "clip": 12}
    steps = p.pop("steps")
    model = build(p)
    stir(model, generator)
    with torch.no_grad():
        for head in model.seg_outputs:
            head.weight.mul_(p["seg_outputs_gain"])
    model.train()
    scales = [list(np.ones(len(p["patch"])))] + [
        list(s) for s in 1 / np.cumprod(np.array(p["pools"]), 0)[:-1]
    ]
    weights = deep_weights(len(p["pools"]))
    dice = {"batch_dice": p["batch_dice"], "smooth": 1e-5, "do_bg": False}
    loss = MultipleOutputLoss2(DC_and_CE_loss(dice, {}), weights)
    optimizer = torch.optim.SGD(
        model.parameters(),
        p["initial_lr"],
        weight_decay=p["weight_decay"],
        momentum=p["momentum"],
        nesterov=True,
    )
    put = lambda part, arrays, note: topic.arrays(f"{name}_{part}.npz", arrays, STEP, p, note)
    put("state_init", state(model), None)
    arrays = {"losses": [], "lrs": [], "grad_norms": [], "ds_weights": weights}
    for step in range(steps):
        x = noise(p, generator)
        target = rng.integers(0, p["classes"], (p["b"], 1, *p["patch"])).astype(np.float32)
        targets = downsample_seg_for_ds_transform2(target, scales)
        optimizer.param_groups[0]["lr"] = poly_lr(step, p["max_epochs"], p["initial_lr"], p["exponent"])
        optimizer.zero_grad()
        value = loss(model(x), [torch.from_numpy(t) for t in targets])
        value.backward()
        if step == 0:
            gradients = {
                f"grad0/{n}": np.zeros(0, np.float32) if q.grad is None else q.grad.numpy().copy()
                for n, q in model.named_parameters()
            }
            put("grad_step0", gradients, "before clipping; an empty array is a gradient of None")
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), p["clip"])
        optimizer.step()
        arrays["losses"].append(float(value.detach()))
        arrays["grad_norms"].append(float(norm))
        arrays["lrs"].append(optimizer.param_groups[0]["lr"])
        arrays[f"input_{step}"] = x.numpy()
        arrays.update({f"target_{step}_{i}": t for i, t in enumerate(targets)})
    for key in ("losses", "lrs", "grad_norms"):
        arrays[key] = np.array(arrays[key])
    put("data", arrays, "losses and norms before each step")
    put("state_final", state(model), f"after {steps} steps")


def initial(topic):
    pools = [[2, 2], [2, 2]]
    model = network(2, 4, 24, pools, [[3, 3]] * 3)
    rows, keys = [], []
    for key, weight in model.state_dict().items():
        if key.endswith("weight") and weight.ndim > 1:
            fan_in = int(np.prod(weight.shape[1:]))
            rows.append([fan_in, float(weight.std()), np.sqrt(2 / (1 + 1e-4) / fan_in), weight.numel()])
            keys.append(key)
    topic.arrays(
        "init_stats.npz",
        {"keys": np.array(keys), "stats": np.array(rows)},
        "nnunet.network_architecture.initialization.InitWeights_He",
        {"base": 24, "pools": pools},
        "columns: fan_in, measured std, expected std, number of weights",
    )


def features(topic):
    arrays = {}
    for base, pools in ((24, [[2, 2, 2]] * 4), (40, [[1, 2, 2]] * 4), (16, [[2, 2]] * 6)):
        flat = len(pools[0]) == 2
        model = network(1, 2, base, pools, [[3] * len(pools[0])] * (len(pools) + 1))
        counts = [block.output_channels for block in model.conv_blocks_context[:-1]]
        counts.append(model.conv_blocks_context[-1][-1].output_channels)
        arrays[f"{2 if flat else 3}d_base{base}_pool{len(pools)}"] = np.array(counts)
    topic.arrays(
        "feature_counts.npz", arrays, f"{UNET}.__init__", None, "features of the stages with the bottleneck"
    )


def record(out, rng):
    from nnunet.training.learning_rate.poly_lr import poly_lr

    topic = Topic(out, "network")
    torch.manual_seed(int(rng.integers(1 << 30)))
    generator = torch.Generator().manual_seed(int(rng.integers(1 << 30)))
    for name, p in NETWORKS.items():
        outputs(topic, name, p, generator)
    for name, p in SERIES.items():
        series(topic, name, p, generator, rng)
    epochs = np.array([0, 1, 17, 200, 349])
    p = {"max_epochs": 350, "initial_lr": 0.03, "exponent": 0.9}
    rates = [poly_lr(int(e), p["max_epochs"], p["initial_lr"], p["exponent"]) for e in epochs]
    topic.arrays(
        "poly_lr.npz",
        {"epochs": epochs, "lr": np.array(rates)},
        "nnunet.training.learning_rate.poly_lr.poly_lr",
        p,
    )
    features(topic)
    initial(topic)
    topic.finish()
