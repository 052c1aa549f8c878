//! The chart of a training (`NetworkTrainer.plot_progress`).

use run::EpochReport;

use crate::chart::{Axis, Chart, Series, Side};
use crate::picture::Stroke;
use crate::style;

/// The chart of a training as nnU-Net v1 draws it in `progress.png`: training and validation loss on the left
/// axis, mean online Dice on the right one. In addition, it has a thin line for the Dice of each class.
///
/// `reports` are those of the finished epochs, in order. `classes` names the foreground classes in the order
/// of [`EpochReport::dice`]; a class without a name is called by its number. Missing values interrupt a line.
#[must_use]
pub fn progress(title: &str, reports: &[EpochReport], classes: &[String]) -> Chart {
    let line = |value: &dyn Fn(&EpochReport) -> Option<f64>| -> Vec<[f64; 2]> {
        let point = |r: &EpochReport| [r.epoch as f64, value(r).unwrap_or(f64::NAN)];
        reports.iter().map(point).collect()
    };
    let count = reports.iter().map(|r| r.dice.len()).max().unwrap_or(0);
    let mut series: Vec<Series> = (0..count)
        .rev()
        .map(|class| Series {
            name: class_name(classes, class),
            points: line(&|r| r.dice.get(class).copied().flatten()),
            side: Side::Right,
            stroke: style::class(class),
        })
        .collect();
    series.push(Series {
        name: "mean Dice".to_owned(),
        points: line(&mean_dice),
        side: Side::Right,
        stroke: style::mean(),
    });
    let loss = |name: &str, stroke: Stroke, points| Series {
        name: name.to_owned(),
        points,
        side: Side::Left,
        stroke,
    };
    series.push(loss(
        "validation loss",
        style::validation_loss(),
        line(&|r| r.validation_loss),
    ));
    series.push(loss(
        "training loss",
        style::train_loss(),
        line(&|r| r.train_loss),
    ));
    Chart {
        title: title.to_owned(),
        x: Axis {
            title: "epoch".to_owned(),
            whole: true,
            range: None,
        },
        left: Axis {
            title: "loss".to_owned(),
            ..Axis::default()
        },
        right: Some(Axis {
            title: "online Dice".to_owned(),
            range: Some((0.0, 1.0)),
            whole: false,
        }),
        series,
    }
}

/// Mean Dice over the classes that have one.
pub(crate) fn mean_dice(report: &EpochReport) -> Option<f64> {
    let found: Vec<f64> = report.dice.iter().flatten().copied().collect();
    (!found.is_empty()).then(|| found.iter().sum::<f64>() / found.len() as f64)
}

fn class_name(classes: &[String], class: usize) -> String {
    match classes.get(class) {
        Some(name) => format!("Dice {name}"),
        None => format!("Dice of class {}", class + 1),
    }
}
