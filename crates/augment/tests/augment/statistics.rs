//! Distribution of every random parameter: frequency, mean and variance.

use augment::cascade::CascadeOptions;
use augment::spatial::ElasticOptions;
use augment::{Params, Pipeline, PipelineOptions};
use random::{Purpose, Rng};

use crate::support::strength;

const DRAWS: usize = 40_000;
/// Tolerance in standard errors. Seeds are fixed, so the tests are deterministic.
const ERRORS: f64 = 4.5;

/// Uniform distributions of equal weight, and the probability of a draw.
struct Expected {
    name: &'static str,
    frequency: f64,
    parts: Vec<[f64; 2]>,
}

impl Expected {
    fn moment(&self, k: i32) -> f64 {
        let one = |&[a, b]: &[f64; 2]| (b.powi(k + 1) - a.powi(k + 1)) / (f64::from(k + 1) * (b - a));
        self.parts.iter().map(one).sum::<f64>() / self.parts.len() as f64
    }

    /// Compares the values drawn in `chances` attempts.
    fn check(&self, values: &[f64], chances: usize, what: &str) {
        let what = format!("{what}: {}", self.name);
        let (n, p) = (chances as f64, self.frequency);
        let found = values.len() as f64 / n;
        let error = ERRORS * (p * (1.0 - p) / n).sqrt();
        assert!(
            (found - p).abs() <= error,
            "{what}: applied in {found}, expected {p} +- {error}"
        );
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
        let (m1, m2, m3, m4) = (self.moment(1), self.moment(2), self.moment(3), self.moment(4));
        let expected = m2 - m1 * m1;
        let fourth = m4 - 4.0 * m1 * m3 + 6.0 * m1 * m1 * m2 - 3.0 * m1.powi(4);
        let error = ERRORS * (expected / n).sqrt();
        assert!(
            (mean - m1).abs() <= error,
            "{what}: mean {mean}, expected {m1} +- {error}"
        );
        let error = ERRORS * ((fourth - expected * expected) / n).sqrt();
        assert!(
            (variance - expected).abs() <= error,
            "{what}: variance {variance}, expected {expected} +- {error}"
        );
        let inside = |v: &f64| self.parts.iter().any(|[a, b]| (*a..=*b).contains(v));
        assert!(values.iter().all(inside), "{what}: a value out of range");
    }
}

fn draws(options: &PipelineOptions) -> Vec<Params> {
    let chain = Pipeline::training(options).expect("chain");
    (0..DRAWS as u64)
        .map(|i| {
            let mut params = Params::default();
            let mut rng = Rng::keyed(12345, Purpose::TrainingTransform, i / 2000, i % 2000 / 2, i % 2);
            chain.draw(&mut rng, &mut params);
            params
        })
        .collect()
}

fn expect(name: &'static str, frequency: f64, parts: &[[f64; 2]]) -> Expected {
    Expected {
        name,
        frequency,
        parts: parts.to_vec(),
    }
}

#[test]
fn spatial_parameters() {
    let wide = 180f64.to_radians();
    for (patch, dummy, angle, axes) in [
        (vec![32, 32, 32], false, 30f64.to_radians(), 3),
        (vec![8, 40, 40], true, wide, 1),
        (vec![64, 64], false, wide, 1),
        (vec![64, 128], false, 15f64.to_radians(), 1),
    ] {
        let mut options = PipelineOptions::new(&patch, 2);
        options.dummy_2d = dummy;
        let what = format!("{patch:?}");
        let drawn = draws(&options);
        for axis in 0..axes {
            let values: Vec<f64> = drawn
                .iter()
                .filter_map(|p| Some(p.spatial.rotation?[axis]))
                .collect();
            expect("angle", 0.2, &[[-angle, angle]]).check(&values, DRAWS, &what);
        }
        let scales: Vec<f64> = drawn.iter().filter_map(|p| Some(p.spatial.scale?[2])).collect();
        expect("scale", 0.2, &[[0.7, 1.0], [1.0, 1.4]]).check(&scales, DRAWS, &what);
        for p in drawn.iter().filter_map(|p| p.spatial.scale) {
            assert_eq!(p[1], p[2], "one factor for all axes");
            assert_eq!(
                p[0],
                if axes == 3 { p[1] } else { 1.0 },
                "slices are not scaled across"
            );
        }
        let both = drawn
            .iter()
            .filter(|p| p.spatial.scale.is_some() && p.spatial.rotation.is_some())
            .count();
        assert!((both as f64 / DRAWS as f64 - 0.04).abs() < ERRORS * (0.04_f64 * 0.96 / DRAWS as f64).sqrt());
        assert!(drawn.iter().all(|p| p.spatial.elastic.is_none()));
        for axis in 0..3 {
            let flipped = drawn.iter().filter(|p| p.mirror[axis]).count() as f64 / DRAWS as f64;
            let expected = if axis == 0 && patch.len() == 2 { 0.0 } else { 0.5 };
            let error = ERRORS * (0.25 / DRAWS as f64).sqrt();
            assert!(
                (flipped - expected).abs() <= error * expected * 2.0,
                "{what} axis {axis}: {flipped}"
            );
        }
    }
}

#[test]
fn elastic_and_independent_scales() {
    let mut options = PipelineOptions::new(&[32, 32, 32], 1);
    options.strength = strength(&options, |s| {
        s.spatial.elastic = Some(ElasticOptions::default());
        s.spatial.independent_scale = true;
    });
    let drawn = draws(&options);
    let values = |get: fn(&augment::spatial::ElasticParams) -> f64| -> Vec<f64> {
        drawn
            .iter()
            .filter_map(|p| p.spatial.elastic.as_ref().map(get))
            .collect()
    };
    expect("alpha", 0.2, &[[0.0, 900.0]]).check(&values(|e| e.alpha), DRAWS, "elastic");
    expect("sigma", 0.2, &[[9.0, 13.0]]).check(&values(|e| e.sigma), DRAWS, "elastic");
    for axis in 0..3 {
        let scales: Vec<f64> = drawn
            .iter()
            .filter_map(|p| Some(p.spatial.scale?[axis]))
            .collect();
        expect("scale", 0.2, &[[0.7, 1.0], [1.0, 1.4]]).check(&scales, DRAWS, "independent");
    }
    assert!(drawn
        .iter()
        .filter_map(|p| p.spatial.scale)
        .all(|s| s[0] != s[1] && s[1] != s[2]));
}

#[test]
fn intensity_parameters() {
    const CHANNELS: usize = 2;
    let drawn = draws(&PipelineOptions::new(&[32, 32, 32], CHANNELS));
    let noise: Vec<f64> = drawn.iter().filter_map(|p| Some(p.noise?.sd)).collect();
    expect("noise", 0.1, &[[0.0, 0.1]]).check(&noise, DRAWS, "3D");
    let keys: std::collections::BTreeSet<_> = drawn.iter().filter_map(|p| Some(p.noise?.key)).collect();
    assert_eq!(keys.len(), noise.len(), "every field of noise is its own");
    for c in 0..CHANNELS {
        let what = format!("channel {c}");
        let optional = |get: fn(&Params) -> &[Option<f64>]| -> Vec<f64> {
            drawn.iter().filter_map(|p| get(p)[c]).collect()
        };
        let all = |get: fn(&Params) -> &[f64]| -> Vec<f64> {
            drawn.iter().filter_map(|p| get(p).get(c).copied()).collect()
        };
        expect("blur", 0.1, &[[0.5, 1.0]]).check(&optional(|p| &p.blur), DRAWS, &what);
        expect("low resolution", 0.125, &[[0.5, 1.0]]).check(&optional(|p| &p.low_resolution), DRAWS, &what);
        expect("brightness", 0.15, &[[0.75, 1.25]]).check(&all(|p| &p.brightness), DRAWS, &what);
        expect("contrast", 0.15, &[[0.75, 1.0], [1.0, 1.25]]).check(&all(|p| &p.contrast), DRAWS, &what);
        let gamma = [[0.7, 1.0], [1.0, 1.5]];
        expect("gamma inverted", 0.1, &gamma).check(&all(|p| &p.gamma_inverted), DRAWS, &what);
        expect("gamma", 0.3, &gamma).check(&all(|p| &p.gamma), DRAWS, &what);
    }
    // Channels of one sample are selected together but drawn separately.
    let both = drawn
        .iter()
        .filter(|p| p.blur.iter().all(Option::is_some))
        .count() as f64
        / DRAWS as f64;
    assert!(
        (both - 0.05).abs() < ERRORS * (0.05_f64 * 0.95 / DRAWS as f64).sqrt(),
        "{both}"
    );
    let pairs: Vec<[f64; 2]> = drawn
        .iter()
        .filter_map(|p| Some([*p.brightness.first()? - 1.0, p.brightness[1] - 1.0]))
        .collect();
    let covariance = pairs.iter().map(|[a, b]| a * b).sum::<f64>() / pairs.len() as f64;
    let variance = 0.5_f64.powi(2) / 12.0;
    assert!(
        covariance.abs() < ERRORS * variance / (pairs.len() as f64).sqrt(),
        "{covariance}"
    );
}

#[test]
fn cascade_parameters() {
    let mut options = PipelineOptions::new(&[32, 32, 32], 1);
    options.cascade = Some(CascadeOptions::new(vec![1, 2, 3]));
    let drawn = draws(&options);
    let radii: Vec<f64> = drawn
        .iter()
        .filter_map(|p| Some(p.cascade.morphology.first()?.2))
        .collect();
    expect("radius", 0.4, &[[1.0, 8.0]]).check(&radii, DRAWS, "cascade");
    let picks: Vec<f64> = drawn
        .iter()
        .filter_map(|p| Some(p.cascade.removal.first()?.1))
        .collect();
    expect("component", 0.2, &[[0.0, 1.0]]).check(&picks, DRAWS, "cascade");
    // Every label is processed, in a random order and by a uniformly drawn operation.
    let some: Vec<_> = drawn
        .iter()
        .map(|p| &p.cascade.morphology)
        .filter(|m| !m.is_empty())
        .collect();
    let n = some.len() as f64;
    for label in 1..=3 {
        let first = some.iter().filter(|m| m[0].0 == label).count() as f64 / n;
        assert!(
            (first - 1.0 / 3.0).abs() < ERRORS * (2.0 / 9.0 / n).sqrt(),
            "label {label} is first in {first}"
        );
        assert!(some
            .iter()
            .all(|m| m.len() == 3 && m.iter().filter(|step| step.0 == label).count() == 1));
    }
    let mut counts = std::collections::HashMap::new();
    for step in some.iter().flat_map(|m| m.iter()) {
        *counts.entry(format!("{:?}", step.1)).or_insert(0.0) += 1.0 / (3.0 * n);
    }
    assert!(
        counts.len() == 4 && counts.values().all(|&share: &f64| (share - 0.25).abs() < 0.012),
        "{counts:?}"
    );
}

#[test]
fn validation_draws_nothing() {
    let chain = Pipeline::validation(&PipelineOptions::new(&[32, 32], 2)).expect("chain");
    let mut params = Params {
        mirror: [true; 3],
        gamma: vec![2.0],
        ..Params::default()
    };
    chain.draw(&mut Rng::keyed(1, Purpose::ValidationPatch, 0, 0, 0), &mut params);
    let expected = Params {
        blur: vec![None; 2],
        low_resolution: vec![None; 2],
        ..Params::default()
    };
    assert_eq!(params, expected);
}
