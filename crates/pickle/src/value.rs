//! Python values.

use crate::tensor::Tensor;
use crate::NdArray;

/// A value of a pickle. Several references to one object become copies. Attributes of containers (such as a
/// state dict's `_metadata`) are dropped.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// `None`
    #[default]
    None,
    /// `bool`
    Bool(bool),
    /// `int` that fits 64 bits
    Int(i64),
    /// `int` that exceeds 64 bits: two's complement, little endian
    BigInt(Vec<u8>),
    /// `float`
    Float(f64),
    /// `str`, and Python 2's byte strings if they are UTF-8
    Str(String),
    /// `bytes`
    Bytes(Vec<u8>),
    /// `bytearray`
    ByteArray(Vec<u8>),
    /// `list`
    List(Vec<Value>),
    /// `tuple`
    Tuple(Vec<Value>),
    /// `dict`, `OrderedDict` and `defaultdict`
    Dict(Dict),
    /// `set`, in file order
    Set(Vec<Value>),
    /// `frozenset`, in file order
    FrozenSet(Vec<Value>),
    /// `numpy.ndarray` of numbers, booleans or strings
    Array(NdArray),
    /// `numpy.ndarray` of Python objects: shape and elements in C order
    ObjectArray(Vec<usize>, Vec<Value>),
    /// numpy scalar such as `numpy.float64`: an array with an empty shape
    Scalar(NdArray),
    /// `torch.Tensor`, only in checkpoints
    Tensor(Tensor),
}

/// Python class of a [`Dict`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum DictKind {
    /// `dict`
    #[default]
    Plain,
    /// `collections.OrderedDict`
    Ordered,
    /// `collections.defaultdict` with a built-in factory such as `list`, or none
    Default(Option<&'static str>),
}

/// A Python dictionary in insertion order. Keys are unique.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dict {
    kind: DictKind,
    entries: Vec<(Value, Value)>,
}

impl Dict {
    /// Returns an empty `dict`.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns an empty `collections.OrderedDict`.
    pub fn ordered() -> Self {
        Self::of_kind(DictKind::Ordered)
    }

    /// Returns an empty dictionary of the given class.
    pub fn of_kind(kind: DictKind) -> Self {
        Self {
            kind,
            entries: Vec::new(),
        }
    }

    pub(crate) fn from_unique(kind: DictKind, entries: Vec<(Value, Value)>) -> Self {
        Self { kind, entries }
    }

    /// Returns the Python class.
    pub fn kind(&self) -> &DictKind {
        &self.kind
    }

    /// Iterates over keys and values in insertion order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Value, &Value)> {
        self.entries.iter().map(|(k, v)| (k, v))
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether the dictionary is empty.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Returns the value of a string key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.entries
            .iter()
            .find(|(k, _)| matches!(k, Value::Str(s) if s == key))
            .map(|(_, v)| v)
    }

    /// Returns the value of any key, in time linear in the number of entries.
    pub fn get_value(&self, key: &Value) -> Option<&Value> {
        self.entries.iter().find(|(k, _)| k == key).map(|(_, v)| v)
    }

    /// Sets the value of a key. An existing key keeps its position; a new one is appended.
    pub fn set(&mut self, key: impl Into<Value>, value: impl Into<Value>) {
        let (key, value) = (key.into(), value.into());
        match self.entries.iter_mut().find(|(k, _)| *k == key) {
            Some((_, old)) => *old = value,
            None => self.entries.push((key, value)),
        }
    }

    /// Sets the value of a key and returns the dictionary, for chained calls.
    #[must_use]
    pub fn with(mut self, key: impl Into<Value>, value: impl Into<Value>) -> Self {
        self.set(key, value);
        self
    }

    /// Removes a string key and returns its value.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        let at = self
            .entries
            .iter()
            .position(|(k, _)| matches!(k, Value::Str(s) if s == key))?;
        Some(self.entries.remove(at).1)
    }
}

impl IntoIterator for Dict {
    type Item = (Value, Value);
    type IntoIter = std::vec::IntoIter<(Value, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}

macro_rules! from {
    ($($type:ty => |$v:ident| $body:expr),* $(,)?) => {$(
        impl From<$type> for Value {
            fn from($v: $type) -> Self {
                $body
            }
        }
    )*};
}

from! {
    bool => |v| Self::Bool(v),
    i64 => |v| Self::Int(v),
    i32 => |v| Self::Int(i64::from(v)),
    u32 => |v| Self::Int(i64::from(v)),
    f64 => |v| Self::Float(v),
    &str => |v| Self::Str(v.to_owned()),
    String => |v| Self::Str(v),
    Dict => |v| Self::Dict(v),
    NdArray => |v| Self::Array(v),
    Tensor => |v| Self::Tensor(v),
    usize => |v| i64::try_from(v).map_or_else(|_| Self::BigInt([&v.to_le_bytes()[..], &[0]].concat()), Self::Int),
}

impl Value {
    /// Returns a Python list.
    pub fn list<T: Into<Self>>(items: impl IntoIterator<Item = T>) -> Self {
        Self::List(items.into_iter().map(Into::into).collect())
    }

    /// Returns a Python tuple.
    pub fn tuple<T: Into<Self>>(items: impl IntoIterator<Item = T>) -> Self {
        Self::Tuple(items.into_iter().map(Into::into).collect())
    }

    /// Returns a `numpy.float64` scalar.
    pub fn numpy_f64(value: f64) -> Self {
        Self::Scalar(scalar(NdArray::from_f64(&[value])))
    }

    /// Returns a `numpy.float32` scalar.
    pub fn numpy_f32(value: f32) -> Self {
        Self::Scalar(scalar(NdArray::from_f32(&[value])))
    }

    /// Returns a `numpy.int64` scalar.
    pub fn numpy_i64(value: i64) -> Self {
        Self::Scalar(scalar(NdArray::from_i64(&[value])))
    }

    /// Returns a `numpy.bool_` scalar.
    pub fn numpy_bool(value: bool) -> Self {
        Self::Scalar(scalar(NdArray::from_bool(&[value])))
    }

    /// Returns the name of the Python class, for messages.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::None => "None",
            Self::Bool(_) => "bool",
            Self::Int(_) | Self::BigInt(_) => "int",
            Self::Float(_) => "float",
            Self::Str(_) => "str",
            Self::Bytes(_) => "bytes",
            Self::ByteArray(_) => "bytearray",
            Self::List(_) => "list",
            Self::Tuple(_) => "tuple",
            Self::Dict(d) => match d.kind {
                DictKind::Plain => "dict",
                DictKind::Ordered => "OrderedDict",
                DictKind::Default(_) => "defaultdict",
            },
            Self::Set(_) => "set",
            Self::FrozenSet(_) => "frozenset",
            Self::Array(_) | Self::ObjectArray(..) => "numpy.ndarray",
            Self::Scalar(_) => "numpy scalar",
            Self::Tensor(_) => "torch.Tensor",
        }
    }
}

fn scalar(one: NdArray) -> NdArray {
    one.clone().reshaped(&[]).unwrap_or(one)
}
