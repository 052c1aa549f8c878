//! Training steps against the recorded ones.

use tch::{Device, Kind, Tensor};

use crate::loss::{deep_supervision_weights, Loss};
use crate::network::{GenericUNet, Heads, State};
use crate::optimizer::Sgd;
use crate::Recipe;

/// The recorded series of training steps: losses, gradient norms, gradients and final parameters.
#[test]
fn steps_equal_the_reference() {
    let all = testkit::cases("network", "train");
    let mut compared = 0;
    for case in all.iter().filter(|c| c.file.ends_with("_data.npz")) {
        let p = &case.parameters;
        let arrays = case.arrays();
        let state = |part: &str| -> Option<State> {
            let name = case.file.replace("_data", part);
            let found = all.iter().find(|c| c.file == name)?;
            Some(
                found
                    .arrays()
                    .into_iter()
                    .map(|(n, v)| (n, v.mapv(|v| v as f32)))
                    .collect(),
            )
        };
        let shape = crate::network::tests::architecture(p);
        let outputs = shape.pools.len();
        let network = GenericUNet::from_state(shape, &state("_state_init").unwrap(), Device::Cpu).unwrap();
        let scales = deep_supervision_weights(outputs);
        let batch_dice = p["batch_dice"].as_bool().unwrap();
        let loss = Loss::new(&Recipe::default().loss, None, batch_dice, scales, Device::Cpu).unwrap();
        let mut sgd = Sgd::new(network.parameters().len());
        let tensor =
            |name: String| crate::tensor::from_array(&arrays[&name].mapv(|v| v as f32).view()).unwrap();
        // The note of a recording tells how far float32 and float64 drift apart where gradients are clipped.
        let tolerance = if p["seg_outputs_gain"].as_f64() == Some(1.0) {
            2e-5
        } else {
            8e-3
        };
        for step in 0..arrays["losses"].len() {
            let weights = network.weights(Kind::Float).unwrap();
            let heads = Heads::Finest(loss.outputs());
            let logits = network
                .forward(&tensor(format!("input_{step}")), &weights, heads)
                .unwrap();
            let targets: Vec<Tensor> = (0..outputs)
                .map(|i| tensor(format!("target_{step}_{i}")))
                .collect();
            let value = loss.evaluate(&logits, &targets, None).unwrap();
            let what = format!("{} step {step}", case.file);
            let (found, expected) = (value.double_value(&[]), arrays["losses"][[step]]);
            assert!(
                (found - expected).abs() < tolerance,
                "{what}: loss {found} {expected}"
            );
            let gradients = Tensor::f_run_backward(&[value], network.parameters(), false, false).unwrap();
            if let Some(expected) = state("_grad_step0").filter(|_| step == 0) {
                for (name, gradient) in network.names().zip(&gradients) {
                    let expected = expected
                        .iter()
                        .find(|(n, _)| n.ends_with(name))
                        .unwrap()
                        .1
                        .mapv(f64::from);
                    assert_eq!(gradient.defined(), !expected.is_empty(), "{name}");
                    if gradient.defined() {
                        let found = crate::tensor::to_array(gradient).unwrap().mapv(f64::from);
                        testkit::assert_close(
                            &found,
                            &expected,
                            2e-6,
                            1e-3,
                            &format!("{what}: gradient of {name}"),
                        );
                    }
                }
            }
            let norm = sgd
                .step(network.parameters(), &gradients, arrays["lrs"][[step]])
                .unwrap();
            let expected = arrays["grad_norms"][[step]];
            assert!(
                (norm - expected).abs() < tolerance * (1.0 + expected),
                "{what}: norm {norm} {expected}"
            );
        }
        for ((name, found), (_, expected)) in network
            .state()
            .unwrap()
            .iter()
            .map(|(n, v)| (n, v))
            .zip(ordered(&network, state("_state_final").unwrap()))
        {
            let (found, expected) = (found.mapv(f64::from), expected.mapv(f64::from));
            testkit::assert_close(
                &found,
                &expected,
                tolerance,
                1e-4,
                &format!("{} {name}", case.file),
            );
        }
        compared += 1;
    }
    assert!(compared > 0);
}

/// A state in the network's order; recordings are read by name.
fn ordered(network: &GenericUNet, state: State) -> State {
    network
        .names()
        .map(|name| state.iter().find(|(n, _)| n == name).unwrap().clone())
        .collect()
}
