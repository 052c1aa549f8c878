//! Times the augmentation chain on batches in memory, for comparison with `bench/augment/reference.py`.
//!
//! `throughput CONFIGURATIONS.json NAME [BATCHES] [THREADS] [PORTION] [LEVELS]`. PORTION is `all` or one
//! transform of the chain, which is then applied to every sample while all others are off. Weightmaps are
//! rounded to LEVELS values; 0 does not round them.

use std::error::Error;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use augment::{Block, Params, Pipeline, PipelineOptions, Sample, Strength, Workspace};
use random::{Purpose, Rng};
use serde_json::Value;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let argument = |i: usize, default: &str| arguments.get(i).map_or(default.to_owned(), Clone::clone);
    let file: Value = serde_json::from_str(&std::fs::read_to_string(argument(0, "configurations.json"))?)?;
    let name = argument(1, "a");
    let config = &file[&name];
    let sizes = |key: &str| -> Vec<usize> {
        config[key]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_u64)
            .map(|n| n as usize)
            .collect()
    };
    let (patch, loaded) = (sizes("patch"), sizes("loaded"));
    let kind = config["kind"].as_str().unwrap_or("default");
    let batch = config["batch"].as_u64().unwrap_or(2) as usize;
    let mut options = PipelineOptions::new(&patch, 1);
    options.deep_supervision_scales = serde_json::from_value(config["scales"].clone())?;
    options.weightmap = kind == "weighted";
    options.ignore_label = (kind == "sparse").then_some(-1);
    let portion = argument(4, "all");
    if portion != "all" {
        let mut strength = options.strength();
        only(&mut strength, &portion, patch.len())?;
        options.strength = Some(strength);
    }
    let chain = Pipeline::training(&options)?;
    let levels: u32 = argument(5, "0").parse()?;
    let samples: Vec<Sample> = (0..batch).map(|b| make(&loaded, kind, b, levels)).collect();
    let batches: usize = argument(2, "20").parse()?;
    let threads: usize = argument(3, "1").parse()?;
    let next = AtomicUsize::new(0);
    let zeros: Vec<AtomicU64> = chain.target_sizes().iter().map(|_| AtomicU64::new(0)).collect();
    let (start, cpu) = (Instant::now(), cpu_seconds());
    std::thread::scope(|scope| {
        let work = || -> Result<(), augment::Error> {
            let (mut workspace, mut params, mut out) =
                (Workspace::default(), Params::default(), chain.destination());
            loop {
                let i = next.fetch_add(1, Ordering::Relaxed);
                if i >= batches * batch {
                    return Ok(());
                }
                let (iteration, sample) = (i / batch, i % batch);
                let mut rng = Rng::keyed(1, Purpose::TrainingTransform, 0, iteration as u64, sample as u64);
                chain.draw(&mut rng, &mut params);
                chain.apply(&params, None, &samples[sample], &mut workspace, &mut out)?;
                for (count, weights) in zeros.iter().zip(&out.weights) {
                    count.fetch_add(
                        weights.iter().filter(|w| **w == 0.0).count() as u64,
                        Ordering::Relaxed,
                    );
                }
            }
        };
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| {
            let end = worker.join().map_err(|_| "a thread panicked")?;
            Ok::<(), Box<dyn Error>>(end?)
        })
    })?;
    let (wall, cpu) = (start.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    let zero_weights: Vec<f64> = zeros
        .iter()
        .zip(chain.target_sizes())
        .filter(|_| options.weightmap)
        .map(|(count, size)| {
            count.load(Ordering::Relaxed) as f64 / (size.iter().product::<usize>() * batches * batch) as f64
        })
        .collect();
    println!(
        "{}",
        serde_json::json!({ "who": "here", "configuration": name, "portion": portion, "threads": threads,
            "batches": batches, "zeroWeights": zero_weights, "wallPerBatch": wall / batches as f64, "cpuPerBatch": cpu / batches as f64 })
    );
    Ok(())
}

/// User and system time of this process.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    let ticks = |i: usize| fields.get(i).and_then(|f| f.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}

/// Switches all transforms off except one, which is always on.
fn only(s: &mut Strength, portion: &str, axes: usize) -> Result<(), Box<dyn Error>> {
    (s.spatial.rotation_probability, s.spatial.scale_probability) = (0.0, 0.0);
    for p in [
        &mut s.noise.probability,
        &mut s.blur.probability,
        &mut s.brightness.probability,
        &mut s.contrast.probability,
        &mut s.low_resolution.probability,
        &mut s.gamma_inverted.probability,
        &mut s.gamma.probability,
    ] {
        *p = 0.0;
    }
    s.mirror_axes.clear();
    match portion {
        "crop" => {}
        "rotation" => s.spatial.rotation_probability = 1.0,
        "scale" => s.spatial.scale_probability = 1.0,
        "noise" => s.noise.probability = 1.0,
        "blur" => (s.blur.probability, s.blur.channel_probability) = (1.0, 1.0),
        "brightness" => s.brightness.probability = 1.0,
        "contrast" => s.contrast.probability = 1.0,
        "lowResolution" => (s.low_resolution.probability, s.low_resolution.channel_probability) = (1.0, 1.0),
        "gamma" => s.gamma.probability = 1.0,
        "mirror" => s.mirror_axes = (0..axes).collect(),
        other => return Err(format!("no transform `{other}`").into()),
    }
    Ok(())
}

/// Smooth structures with noise and three labels, as in `reference.py`.
fn make(loaded: &[usize], kind: &str, seed: usize, levels: u32) -> Sample {
    let mut size = [1; 3];
    size[3 - loaded.len()..].copy_from_slice(loaded);
    let [depth, height, width] = size;
    let shape = [1, depth, height, width];
    let mut rng = Rng::keyed(seed as u64, Purpose::TrainingCase, 0, 0, 0);
    let phases: [f64; 3] = std::array::from_fn(|_| rng.uniform(0.0, 6.0));
    let (mut data, mut seg, mut weights) = (Block::new(shape), Block::new(shape), Block::new(shape));
    for i in 0..depth * height * width {
        let at = [i / (height * width), i / width % height, i % width];
        let first = 3 - loaded.len();
        let wave = (first..3)
            .map(|a| (at[a] as f64 / 11.0 + phases[a]).sin())
            .sum::<f64>()
            / loaded.len() as f64;
        data.values_mut()[i] = (2.0 * wave + 0.3 * (rng.unit() - 0.5)) as f32;
        let unlabelled = kind == "sparse" && at[first] % 8 != 0;
        seg.values_mut()[i] = if unlabelled {
            -1
        } else {
            i16::from(wave >= 0.2) + i16::from(wave >= 0.5)
        };
        let border = (-(wave - 0.2).powi(2) / 0.02).exp();
        let steps = f64::from(levels.saturating_sub(1));
        let border = if levels > 1 {
            (border * steps).round() / steps
        } else {
            border
        };
        weights.values_mut()[i] = (1.0 + 10.0 * border) as f32;
    }
    Sample::whole(data, seg, (kind == "weighted").then_some(weights))
}
