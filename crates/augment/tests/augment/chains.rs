//! Compares the standard strength with the recorded attributes of the reference's chains.

use augment::{LabelRule, Pipeline, PipelineOptions};
use serde_json::Value;
use testkit::{folder, json};

use crate::support::numbers;

fn options(setup: &Value, scales: &Value, trainer: &str) -> PipelineOptions {
    let patch: Vec<usize> = numbers(&setup["patch"]).iter().map(|&n| n as usize).collect();
    let mut options = PipelineOptions::new(&patch, 1);
    options.dummy_2d = setup["dummy"].as_bool().expect("dummy");
    options.deep_supervision_scales = scales.as_array().expect("scales").iter().map(numbers).collect();
    options.weightmap = trainer.contains("Weighted");
    options.ignore_label = trainer.contains("Sparse").then_some(-1);
    options
}

/// The transforms of a chain by class, in order.
fn of_class<'a>(chain: &'a Value, class: &str) -> Vec<&'a Value> {
    let all = chain.as_array().expect("chain").iter();
    all.filter(|t| t["class"].as_str().expect("class").starts_with(class))
        .collect()
}

fn one<'a>(chain: &'a Value, class: &str) -> &'a Value {
    let found = of_class(chain, class);
    assert_eq!(found.len(), 1, "{class}");
    found[0]
}

#[test]
fn the_standard_strength_equals_the_recording() {
    let recorded = json(&folder("augmentation").join("chains.json"));
    let mut seen = 0;
    for (configuration, entry) in recorded.as_object().expect("configurations") {
        for (trainer, chains) in entry.as_object().expect("trainers") {
            let Some(train) = chains.get("train") else {
                continue;
            };
            seen += 1;
            let what = format!("{configuration} {trainer}");
            let options = options(&entry["setup"], &entry["deep_supervision_scales"], trainer);
            let chain = Pipeline::training(&options).expect(&what);
            let sizes: Vec<f64> = options.initial_patch_size().iter().map(|&n| n as f64).collect();
            assert_eq!(sizes, numbers(&entry["basic_generator_patch_size"]), "{what}");
            strength(&options, train, &what);
            labels(&options, &chain, train, &what);
        }
    }
    assert!(seen > 0, "no trainer in chains.json");
}

fn strength(options: &PipelineOptions, train: &Value, what: &str) {
    let s = options.strength();
    let spatial = of_class(train, "Spatial")
        .into_iter()
        .chain(of_class(train, "SparseSpatial"))
        .next()
        .expect("spatial");
    let planar = options.dummy_2d || options.patch_size.len() == 2;
    for (axis, name) in ["angle_x", "angle_y", "angle_z"]
        .iter()
        .enumerate()
        .take(if planar { 1 } else { 3 })
    {
        assert_eq!(
            s.spatial.rotation[axis].to_vec(),
            numbers(&spatial[*name]),
            "{what} {name}"
        );
    }
    assert_eq!(s.spatial.scale.to_vec(), numbers(&spatial["scale"]), "{what}");
    assert_eq!(
        Some(s.spatial.rotation_probability),
        spatial["p_rot_per_sample"].as_f64(),
        "{what}"
    );
    assert_eq!(
        Some(s.spatial.scale_probability),
        spatial["p_scale_per_sample"].as_f64(),
        "{what}"
    );
    assert_eq!(
        Some(s.spatial.elastic.is_some()),
        spatial["do_elastic_deform"].as_bool(),
        "{what}"
    );
    assert_eq!(
        Some(s.spatial.independent_scale),
        spatial["independent_scale_for_each_axis"].as_bool(),
        "{what}"
    );
    let probability = |class: &str| one(train, class)["p_per_sample"].as_f64().expect(class);
    assert_eq!(s.noise.probability, probability("GaussianNoise"), "{what}");
    assert_eq!(
        s.noise.sd.to_vec(),
        numbers(&one(train, "GaussianNoise")["noise_variance"]),
        "{what}"
    );
    let blur = one(train, "GaussianBlur");
    assert_eq!(s.blur.probability, probability("GaussianBlur"), "{what}");
    assert_eq!(
        Some(s.blur.channel_probability),
        blur["p_per_channel"].as_f64(),
        "{what}"
    );
    assert_eq!(s.blur.sigma.to_vec(), numbers(&blur["blur_sigma"]), "{what}");
    assert_eq!(s.brightness.probability, probability("BrightnessMult"), "{what}");
    assert_eq!(
        s.brightness.range.to_vec(),
        numbers(&one(train, "BrightnessMult")["multiplier_range"]),
        "{what}"
    );
    assert_eq!(s.contrast.probability, probability("Contrast"), "{what}");
    assert_eq!(
        s.contrast.range.to_vec(),
        numbers(&one(train, "Contrast")["contrast_range"]),
        "{what}"
    );
    let low = one(train, "SimulateLow");
    assert_eq!(s.low_resolution.probability, probability("SimulateLow"), "{what}");
    assert_eq!(
        Some(s.low_resolution.channel_probability),
        low["p_per_channel"].as_f64(),
        "{what}"
    );
    assert_eq!(
        s.low_resolution.zoom.to_vec(),
        numbers(&low["zoom_range"]),
        "{what}"
    );
    assert_eq!(
        numbers(&low["ignore_axes"]).is_empty(),
        !options.dummy_2d,
        "{what}"
    );
    for gamma in of_class(train, "Gamma") {
        let ours = if gamma["invert_image"] == true {
            &s.gamma_inverted
        } else {
            &s.gamma
        };
        assert_eq!(Some(ours.probability), gamma["p_per_sample"].as_f64(), "{what}");
        assert_eq!(ours.range.to_vec(), numbers(&gamma["gamma_range"]), "{what}");
        assert_eq!(
            Some(s.gamma_retain_stats),
            gamma["retain_stats"].as_bool(),
            "{what}"
        );
    }
    let axes: Vec<f64> = s.mirror_axes.iter().map(|&a| a as f64).collect();
    assert_eq!(axes, numbers(&one(train, "Mirror")["axes"]), "{what}");
}

/// The order of the segmentation, and whether -1 survives.
fn labels(options: &PipelineOptions, chain: &Pipeline, train: &Value, what: &str) {
    let spatial = of_class(train, "Spatial")
        .into_iter()
        .chain(of_class(train, "SparseSpatial"))
        .next()
        .expect("spatial");
    let nearest = chain.rules().labels == LabelRule::Nearest;
    assert_eq!(
        spatial["order_seg"].as_u64(),
        Some(if nearest { 0 } else { 1 }),
        "{what}"
    );
    assert_eq!(
        of_class(train, "RemoveLabel").is_empty(),
        options.ignore_label == Some(-1),
        "{what}"
    );
}
