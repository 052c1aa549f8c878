//! Valid small files of every kind.

use std::io::{Cursor, Write};
use std::path::Path;

use flate2::write::GzEncoder;
use flate2::Compression;
use ndarray::{Array3, ArrayD, IxDyn};
use pickle::torch::{write_checkpoint_to, Tensor};
use pickle::{Dict, NdArray, Protocol, Value};
use volume::{nifti, npy, Geometry};
use zip_writer::ArchiveWriter;

use crate::workspace::with;

/// The bytes of a file that `write` writes; empty if it fails.
fn written<E>(name: &str, write: impl FnOnce(&Path) -> Result<(), E>) -> Vec<u8> {
    let mut bytes = Vec::new();
    with(|workspace| {
        let path = workspace.path(name);
        bytes = match write(&path) {
            Ok(()) => std::fs::read(&path).unwrap_or_default(),
            Err(_) => Vec::new(),
        };
        true
    });
    bytes
}

/// Packs bytes with a right checksum.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::fast());
    match out.write_all(bytes) {
        Ok(()) => out.finish().unwrap_or_default(),
        Err(_) => Vec::new(),
    }
}

/// Packs entries, uncompressed, with right checksums.
pub fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = ArchiveWriter::new(Vec::new());
    for (name, bytes) in entries {
        if archive.store(name, bytes, 1).is_err() {
            return Vec::new();
        }
    }
    archive.finish().unwrap_or_default()
}

/// A label file.
pub fn nifti() -> Vec<Vec<u8>> {
    let labels = Array3::from_shape_fn((3, 4, 5), |(z, y, x)| (z * 20 + y * 5 + x) as i16 % 7);
    let file = written("sample.nii", |path| {
        nifti::write_labels(path, labels.view(), &Geometry::default())
    });
    vec![file]
}

/// Arrays of several types.
pub fn npy() -> Vec<Vec<u8>> {
    let float = ArrayD::<f32>::from_shape_fn(IxDyn(&[2, 3, 4]), |i| (i[0] * 12 + i[1] * 4 + i[2]) as f32);
    let double = float.mapv(f64::from);
    let label = float.mapv(|value| value as i16);
    vec![
        written("sample.npy", |path| npy::write(path, float.view())),
        written("sample.npy", |path| npy::write(path, double.view())),
        written("sample.npy", |path| npy::write(path, label.view())),
    ]
}

/// Archives of arrays, stored and compressed.
pub fn npz() -> Vec<Vec<u8>> {
    let data = ArrayD::<f32>::from_shape_fn(IxDyn(&[2, 3, 4]), |i| i[2] as f32);
    let packed = written("sample.npz", |path| {
        volume::npz::write(
            path,
            &[("data", data.view())],
            volume::npz::Compression::default(),
        )
    });
    let mut all = vec![packed];
    all.extend(
        npy()
            .iter()
            .map(|array| zip(&[("data.npy", array), ("softmax.npy", array)])),
    );
    all
}

fn split(train: [&str; 2], val: &str) -> Value {
    Dict::ordered()
        .with("train", Value::list(train))
        .with("val", Value::list([val]))
        .into()
}

/// Pickles of nested values, and splits.
pub fn pickles() -> Vec<Vec<u8>> {
    let case = Dict::new()
        .with("classes", NdArray::from_f64(&[0.0, 1.0, -1.0]))
        .with(
            "itk_spacing",
            Value::Tuple(vec![0.5.into(), 0.5.into(), 3.0.into()]),
        )
        .with("list_of_data_files", Value::list(["a_0000.nii.gz"]))
        .with("seg_file", "a.nii.gz")
        .with("stage", 1i64);
    let splits = Value::list([split(["a", "b"], "c"), split(["a", "c"], "b")]);
    [case.into(), splits]
        .iter()
        .filter_map(|value| pickle::write(value, Protocol::default()).ok())
        .collect()
}

/// A checkpoint in the format before torch 1.6, as torch 2.11 writes it on request, with one tensor and a view of another.
fn legacy_checkpoint() -> Vec<u8> {
    let magic = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.";
    let version = b"\x80\x02M\xe9\x03.";
    let system = b"\x80\x02}q\x00(X\x10\x00\x00\x00protocol_versionq\x01M\xe9\x03X\r\x00\x00\x00little_endianq\x02\x88u.";
    let value: [&[u8]; 6] = [
        b"\x80\x02}q\x00(X\x05\x00\x00\x00epochq\x01K\x03X\n\x00\x00\x00state_dictq\x02ccollections\nOrderedDict\nq\x03)Rq\x04(",
        b"X\x08\x00\x00\x00a.weightq\x05ctorch._utils\n_rebuild_tensor_v2\nq\x06((X\x07\x00\x00\x00storageq\x07ctorch\n",
        b"FloatStorage\nq\x08X\x01\x00\x00\x000q\tX\x03\x00\x00\x00cpuq\nK\x06Ntq\x0bQK\x00K\x03K\x02\x86q\x0cK\x02K\x01\x86q\r\x89h\x03",
        b")Rq\x0etq\x0fRq\x10X\x01\x00\x00\x00bq\x11h\x06((h\x07ctorch\nLongStorage\nq\x12X\x01\x00\x00\x001q\x13h\nK\x03Ntq\x14Q",
        b"K\x01K\x02\x85q\x15K\x01\x85q\x16\x89h\x03)Rq\x17tq\x18Rq\x19uu.",
        b"\x80\x02]q\x00(X\x01\x00\x00\x001q\x01X\x01\x00\x00\x000q\x02e.",
    ];
    let mut file = [magic.as_slice(), version, system, &value.concat()].concat();
    file.extend([3_i64, 1, 2, 3].map(i64::to_le_bytes).concat());
    file.extend(6_i64.to_le_bytes());
    file.extend([0.5_f32; 6].map(f32::to_le_bytes).concat());
    file
}

/// A zip checkpoint and a legacy one.
pub fn checkpoints() -> Vec<Vec<u8>> {
    let Ok(tensor) = Tensor::from_f32(vec![3, 2], &[0.5; 6]) else {
        return Vec::new();
    };
    let weights = Dict::ordered().with("a.weight", tensor.clone()).with("b", tensor);
    let value = Dict::new().with("epoch", 3i64).with("state_dict", weights);
    let mut file = Cursor::new(Vec::new());
    match write_checkpoint_to(&mut file, "model", &value.into()) {
        Ok(_) => vec![file.into_inner(), legacy_checkpoint()],
        Err(_) => Vec::new(),
    }
}

/// Pickles as in a checkpoint, with references to the storage of 64 bytes.
pub fn checkpoint_pickles() -> Vec<Vec<u8>> {
    let mut tensor =
        b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\nFloatStorage\n"
            .to_vec();
    tensor.extend(
        b"X\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x06tQK\x00K\x03K\x02\x86K\x02K\x01\x86\x89ccollections\n",
    );
    tensor.extend(b"OrderedDict\n)RtR.");
    let mut all = pickles();
    all.push(tensor);
    all
}

/// JSON files of every kind.
pub fn json() -> Vec<Vec<u8>> {
    [
        r#"{"name":"X","modality":{"0":"CT"},"labels":{"0":"background","1":"a"},"numTraining":1,"training":[
{"image":"./imagesTr/a.nii.gz","label":"./labelsTr/a.nii.gz","presentLabels":[0,1]}],"test":["./imagesTs/b.nii.gz"]}"#,
        r#"[{"train":["a","b"],"val":["c"]},{"train":["a","c"],"val":["b"]}]"#,
        r#"{"a":"p1","b":"p2"}"#,
        r#"{"author":"x","description":"","id":"1","name":"n","task":"t","timestamp":"2020","results":{"all":[{"0":
{"Accuracy":1.0,"Dice":0.5},"reference":"a.nii.gz","test":"b.nii.gz"}],"mean":{"0":{"Accuracy":1.0,"Dice":NaN}}}}"#,
        r#"{"for_which_classes":[[1,2],1],"min_valid_object_sizes":{"1":2.5},"dc_per_class_raw":{"1":0.5}}"#,
        "{\"epoch\":1,\"lr\":1e-2,\"text\":\"\\u00e9\\ud83d\\ude00\",\"list\":[null,true,-0.0,1e308,18446744073709551615]}",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}

const V2_PLANS: &str = r#"{"plans_name":"nnUNetPlans","image_reader_writer":"SimpleITKIO","transpose_forward":[0,2,1],
"transpose_backward":[0,2,1],"label_manager":"LabelManager","configurations":{"a":{"patch_size":[8,16],"spacing":[1.5,1],
"normalization_schemes":["CTNormalization"],"use_mask_for_norm":[false],
"resampling_fn_data":"resample_data_or_seg_to_shape","resampling_fn_data_kwargs":{"order":3},
"resampling_fn_seg":"resample_data_or_seg_to_shape","resampling_fn_seg_kwargs":{"is_seg":true},
"resampling_fn_probabilities":"resample_torch_fornnunet","architecture":{"network_class_name":
"dynamic_network_architectures.architectures.unet.PlainConvUNet","arch_kwargs":{"n_stages":2,"features_per_stage":[4,8],
"conv_op":"torch.nn.modules.conv.Conv2d","kernel_sizes":[[3,3],3],"strides":[1,2],"n_conv_per_stage":2,
"n_conv_per_stage_decoder":[2],"conv_bias":true,"norm_op":"torch.nn.modules.instancenorm.InstanceNorm2d",
"norm_op_kwargs":{"eps":1e-5,"affine":true},"nonlin":"torch.nn.LeakyReLU"}}},"b":{"inherits_from":"a"}},
"foreground_intensity_properties_per_channel":{"0":{"mean":1,"std":2.5,"percentile_00_5":-1e3,"percentile_99_5":9}}}"#;

/// Plans of nnU-Net v2.
pub fn v2_plans() -> Result<v2::Plans, v2::Error> {
    let json = serde_json::from_str(V2_PLANS).unwrap_or_default();
    v2::Plans::from_json(Path::new("plans.json"), json)
}

/// JSON files of nnU-Net v2.
pub fn v2_json() -> Vec<Vec<u8>> {
    [
        V2_PLANS,
        r#"{"channel_names":{"0":"CT","1":"MR"},"labels":{"background":0,"whole":[1,2],"core":2,"ignore":3},
"regions_class_order":[1,2],"numTraining":4,"file_ending":".nii.gz"}"#,
        r#"{"postprocessing_fns":["remove_all_but_largest_component_from_segmentation"],"postprocessing_kwargs":
[{"labels_or_regions":[1,[2,3]],"background_label":0}]}"#,
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}

/// Properties of a case of nnU-Net v2, and its postprocessing.
pub fn v2_pickles() -> Vec<Vec<u8>> {
    let sizes = |sizes: [i64; 3]| Value::tuple(sizes);
    let floats = |values: &[f64]| Value::Tuple(values.iter().map(|&value| Value::Float(value)).collect());
    let stuff = Dict::new()
        .with("spacing", floats(&[1.0, 1.0, 2.5]))
        .with("origin", floats(&[0.0, -3.0, 7.0]))
        .with(
            "direction",
            floats(&[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]),
        );
    let bounds = [[0, 4], [1, 5], [0, 6]].map(Value::list::<i64>);
    let properties = Dict::new()
        .with("sitk_stuff", stuff)
        .with("spacing", Value::list([2.5, 1.0, 1.0]))
        .with("shape_before_cropping", sizes([4, 6, 6]))
        .with("bbox_used_for_cropping", Value::List(bounds.to_vec()))
        .with("shape_after_cropping_and_before_resampling", sizes([4, 4, 6]));
    let mut all: Vec<_> = pickle::write(&properties.into(), Protocol::default())
        .into_iter()
        .collect();
    // `([f], [{"labels_or_regions": [1, 2]}])` of protocol 2, where f is the function.
    let arguments = Dict::new().with("labels_or_regions", Value::list([1i64, 2]));
    if let Ok(tail) = pickle::write(&Value::list([arguments]), Protocol::V2) {
        let mut bytes = b"\x80\x02](cnnunetv2.postprocessing.remove_connected_components\n".to_vec();
        bytes.extend(b"remove_all_but_largest_component_from_segmentation\ne");
        bytes.extend(&tail[2..tail.len() - 1]);
        bytes.extend(b"\x86.");
        all.push(bytes);
    }
    all
}

/// A checkpoint of nnU-Net v2.
pub fn v2_checkpoints() -> Vec<Vec<u8>> {
    let Ok(tensor) = Tensor::from_f32(vec![2, 1, 1, 1], &[0.5, -1.0]) else {
        return Vec::new();
    };
    let weights = Dict::ordered()
        .with("encoder.stages.0.0.convs.0.conv.weight", tensor.clone())
        .with("decoder.encoder.stages.0.0.convs.0.conv.weight", tensor);
    let value = Dict::new()
        .with("network_weights", weights)
        .with("trainer_name", "nnUNetTrainer")
        .with("init_args", Dict::new().with("configuration", "2d"))
        .with("inference_allowed_mirroring_axes", Value::tuple([0i64, 1]));
    let mut file = Cursor::new(Vec::new());
    match write_checkpoint_to(&mut file, "checkpoint_final", &value.into()) {
        Ok(_) => vec![file.into_inner()],
        Err(_) => Vec::new(),
    }
}

/// Tables of groups.
pub fn groups() -> Vec<Vec<u8>> {
    [
        "case,patient\na,p1\nb, \"p2\"\n",
        "\u{feff}sep=;\r\n# patients\r\ncase;patient\r\na;p1\r\nb;\"p2\"\r\n",
        "a\tp1\nb\tp2\n",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}

/// A zip file of a model.
pub fn models() -> Vec<Vec<u8>> {
    let model = "3d_fullres/Task011_Tiny/nnUNetTrainerV2__nnUNetPlansv2.1";
    let checkpoint = checkpoints().swap_remove(0);
    let pickled = pickles().swap_remove(0);
    let names = [
        "plans.pkl",
        "fold_0/model_final_checkpoint.model",
        "fold_0/model_final_checkpoint.model.pkl",
    ];
    let names = names.map(|name| format!("{model}/{name}"));
    vec![zip(&[
        (&names[0], &pickled),
        (&names[1], &checkpoint),
        (&names[2], &pickled),
    ])]
}
