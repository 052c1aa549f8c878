//! The chart of a training (`NetworkTrainer.plot_progress`).

use run::EpochReport;

use crate::chart::{Axis, Chart, Series, Side};
use crate::picture::{Colour, Stroke};

// Colours of Okabe and Ito ("Color Universal Design", 2008), which differ for colour-blind readers.
const BLUE: Colour = [0, 114, 178];
const VERMILLION: Colour = [213, 94, 0];
const GREEN: Colour = [0, 158, 115];
const CLASSES: [Colour; 5] = [
    [230, 159, 0],
    [86, 180, 233],
    [204, 121, 167],
    [0, 0, 0],
    [240, 228, 66],
];
/// Lines of classes beyond the fifth differ in their dashes.
const DASHES: [&[f64]; 4] = [&[], &[8.0, 5.0], &[2.0, 5.0], &[10.0, 5.0, 2.0, 5.0]];

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
    let dash = |lengths: &[f64]| lengths.to_vec();
    let count = reports.iter().map(|r| r.dice.len()).max().unwrap_or(0);
    let mut series: Vec<Series> = (0..count)
        .rev()
        .map(|class| Series {
            name: class_name(classes, class),
            points: line(&|r| r.dice.get(class).copied().flatten()),
            side: Side::Right,
            stroke: Stroke {
                colour: CLASSES[class % CLASSES.len()],
                width: 1.2,
                dash: dash(DASHES[class / CLASSES.len() % DASHES.len()]),
            },
        })
        .collect();
    series.push(Series {
        name: "mean Dice".to_owned(),
        points: line(&mean_dice),
        side: Side::Right,
        stroke: Stroke {
            colour: GREEN,
            width: 2.4,
            dash: dash(&[12.0, 6.0]),
        },
    });
    let loss = |name: &str, colour, points| Series {
        name: name.to_owned(),
        points,
        side: Side::Left,
        stroke: Stroke::solid(colour, 2.4),
    };
    series.push(loss("validation loss", VERMILLION, line(&|r| r.validation_loss)));
    series.push(loss("training loss", BLUE, line(&|r| r.train_loss)));
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
