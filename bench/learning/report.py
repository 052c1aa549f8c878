"""Table and curves of finished runs."""

import csv
import statistics

# A class below this Dice is not told apart from the other one.
TOLD_APART = 0.3


def plateau_left(epochs, iterations):
    """Training iterations until the lowest Dice of an epoch is above the threshold for good; None if never."""
    left = None
    for report in epochs:
        lowest = min((dice or 0.0) for dice in report["dice"])
        if lowest <= TOLD_APART:
            left = None
        elif left is None:
            left = (report["epoch"] + 1) * iterations
    return left


def spread(values):
    """Mean and standard deviation as text."""
    deviation = statistics.stdev(values) if len(values) > 1 else 0.0
    return f"{statistics.mean(values):.3f} ± {deviation:.3f}"


def write_report(out, runs, iterations):
    """Writes `curves.csv`, `report.md` and a picture for each trainer to a folder, and prints the report."""
    for run in runs:
        run["left"] = plateau_left(run["epochs"], iterations)
    write_curves(out / "curves.csv", runs)
    lines = [
        "| trainer | run | seeds | Dice anterior | Dice posterior | plateau left at iteration | seconds an epoch |",
        "| ------- | --- | ----- | ------------- | -------------- | ------------------------- | ---------------- |",
    ]
    groups = {}
    for run in runs:
        groups.setdefault((run["trainer"], run["implementation"]), []).append(run)
    for (trainer, implementation), group in groups.items():
        seconds = statistics.median(epoch["seconds"] for run in group for epoch in run["epochs"])
        cells = [
            trainer, implementation, str(len(group)),
            *(spread([run["dice"][label] for run in group]) for label in (0, 1)),
            ", ".join("never" if run["left"] is None else str(run["left"]) for run in group),
            f"{seconds:.1f}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    text = "\n".join(lines) + "\n"
    (out / "report.md").write_text(text)
    print(text)
    for trainer in dict.fromkeys(run["trainer"] for run in runs):
        draw(out / f"{trainer}.png", trainer, [run for run in runs if run["trainer"] == trainer])


def write_curves(path, runs):
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["trainer", "run", "seed", "epoch", "train_loss", "validation_loss", "dice_1", "dice_2"])
        for run in runs:
            for epoch in run["epochs"]:
                values = (epoch["epoch"], epoch["trainLoss"], epoch["validationLoss"], *epoch["dice"])
                rows.writerow([run["trainer"], run["implementation"], run["seed"], *values])


def draw(path, trainer, runs):
    """Losses and the lower Dice of both classes; one line a seed, one colour an implementation."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, (losses, dice) = pyplot.subplots(1, 2, figsize=(12, 4.5))
    colours = {"fork": "#d55e00", "here": "#0072b2"}
    for run in runs:
        numbers = [epoch["epoch"] for epoch in run["epochs"]]
        name, style = run["implementation"], {"color": colours[run["implementation"]], "linewidth": 1.2}
        first = name not in losses.get_legend_handles_labels()[1]
        losses.plot(numbers, [e["trainLoss"] for e in run["epochs"]], label=name if first else None, **style)
        dice.plot(numbers, [min((d or 0.0) for d in e["dice"]) for e in run["epochs"]], **style)
    for axes, title in ((losses, "training loss"), (dice, "lower online Dice of the two classes")):
        axes.set(xlabel="epoch", ylabel=title)
    losses.legend()
    figure.suptitle(f"{trainer}: one line a seed")
    figure.tight_layout()
    figure.savefig(path)
    pyplot.close(figure)
