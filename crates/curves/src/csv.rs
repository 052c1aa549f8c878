//! The table of a training (`progress.csv`).

use run::EpochReport;

use crate::progress::mean_dice;

/// The reports as comma-separated values (RFC 4180): a header, then one row an epoch. `dice_1`, `dice_2`, …
/// follow the order of [`EpochReport::dice`]. A missing value is an empty field. Lines end with CR LF.
#[must_use]
pub fn table(reports: &[EpochReport]) -> String {
    let classes = reports.iter().map(|r| r.dice.len()).max().unwrap_or(0);
    let mut header: Vec<String> = ["epoch", "train_loss", "validation_loss", "dice_mean"]
        .map(str::to_owned)
        .into();
    header.extend((1..=classes).map(|class| format!("dice_{class}")));
    header.extend(
        [
            "best",
            "learning_rate",
            "gradient_norm",
            "seconds",
            "wait_share",
            "iterations_per_second",
            "host_memory_bytes",
            "device_memory_bytes",
        ]
        .map(str::to_owned),
    );
    let mut text = header.join(",") + "\r\n";
    for report in reports {
        let mut row = vec![
            report.epoch.to_string(),
            number(report.train_loss),
            number(report.validation_loss),
            number(mean_dice(report)),
        ];
        row.extend((0..classes).map(|class| number(report.dice.get(class).copied().flatten())));
        row.extend([
            report.best.to_string(),
            number(Some(report.learning_rate)),
            number(report.gradient_norm),
            number(Some(report.seconds)),
            number(Some(report.wait_share)),
            number(Some(report.iterations_per_second)),
            report.host_memory.map(|b| b.to_string()).unwrap_or_default(),
            report.device_memory.map(|b| b.to_string()).unwrap_or_default(),
        ]);
        text += &row.join(",");
        text += "\r\n";
    }
    text
}

/// A number that reads back as the same value; empty if there is none. No field needs quotes.
fn number(value: Option<f64>) -> String {
    let finite = value.filter(|v| v.is_finite());
    finite.map(|v| v.to_string()).unwrap_or_default()
}
