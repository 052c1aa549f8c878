//! One measured computation: `bench-evaluate THREADS JOB`, where `JOB` is the file that `compare.py` writes. Prints one
//! JSON object with results, and the best wall and processor times in seconds.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use components::{label, Connectivity};
use evaluate::measure::{count_lesions, surface_scores, LesionConnectivity, LesionRule};
use ndarray::Array3;
use run::Cancel;
use serde::Deserialize;
use serde_json::{json, Value};

#[derive(Deserialize)]
struct Job {
    /// `components` of `reference`; `surfaces` and `lesions` of both.
    kind: String,
    /// Raw C-ordered masks of uint8.
    reference: PathBuf,
    prediction: Option<PathBuf>,
    /// `(z, y, x)`.
    shape: [usize; 3],
    spacing: [f64; 3],
    tolerance: f64,
    /// Whether corners are neighbours (26), or faces only (6).
    full: bool,
    repeats: usize,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, threads, job] = arguments.as_slice() else {
        return Err("usage: bench-evaluate THREADS JOB".into());
    };
    let job: Job = serde_json::from_slice(&fs::read(job)?)?;
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads.parse()?)
        .build_global()?;
    let reference = read(&job.reference, job.shape)?;
    let prediction = job
        .prediction
        .as_ref()
        .map(|path| read(path, job.shape))
        .transpose()?;
    let (mut wall, mut cpu) = (f64::INFINITY, f64::INFINITY);
    let mut result = Value::Null;
    for _ in 0..job.repeats {
        let (start, before) = (Instant::now(), cpu_seconds()?);
        result = compute(&job, &reference, prediction.as_ref())?;
        wall = wall.min(start.elapsed().as_secs_f64());
        cpu = cpu.min(cpu_seconds()? - before);
    }
    println!("{}", json!({ "result": result, "wall": wall, "cpu": cpu }));
    Ok(())
}

/// Processor time of this process so far.
fn cpu_seconds() -> Result<f64, Box<dyn Error>> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    // User and system time.
    let ticks: Result<Vec<f64>, _> = fields.skip(11).take(2).map(str::parse).collect();
    Ok(ticks?.iter().sum::<f64>() / 100.0)
}

fn compute(
    job: &Job,
    reference: &Array3<bool>,
    prediction: Option<&Array3<bool>>,
) -> Result<Value, Box<dyn Error>> {
    let connectivity = if job.full {
        Connectivity::Full
    } else {
        Connectivity::Face
    };
    if job.kind == "components" {
        let found = label(reference.view(), |voxel| voxel, connectivity)?;
        return Ok(json!({
            "components": found.sizes.len(), "largest": found.sizes.iter().max(),
        }));
    }
    let prediction = prediction.ok_or("a job of two masks needs a prediction")?;
    if job.kind == "lesions" {
        let rule = LesionRule {
            connectivity: if job.full {
                LesionConnectivity::Full
            } else {
                LesionConnectivity::Face
            },
            overlap: 0.0,
            sizes: &[],
        };
        let found = count_lesions(
            reference.view(),
            prediction.view(),
            job.spacing.iter().product(),
            rule,
        )?;
        let one = &found[0];
        return Ok(json!([one.reference, one.detected, one.predicted, one.correct]));
    }
    let (spacing, tolerance) = (job.spacing, job.tolerance);
    let found = surface_scores(
        reference.view(),
        prediction.view(),
        None,
        spacing,
        tolerance,
        &Cancel::new(),
    )?;
    Ok(json!([
        found.hausdorff_95,
        found.mean_distance,
        found.surface_dice
    ]))
}

fn read(path: &Path, shape: [usize; 3]) -> Result<Array3<bool>, Box<dyn Error>> {
    let voxels = fs::read(path)?.into_iter().map(|voxel| voxel != 0).collect();
    Ok(Array3::from_shape_vec(shape, voxels)?)
}
