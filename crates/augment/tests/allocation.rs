//! In the steady state no transform allocates, and memory stays within the estimate.

use augment::cascade::CascadeOptions;
use augment::{Block, Params, Pipeline, PipelineOptions, Sample, Workspace};
use random::{Purpose, Rng};
use testkit::Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn nothing_is_allocated_after_the_buffers_have_grown() {
    for (patch, dummy) in [
        (vec![16, 20, 24], false),
        (vec![6, 20, 24], true),
        (vec![40, 36], false),
    ] {
        let mut options = PipelineOptions::new(&patch, 1);
        options.dummy_2d = dummy;
        options.weightmap = true;
        options.use_mask_for_norm = vec![true];
        options.ignore_label = Some(-1);
        options.deep_supervision_scales = vec![vec![1.0; patch.len()], vec![0.5; patch.len()]];
        options.cascade = Some(CascadeOptions::new(vec![1, 2]));
        let chain = Pipeline::training(&options).expect("chain");
        let loaded = options.initial_patch_size();
        let mut size = [1; 3];
        size[3 - loaded.len()..].copy_from_slice(&loaded);
        let shape = |c: usize| [c, size[0], size[1], size[2]];
        let mut data = Block::new(shape(1));
        data.values_mut()
            .iter_mut()
            .enumerate()
            .for_each(|(i, v)| *v = (i % 11) as f32);
        let mut seg = Block::new(shape(2));
        seg.values_mut()
            .iter_mut()
            .enumerate()
            .for_each(|(i, v)| *v = (i / 7 % 4) as i16 - 1);
        let sample = Sample::whole(data, seg, Some(Block::new(shape(1))));
        let (mut workspace, mut params, mut out) =
            (Workspace::default(), Params::default(), chain.destination());
        let mut pass = || {
            let before = Counting::calls();
            for i in 0..150 {
                chain.draw(
                    &mut Rng::keyed(4, Purpose::TrainingTransform, 0, i, 0),
                    &mut params,
                );
                chain
                    .apply(&params, None, &sample, &mut workspace, &mut out)
                    .expect("apply");
            }
            Counting::calls() - before
        };
        let before = Counting::live();
        assert_ne!(pass(), 0, "{patch:?}: the first pass must allocate buffers");
        assert_eq!(pass(), 0, "{patch:?}");
        let taken = Counting::live() - before;
        let estimated = chain.workspace_bytes(sample.full);
        assert!(
            taken <= estimated && estimated < 4 * taken,
            "{patch:?}: {taken} bytes used, {estimated} estimated"
        );
    }
}
