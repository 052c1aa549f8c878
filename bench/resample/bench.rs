//! One measured resampling: `bench-resample THREADS REPEATS JOB`, where `JOB` is the JSON that `compare.py` writes.
//! Prints one JSON object with the best wall and CPU seconds and the peak resident memory.

use std::error::Error;
use std::fs;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::time::Instant;

use ndarray::{Array3, Array4};
use resample::{Decision, ExportMode, Order, Resampling};
use serde::Deserialize;

#[derive(Deserialize)]
struct Job {
    /// `data`, `segmentation` or `labels` (of a softmax).
    kind: String,
    /// Raw C-ordered float32, or int16 for a segmentation.
    input: PathBuf,
    output: PathBuf,
    /// `(channel, z, y, x)`.
    shape: [usize; 4],
    new_shape: [usize; 3],
    separate_axis: Option<usize>,
    order: Order,
    mode: Option<ExportMode>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, threads, repeats, job] = arguments.as_slice() else {
        return Err("usage: bench-resample THREADS REPEATS JOB".into());
    };
    let job: Job = serde_json::from_slice(&fs::read(job)?)?;
    let repeats: usize = repeats.parse()?;
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads.parse()?)
        .build_global()?;
    measure(&job, repeats)
}

fn measure(job: &Job, repeats: usize) -> Result<(), Box<dyn Error>> {
    let [c, z, y, x] = job.shape;
    let to = Resampling {
        shape: job.new_shape,
        separate_axis: job.separate_axis,
        order: job.order,
        order_z: Order::Nearest,
    };
    let (wall, cpu, peak) = match job.kind.as_str() {
        "data" => {
            let data = Array4::from_shape_vec((c, z, y, x), values(&job.input, f32::from_le_bytes)?)?;
            best(
                repeats,
                &job.output,
                || Ok(resample::resample_data(data.view(), &to, &run::Cancel::new())?),
                |v| v.to_le_bytes(),
            )?
        }
        "segmentation" => {
            let labels = Array3::from_shape_vec((z, y, x), values(&job.input, i16::from_le_bytes)?)?;
            let run = || {
                Ok(resample::resample_segmentation(
                    labels.view(),
                    &to,
                    None,
                    &run::Cancel::new(),
                )?)
            };
            best(repeats, &job.output, run, |v| v.to_le_bytes())?
        }
        _ => {
            let softmax = Array4::from_shape_vec((c, z, y, x), values(&job.input, f32::from_le_bytes)?)?;
            let mode = job.mode.unwrap_or_default();
            let run = || {
                Ok(resample::resample_labels(
                    softmax.view(),
                    &to,
                    mode,
                    &Decision::Argmax,
                    &run::Cancel::new(),
                )?)
            };
            best(repeats, &job.output, run, |v| v.to_le_bytes())?
        }
    };
    println!("{{\"wall\": {wall:.4}, \"cpu\": {cpu:.4}, \"peak_mb\": {peak:.0}}}");
    Ok(())
}

/// Values of a file, without a second copy, so that the peak memory is that of resampling.
fn values<T, const N: usize>(path: &Path, value: impl Fn([u8; N]) -> T) -> Result<Vec<T>, Box<dyn Error>> {
    let file = fs::File::open(path)?;
    let count = file.metadata()?.len() as usize / N;
    let mut reader = BufReader::with_capacity(1 << 20, file);
    let mut values = Vec::with_capacity(count);
    for _ in 0..count {
        let mut bytes = [0; N];
        reader.read_exact(&mut bytes)?;
        values.push(value(bytes));
    }
    Ok(values)
}

/// Best wall and CPU seconds; the last result is written to `output` afterwards.
fn best<T, D: ndarray::Dimension, const N: usize>(
    repeats: usize,
    output: &Path,
    run: impl Fn() -> Result<ndarray::Array<T, D>, Box<dyn Error>>,
    bytes: impl Fn(&T) -> [u8; N],
) -> Result<(f64, f64, f64), Box<dyn Error>> {
    let (mut wall, mut cpu, mut peak) = (f64::INFINITY, f64::INFINITY, 0.0);
    for repeat in 0..repeats {
        let (start, before) = (Instant::now(), cpu_seconds()?);
        let result = run()?;
        wall = wall.min(start.elapsed().as_secs_f64());
        cpu = cpu.min(cpu_seconds()? - before);
        if repeat + 1 == repeats {
            peak = peak_megabytes()?;
            let written: Vec<u8> = result.iter().flat_map(&bytes).collect();
            fs::write(output, written)?;
        }
    }
    Ok((wall, cpu, peak))
}

/// User and system time of this process so far, all threads.
fn cpu_seconds() -> Result<f64, Box<dyn Error>> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    let ticks = |i: usize| {
        fields
            .get(i)
            .and_then(|f| f.parse::<f64>().ok())
            .ok_or("unreadable /proc/self/stat")
    };
    Ok((ticks(11)? + ticks(12)?) / 100.0)
}

fn peak_megabytes() -> Result<f64, Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status
        .lines()
        .find(|l| l.starts_with("VmHWM"))
        .ok_or("no VmHWM")?;
    let kb: f64 = line.split_whitespace().nth(1).ok_or("no VmHWM value")?.parse()?;
    Ok(kb / 1024.0)
}
