//! What an epoch's iterations spend and show, besides their losses.

use std::time::Instant;

use super::mean::Mean;

/// Measurements of one epoch. A resumed epoch has the times of the iterations after the resume.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Measures {
    /// Seconds of waiting for batches.
    waiting: f64,
    /// Seconds of each training iteration.
    iterations: Mean,
    /// Finite norms of the gradients, in a resumed epoch of the iterations before the resume, too.
    pub norms: Mean,
}

impl Measures {
    /// Measurements of an epoch whose earlier iterations had these norms.
    pub fn resumed(norms: Mean) -> Self {
        Self {
            norms,
            ..Self::default()
        }
    }

    /// Adds the time of waiting for a batch, which ends now.
    pub fn waited(&mut self, started: Instant) {
        self.waiting += started.elapsed().as_secs_f64();
    }

    /// Adds the time of a training iteration.
    pub fn iteration(&mut self, seconds: f64) {
        self.iterations.add(seconds);
    }

    /// Adds the norm of the gradients of an iteration.
    pub fn norm(&mut self, norm: f64) {
        if norm.is_finite() {
            self.norms.add(norm);
        }
    }

    /// Share of waiting in the seconds of an epoch, from 0 to 1.
    pub fn wait_share(&self, seconds: f64) -> f64 {
        if seconds > 0.0 {
            (self.waiting / seconds).min(1.0)
        } else {
            0.0
        }
    }

    /// Training iterations a second; 0 without any.
    pub fn iterations_per_second(&self) -> f64 {
        self.iterations
            .value()
            .filter(|s| *s > 0.0)
            .map_or(0.0, |s| 1.0 / s)
    }

    /// Mean norm of the gradients.
    pub fn gradient_norm(&self) -> Option<f64> {
        self.norms.value()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn norms_that_are_not_finite_do_not_count() {
        let mut measures = Measures::default();
        assert_eq!(
            (measures.gradient_norm(), measures.iterations_per_second()),
            (None, 0.0)
        );
        for norm in [1.0, f64::NAN, 3.0, f64::INFINITY] {
            measures.iteration(0.25);
            measures.norm(norm);
        }
        assert_eq!(
            (measures.gradient_norm(), measures.iterations_per_second()),
            (Some(2.0), 4.0)
        );
    }

    #[test]
    fn the_share_of_waiting_is_between_0_and_1() {
        let mut measures = Measures::default();
        assert_eq!(measures.wait_share(0.0), 0.0);
        measures.waited(Instant::now());
        assert!((0.0..=1.0).contains(&measures.wait_share(1e-9)));
        assert!(measures.wait_share(1e9) < 1e-6);
    }
}
