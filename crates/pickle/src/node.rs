//! Nodes that the stack machine builds, before they become a tree of [`crate::Value`]s.

use std::borrow::Cow;

use crate::tensor::TensorType;
use crate::value::DictKind;

/// Index of a node in the machine's arena.
pub(crate) type Id = u32;

/// The supported Python names. None of them is called: each selects a constructor of this crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Global {
    OrderedDict,
    DefaultDict,
    /// A built-in container or number type; also a `defaultdict` factory.
    Builtin(&'static str),
    Encode,
    Reconstruct,
    Scalar,
    FromBuffer,
    NdArray,
    DType,
    Storage(Option<TensorType>),
    TorchDType(TensorType),
    RebuildTensor,
    RebuildTensorV3,
    RebuildParameter,
    TorchSize,
    TorchDevice,
    /// A function that a file only names. Its value is this text.
    Name(&'static str),
}

/// The function that nnU-Net v2's `postprocessing.pkl` names.
const REMOVE_COMPONENTS: &str = "remove_all_but_largest_component_from_segmentation";

impl Global {
    /// Returns the global with that name, if it is supported.
    pub(crate) fn find(module: &str, name: &str) -> Option<Self> {
        const BUILTINS: [&str; 11] = [
            "list",
            "dict",
            "set",
            "frozenset",
            "tuple",
            "int",
            "float",
            "str",
            "bool",
            "bytes",
            "bytearray",
        ];
        Some(match (module, name) {
            ("collections", "OrderedDict") => Self::OrderedDict,
            ("collections", "defaultdict") => Self::DefaultDict,
            ("builtins" | "__builtin__", "unicode") => Self::Builtin("str"),
            ("builtins" | "__builtin__", _) => Self::Builtin(BUILTINS.into_iter().find(|b| *b == name)?),
            ("_codecs", "encode") => Self::Encode,
            ("numpy.core.multiarray" | "numpy._core.multiarray", "_reconstruct") => Self::Reconstruct,
            ("numpy.core.multiarray" | "numpy._core.multiarray", "scalar") => Self::Scalar,
            ("numpy.core.numeric" | "numpy._core.numeric", "_frombuffer") => Self::FromBuffer,
            ("numpy", "ndarray") => Self::NdArray,
            ("numpy", "dtype") => Self::DType,
            ("torch._utils", "_rebuild_tensor" | "_rebuild_tensor_v2") => Self::RebuildTensor,
            ("torch._utils", "_rebuild_tensor_v3") => Self::RebuildTensorV3,
            ("torch._utils", "_rebuild_parameter") => Self::RebuildParameter,
            ("torch", "Size") => Self::TorchSize,
            ("torch", "device") => Self::TorchDevice,
            ("nnunetv2.postprocessing.remove_connected_components", REMOVE_COMPONENTS) => {
                Self::Name(REMOVE_COMPONENTS)
            }
            ("torch.storage", "UntypedStorage") | ("torch", "UntypedStorage") => Self::Storage(None),
            ("torch" | "torch.cuda", _) => match name.strip_suffix("Storage") {
                Some(_) => Self::Storage(Some(TensorType::from_storage(name)?)),
                None => Self::TorchDType(TensorType::from_name(name)?),
            },
            _ => return None,
        })
    }
}

/// A pickled numpy dtype: its code and, after its state is read, its byte order.
#[derive(Clone, Debug)]
pub(crate) struct DTypeNode {
    pub(crate) code: String,
    pub(crate) big_endian: bool,
}

/// An array under construction.
#[derive(Clone, Debug)]
pub(crate) struct ArrayNode {
    pub(crate) dtype: DTypeNode,
    pub(crate) shape: Vec<usize>,
    pub(crate) fortran: bool,
    /// Bytes, or a list for object arrays.
    pub(crate) data: Id,
}

/// A storage of a torch checkpoint, or a view into one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StorageRef {
    pub(crate) key: String,
    /// Element type. `None` for an untyped storage, whose `elements` are bytes.
    pub(crate) dtype: Option<TensorType>,
    pub(crate) elements: u64,
    /// Offset and length of a view into the storage (legacy files only).
    pub(crate) view: Option<(u64, u64)>,
}

#[derive(Clone, Debug)]
pub(crate) struct TensorNode {
    pub(crate) storage: StorageRef,
    pub(crate) dtype: TensorType,
    pub(crate) offset: u64,
    pub(crate) shape: Vec<usize>,
    pub(crate) stride: Vec<u64>,
}

#[derive(Clone, Debug)]
pub(crate) enum Node<'a> {
    None,
    Bool(bool),
    Int(i64),
    BigInt(Vec<u8>),
    Float(f64),
    Str(Cow<'a, str>),
    /// Python 2's `str`: text or bytes, depending on its use.
    Raw(Cow<'a, [u8]>),
    Bytes(Cow<'a, [u8]>),
    ByteArray(Cow<'a, [u8]>),
    List(Vec<Id>),
    Tuple(Vec<Id>),
    Set(Vec<Id>),
    FrozenSet(Vec<Id>),
    Dict(DictKind, Vec<(Id, Id)>),
    Global(Global),
    DType(DTypeNode),
    /// `_reconstruct` without its state.
    EmptyArray,
    Array(Box<ArrayNode>),
    Scalar(Box<DTypeNode>, Id),
    Storage(Box<StorageRef>),
    Tensor(Box<TensorNode>),
}
