//! The place of this process among the ranks of a training.

use std::ops::Range;
use std::time::Duration;

use engine::{available_devices, MeetingPoint};
use run::{Context, OptionError};
use settings::TrainOptions;
use tch::Device;

use crate::Result;

/// What `torchrun`, a PyTorchJob or a script around `srun` says in the environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Number of this process, from 0.
    pub rank: usize,
    /// Number of processes.
    pub size: usize,
    /// Number of this process on its machine.
    pub local_rank: usize,
    /// Number of processes on this machine, as far as it is known.
    pub local_size: usize,
    pub point: MeetingPoint,
    /// Whether this process serves the store.
    pub serves: bool,
    /// Whether `torchrun` serves the store.
    pub by_agent: bool,
}

impl Place {
    /// The place in the variables of the process; `None` for a training of one process.
    ///
    /// # Errors
    /// [`OptionError`] names the variable that is missing or has another value.
    pub fn from_environment() -> Result<Option<Self>> {
        Self::read(|name| std::env::var(name).ok())
    }

    /// The same from other variables.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Self>> {
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        if variable("WORLD_SIZE").is_none() && variable("RANK").is_none() {
            return Ok(None);
        }
        let number = |name: &str, default: Option<usize>, valid: Range<usize>| -> Result<usize> {
            let found = variable(name);
            let value = match &found {
                Some(text) => text.parse().ok(),
                None => default,
            };
            value.filter(|value| valid.contains(value)).ok_or_else(|| {
                let expected = format!("a number from {} to {}", valid.start, valid.end - 1);
                let problem = found.map_or("nothing".to_owned(), |text| format!("{text:?}"));
                let expected = format!(
                    "{expected} in the environment, with WORLD_SIZE, RANK, MASTER_ADDR and MASTER_PORT"
                );
                OptionError::expected(name, expected, problem).into()
            })
        };
        let size = number("WORLD_SIZE", None, 1..100_000)?;
        if size == 1 {
            return Ok(None);
        }
        let rank = number("RANK", None, 0..size)?;
        let port = number("MASTER_PORT", None, 1..65536)?;
        let host = variable("MASTER_ADDR").ok_or_else(|| {
            let expected = "the name or address of the machine of rank 0 in the environment";
            OptionError::expected("MASTER_ADDR", expected, "nothing")
        })?;
        let by_agent = variable("TORCHELASTIC_USE_AGENT_STORE").as_deref() == Some("True");
        let attempt = [
            variable("TORCHELASTIC_RUN_ID"),
            variable("TORCHELASTIC_RESTART_COUNT"),
        ]
        .map(Option::unwrap_or_default);
        Ok(Some(Self {
            rank,
            size,
            local_rank: number("LOCAL_RANK", Some(rank), 0..size)?,
            local_size: number("LOCAL_WORLD_SIZE", Some(1), 1..size + 1)?,
            point: MeetingPoint {
                host,
                port: u16::try_from(port).unwrap_or_default(),
                prefix: format!("nnunet-diag/{}", attempt.join("/")),
            },
            serves: rank == 0 && !by_agent,
            by_agent,
        }))
    }

    /// The options of this rank: each rank has a GPU of its own.
    ///
    /// # Errors
    /// [`OptionError`] if the machine has fewer GPUs than ranks.
    pub fn options(&self, options: &TrainOptions) -> Result<TrainOptions> {
        let mut options = options.clone();
        let cuda = available_devices()
            .into_iter()
            .filter(|device| matches!(device, Device::Cuda(_)))
            .count();
        let device = &mut options.compute.device;
        if cuda > 0 && ["auto", "cuda"].contains(&device.as_str()) {
            // A scheduler may show each process only its own GPU.
            let own = if cuda == 1 { 0 } else { self.local_rank };
            if own >= cuda || (cuda == 1 && self.local_size > 1) {
                let expected = format!("a GPU for each of the {} ranks of this machine", self.local_size);
                return Err(OptionError::expected("device", expected, format!("{cuda} GPUs")).into());
            }
            *device = format!("cuda:{own}");
        }
        Ok(options)
    }

    /// The context of this rank: its share of the machine's threads, and events in the first rank only.
    pub fn context(&self, context: &Context) -> Context {
        let context = context.with_workers(context.workers() / self.local_size.max(1));
        if self.rank == 0 {
            context
        } else {
            context.silenced()
        }
    }
}

/// The samples of a batch that a rank makes: a row of them, as nnU-Net v1's DDP trainer divides the batch with
/// `distribute_batch_size`. If the ranks do not divide the batch, the first ones have one sample more.
///
/// # Errors
/// [`OptionError`] if a rank would have none.
pub(crate) fn samples(batch: usize, rank: usize, size: usize) -> Result<Range<usize>> {
    if batch < size {
        let expected = format!("at least {size}, a sample for each rank");
        return Err(OptionError::expected("batchSize", expected, batch).into());
    }
    let (each, more) = (batch / size, batch % size);
    let first = |rank: usize| rank * each + rank.min(more);
    Ok(first(rank)..first(rank + 1))
}

/// How long a rank waits for the others.
pub(crate) fn timeout(options: &TrainOptions) -> Duration {
    const DEFAULT: Duration = Duration::from_secs(600);
    let given = options.rank_timeout.as_deref();
    given.and_then(settings::parse_duration).unwrap_or(DEFAULT)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Option<Place>> {
        Place::read(|name| {
            let found = variables.iter().find(|(n, _)| *n == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    const ALL: [(&str, &str); 6] = [
        ("RANK", "3"),
        ("WORLD_SIZE", "4"),
        ("LOCAL_RANK", "1"),
        ("LOCAL_WORLD_SIZE", "2"),
        ("MASTER_ADDR", "node1"),
        ("MASTER_PORT", "29500"),
    ];

    #[test]
    fn the_variables_of_torchrun_are_read() {
        let place = read(&ALL).unwrap().unwrap();
        assert_eq!(
            (place.rank, place.size, place.local_rank, place.local_size),
            (3, 4, 1, 2)
        );
        assert_eq!(
            (place.point.host.as_str(), place.point.port, place.serves),
            ("node1", 29500, false)
        );
        let mut elastic = ALL.to_vec();
        elastic[0].1 = "0";
        assert!(read(&elastic).unwrap().unwrap().serves);
        elastic.extend([
            ("TORCHELASTIC_USE_AGENT_STORE", "True"),
            ("TORCHELASTIC_RUN_ID", "job"),
            ("TORCHELASTIC_RESTART_COUNT", "2"),
        ]);
        let place = read(&elastic).unwrap().unwrap();
        assert_eq!(
            (place.serves, place.point.prefix.as_str()),
            (false, "nnunet-diag/job/2")
        );
    }

    #[test]
    fn one_process_needs_no_variables() {
        assert_eq!(read(&[]).unwrap(), None);
        assert_eq!(read(&[("WORLD_SIZE", "1"), ("RANK", "0")]).unwrap(), None);
    }

    #[test]
    fn missing_and_wrong_variables_are_named() {
        for (index, value) in [(0, "4"), (1, "x"), (4, ""), (5, "70000"), (0, ""), (1, "")] {
            let mut variables = ALL.to_vec();
            variables[index].1 = value;
            let error = read(&variables).unwrap_err().to_string();
            assert!(error.starts_with(variables[index].0), "{error}");
        }
    }

    #[test]
    fn every_sample_has_one_rank() {
        for (batch, size) in [(2, 2), (3, 2), (9, 4), (4, 4), (12, 5)] {
            let parts: Vec<_> = (0..size)
                .map(|rank| samples(batch, rank, size).unwrap())
                .collect();
            let all: Vec<_> = parts.iter().cloned().flatten().collect();
            assert_eq!(all, (0..batch).collect::<Vec<_>>());
            assert!(parts
                .iter()
                .all(|part| part.len() >= batch / size && part.len() <= batch.div_ceil(size)));
        }
        let error = samples(2, 0, 3).unwrap_err().to_string();
        assert_eq!(
            error,
            "batchSize: expected at least 3, a sample for each rank, got 2"
        );
    }
}
