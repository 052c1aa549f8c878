//! Equal draws give equal bytes, for any number of threads, in any order, after serialising the parameters.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Mutex;

use augment::cascade::CascadeOptions;
use augment::spatial::ElasticOptions;
use augment::{Augmented, Block, Params, Pipeline, PipelineOptions, Sample, Workspace};
use random::{Purpose, Rng};

use crate::support::strength;

fn hash(out: &Augmented) -> u64 {
    let mut hasher = DefaultHasher::new();
    for buffer in [&out.data].into_iter().chain(&out.targets).chain(&out.weights) {
        buffer.len().hash(&mut hasher);
        buffer.iter().for_each(|v| v.to_bits().hash(&mut hasher));
    }
    hasher.finish()
}

/// A chain in which every transform is likely, and a sample for it.
fn busy(patch: &[usize], dummy: bool) -> (Pipeline, Sample) {
    let mut options = PipelineOptions::new(patch, 2);
    options.dummy_2d = dummy;
    options.weightmap = true;
    options.use_mask_for_norm = vec![true, false];
    options.deep_supervision_scales = vec![vec![1.0; patch.len()], vec![0.5; patch.len()]];
    options.cascade = Some(CascadeOptions::new(vec![1, 2]));
    options.strength = strength(&options, |s| {
        s.segmentation_order = Some(1);
        s.spatial.elastic = Some(ElasticOptions {
            probability: 0.2,
            alpha: [0.0, 50.0],
            sigma: [2.0, 4.0],
        });
        for p in [
            &mut s.spatial.rotation_probability,
            &mut s.spatial.scale_probability,
            &mut s.noise.probability,
            &mut s.blur.probability,
        ] {
            *p = 0.5;
        }
    });
    let chain = Pipeline::training(&options).expect("chain");
    let loaded = options.initial_patch_size();
    let mut size = [1; 3];
    size[3 - loaded.len()..].copy_from_slice(&loaded);
    let mut rng = Rng::keyed(1, Purpose::TrainingCase, 0, 0, 0);
    let (mut data, mut seg, mut map) = (
        Block::new([2, size[0], size[1], size[2]]),
        Block::new([2, size[0], size[1], size[2]]),
        Block::new([1, size[0], size[1], size[2]]),
    );
    data.values_mut()
        .iter_mut()
        .for_each(|v| *v = rng.normal() as f32);
    seg.values_mut()
        .iter_mut()
        .enumerate()
        .for_each(|(i, v)| *v = (i / 5 % 4) as i16 - 1);
    map.values_mut().iter_mut().for_each(|v| *v = rng.unit() as f32);
    (chain, Sample::whole(data, seg, Some(map)))
}

fn hashes(chain: &Pipeline, sample: &Sample, samples: usize, threads: usize) -> Vec<u64> {
    let next = AtomicUsize::new(0);
    let found = Mutex::new(vec![0; samples]);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let (mut workspace, mut params, mut out) =
                    (Workspace::default(), Params::default(), chain.destination());
                loop {
                    let i = next.fetch_add(1, Ordering::Relaxed);
                    if i >= samples {
                        return;
                    }
                    chain.draw(
                        &mut Rng::keyed(9, Purpose::TrainingTransform, 3, i as u64 / 2, i as u64 % 2),
                        &mut params,
                    );
                    chain
                        .apply(&params, None, sample, &mut workspace, &mut out)
                        .expect("apply");
                    found.lock().expect("lock")[i] = hash(&out);
                }
            });
        }
    });
    found.into_inner().expect("lock")
}

#[test]
fn bytes_are_equal_for_any_number_of_threads() {
    for (patch, dummy) in [
        (vec![20, 24, 28], false),
        (vec![6, 24, 28], true),
        (vec![40, 36], false),
    ] {
        let (chain, sample) = busy(&patch, dummy);
        let one = hashes(&chain, &sample, 24, 1);
        assert_eq!(one, hashes(&chain, &sample, 24, 2), "{patch:?}");
        assert_eq!(one, hashes(&chain, &sample, 24, 16), "{patch:?}");
        let distinct: std::collections::BTreeSet<_> = one.iter().collect();
        assert_eq!(
            distinct.len(),
            one.len(),
            "{patch:?}: samples differ from each other"
        );
    }
}

#[test]
fn parameters_survive_json() {
    let (chain, sample) = busy(&[20, 24, 28], false);
    let mut out = chain.destination();
    for i in 0..20 {
        let mut params = Params::default();
        chain.draw(
            &mut Rng::keyed(2, Purpose::TrainingTransform, 0, i, 0),
            &mut params,
        );
        chain
            .apply(&params, None, &sample, &mut Workspace::default(), &mut out)
            .expect("apply");
        let first = hash(&out);
        let text = serde_json::to_string(&params).expect("write");
        let read: Params = serde_json::from_str(&text).expect("read");
        assert_eq!(read, params);
        chain
            .apply(&read, None, &sample, &mut Workspace::default(), &mut out)
            .expect("apply");
        assert_eq!(hash(&out), first);
    }
}

#[test]
fn options_survive_json() {
    let options = PipelineOptions::new(&[8, 8], 1);
    let short: PipelineOptions = serde_json::from_str(r#"{"patchSize":[8,8],"channels":1}"#).expect("read");
    assert_eq!(short, options);
    let mut full = options;
    full.strength = Some(full.strength());
    full.cascade = Some(CascadeOptions::new(vec![1]));
    let text = serde_json::to_string(&full).expect("write");
    assert!(text.contains("\"rotationProbability\"") && text.contains("\"useMaskForNorm\""));
    assert_eq!(
        serde_json::from_str::<PipelineOptions>(&text).expect("read"),
        full
    );
}
