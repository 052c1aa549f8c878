//! Measured program of `bench/weightmaps/run.py`. It runs one unit of work for every line on standard input.
//!
//! `bench edt MASK.npy THREADS [BOUND]`, `bench map SEGMENTATION.npy THREADS border|instances|2d` and `bench
//! copy ELEMENTS` print the wall and processor milliseconds of each unit. `bench generate FOLDER OUTPUT
//! WORKERS` writes weightmaps and exits.

use std::io::BufRead;
use std::path::Path;
use std::time::Instant;

use ndarray::{Array3, Ix3};
use run::Context;
use weightmap::{border_weightmap, generate, Options, Parameters};

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let pool = |threads: &str| {
        Ok::<_, Failure>(
            rayon::ThreadPoolBuilder::new()
                .num_threads(threads.parse()?)
                .build()?,
        )
    };
    match *words.as_slice() {
        ["edt", mask, threads, ref bound @ ..] => {
            let mask = volume::npy::read::<u8>(Path::new(mask))?.into_dimensionality::<Ix3>()?;
            let bound = bound.first().map(|b| b.parse()).transpose()?;
            let pool = pool(threads)?;
            repeat(|| {
                pool.install(|| edt::squared_distance(mask.view(), &[1.0; 3], bound))
                    .map(drop)?;
                Ok(())
            })
        }
        ["map", segmentation, threads, mode] => {
            let segmentation =
                volume::npy::read::<f32>(Path::new(segmentation))?.into_dimensionality::<Ix3>()?;
            let mode = serde_json::from_value(mode.into())?;
            let parameters = Parameters {
                classes: vec![1, 2, 3],
                mode,
                ..Parameters::default()
            };
            let pool = pool(threads)?;
            repeat(|| {
                let map: Array3<f32> = pool.install(|| border_weightmap(segmentation.view(), &parameters))?;
                drop(map);
                Ok(())
            })
        }
        ["copy", elements] => {
            let from = vec![1.0_f32; elements.parse()?];
            let mut to = vec![0.0_f32; from.len()];
            repeat(|| {
                to.copy_from_slice(&from);
                Ok(())
            })
        }
        ["generate", folder, output, workers] => {
            let options = Options {
                output_dir: Some(output.into()),
                classes: Some(vec![1, 2, 3]),
                ..Options::new(folder)
            };
            let summary = generate(&options, &Context::silent(workers.parse()?))?;
            assert!(summary.failures.is_empty(), "{:?}", summary.failures);
            Ok(())
        }
        _ => Err("usage: bench edt|map|copy|generate ...".into()),
    }
}

/// Runs `work` for each line of standard input and prints its milliseconds.
fn repeat(mut work: impl FnMut() -> Result<(), Failure>) -> Result<(), Failure> {
    for line in std::io::stdin().lock().lines() {
        line?;
        let (wall, processor) = (Instant::now(), processor_time()?);
        work()?;
        println!(
            "{} {}",
            wall.elapsed().as_secs_f64() * 1e3,
            processor_time()? - processor
        );
    }
    Ok(())
}

/// Returns the processor milliseconds of this process's threads, as counted by Linux.
fn processor_time() -> Result<f64, Failure> {
    let mut sum = 0.0;
    for task in std::fs::read_dir("/proc/self/task")? {
        let text = std::fs::read_to_string(task?.path().join("schedstat"))?;
        sum += text
            .split_whitespace()
            .next()
            .unwrap_or_default()
            .parse::<f64>()?
            / 1e6;
    }
    Ok(sum)
}
