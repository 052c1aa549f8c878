//! Reports of made-up trainings.

use run::EpochReport;

/// A report with two classes.
pub fn report(epoch: u64) -> EpochReport {
    let x = epoch as f64;
    EpochReport {
        epoch,
        epochs: 1000,
        train_loss: Some(1.0 / (1.0 + 0.1 * x) - 0.9),
        validation_loss: Some(1.0 / (1.0 + 0.08 * x) - 0.8),
        dice: vec![Some(1.0 - 1.0 / (1.0 + 0.1 * x)), Some(0.5)],
        best: epoch > 0,
        learning_rate: 0.01,
        seconds: 2.5,
        seconds_left: 100.0,
        wait_share: 0.125,
        iterations_per_second: 12.5,
        gradient_norm: Some(3.5),
        host_memory: Some(1 << 30),
        device_memory: None,
    }
}
