//! Writes the picture of a made-up training of 1000 epochs and 14 classes, and prints the time it takes.
//!
//! `cargo run --release -p curves --example drawing_time -- progress.png`

use std::time::Instant;

use run::EpochReport;

fn main() -> std::io::Result<()> {
    let file = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "progress.png".to_owned());
    let noise = |epoch: u64, salt: u64| {
        let mixed = (epoch * 31 + salt + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (mixed >> 40) as f64 / f64::from(1 << 24) - 0.5
    };
    let report = |epoch: u64| {
        let x = epoch as f64 / 100.0;
        let rise = |class: u64| 0.95 - 0.03 * class as f64 - 0.9 * (-x).exp() + 0.05 * noise(epoch, class);
        EpochReport {
            epoch,
            epochs: 1000,
            train_loss: Some(-0.85 + 0.9 * (-x).exp() + 0.04 * noise(epoch, 90)),
            validation_loss: Some(-0.8 + 0.9 * (-x).exp() + 0.08 * noise(epoch, 91)),
            dice: (0..14).map(|class| Some(rise(class).clamp(0.0, 1.0))).collect(),
            best: false,
            learning_rate: 0.01,
            seconds: 1.0,
            seconds_left: 0.0,
            wait_share: 0.0,
            iterations_per_second: 1.0,
            gradient_norm: None,
            host_memory: None,
            device_memory: None,
        }
    };
    let reports: Vec<EpochReport> = (0..1000).map(report).collect();
    let classes: Vec<String> = (1..15).map(|class| format!("organ {class}")).collect();
    let mut times = Vec::new();
    let mut png = Vec::new();
    for _ in 0..20 {
        let started = Instant::now();
        png = curves::progress("Task017_AbdominalOrganSegmentation, fold 0", &reports, &classes)
            .draw(1200, 700)
            .to_png();
        times.push(started.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    println!(
        "{file}: {} bytes, median {:.1} ms, slowest {:.1} ms",
        png.len(),
        times[10],
        times[19]
    );
    std::fs::write(file, png)
}
