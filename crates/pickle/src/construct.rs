//! REDUCE, BUILD and persistent identifiers for the supported Python names.

use std::borrow::Cow;

use crate::machine::Machine;
use crate::node::{ArrayNode, DTypeNode, Global, Id, Node, StorageRef, TensorNode};
use crate::tensor::TensorType;
use crate::value::DictKind;
use crate::{DType, Error};

impl<'a> Machine<'a> {
    fn node(&self, id: Id) -> &Node<'a> {
        &self.nodes[id as usize]
    }

    /// Builds the value that a call of `callee` in Python would return.
    pub(crate) fn call(&mut self, callee: Id, arguments: &[Id]) -> Result<(), Error> {
        let Node::Global(global) = *self.node(callee) else {
            return Err(self.malformed("the called object is not a known class or function"));
        };
        let node = match global {
            Global::OrderedDict => self.dict(DictKind::Ordered, arguments)?,
            Global::DefaultDict => match arguments {
                [] => Node::Dict(DictKind::Default(None), Vec::new()),
                [factory, rest @ ..] => {
                    let factory = match self.node(*factory) {
                        Node::Global(Global::Builtin(name)) => Some(*name),
                        Node::None => None,
                        _ => return Err(self.malformed("defaultdict with an unknown factory")),
                    };
                    self.dict(DictKind::Default(factory), rest)?
                }
            },
            Global::Builtin(name) => self.builtin(name, arguments)?,
            Global::Encode => self.encode(arguments)?,
            Global::Reconstruct => Node::EmptyArray,
            Global::Scalar => match arguments {
                [dtype, data] => Node::Scalar(Box::new(self.dtype(*dtype)?), *data),
                _ => return Err(self.malformed("numpy scalar without type and bytes")),
            },
            Global::FromBuffer => self.buffer_array(arguments)?,
            Global::DType => match arguments.first().map(|&id| self.text(id)) {
                // Every use copies the code, so long codes are rejected.
                Some(Some(code)) if code.len() <= 16 => Node::DType(DTypeNode {
                    code: code.into_owned(),
                    big_endian: false,
                }),
                _ => return Err(self.malformed("numpy dtype without a code")),
            },
            Global::RebuildTensor => self.tensor(arguments, None)?,
            Global::RebuildTensorV3 => {
                let dtype = arguments.get(6).map(|&id| self.node(id));
                let Some(Node::Global(Global::TorchDType(dtype))) = dtype else {
                    return Err(self.malformed("tensor without a type"));
                };
                self.tensor(arguments, Some(*dtype))?
            }
            Global::RebuildParameter => match arguments.first().map(|&id| self.node(id)) {
                Some(Node::Tensor(tensor)) => {
                    let tensor = tensor.clone();
                    self.budget.nodes(tensor.shape.len())?;
                    Node::Tensor(tensor)
                }
                _ => return Err(self.malformed("parameter without a tensor")),
            },
            Global::TorchSize => match arguments {
                [items] => Node::Tuple(self.items(*items)?),
                _ => return Err(self.malformed("torch.Size without its lengths")),
            },
            Global::TorchDevice => Node::Str(self.device(arguments)?.into()),
            Global::NdArray | Global::Storage(_) | Global::TorchDType(_) | Global::Name(_) => {
                return Err(self.malformed(format!("{global:?} is called")));
            }
        };
        self.push(node)
    }

    /// Name of a `torch.device`, such as `cuda:0`.
    fn device(&mut self, arguments: &[Id]) -> Result<String, Error> {
        let kind = arguments.first().and_then(|&id| self.text(id));
        // Every use copies the name, so long names are rejected.
        let kind = kind.filter(|kind| kind.len() <= 16);
        let kind = kind.ok_or_else(|| self.malformed("torch.device without a name"))?;
        Ok(match arguments.get(1) {
            Some(&index) => format!("{kind}:{}", self.unsigned(index)?),
            None => kind.into_owned(),
        })
    }

    fn builtin(&mut self, name: &str, arguments: &[Id]) -> Result<Node<'a>, Error> {
        Ok(match (name, arguments) {
            ("list", []) => Node::List(Vec::new()),
            ("list", [items]) => Node::List(self.items(*items)?),
            ("tuple", []) => Node::Tuple(Vec::new()),
            ("tuple", [items]) => Node::Tuple(self.items(*items)?),
            ("set", []) => Node::Set(Vec::new()),
            ("set", [items]) => Node::Set(self.items(*items)?),
            ("frozenset", []) => Node::FrozenSet(Vec::new()),
            ("frozenset", [items]) => Node::FrozenSet(self.items(*items)?),
            ("dict", _) => self.dict(DictKind::Plain, arguments)?,
            ("bytes", []) => Node::Bytes(Cow::Borrowed(&[])),
            ("bytes" | "bytearray", [data, ..]) => {
                let bytes = match self.node(*data) {
                    Node::Bytes(b) | Node::ByteArray(b) | Node::Raw(b) => b.to_vec(),
                    Node::Str(text) => {
                        latin1(text).ok_or_else(|| self.malformed("text with characters outside Latin-1"))?
                    }
                    _ => return Err(self.malformed(format!("{name} of a value other than bytes"))),
                };
                self.budget.bytes(bytes.len() as u64)?;
                match name {
                    "bytes" => Node::Bytes(Cow::Owned(bytes)),
                    _ => Node::ByteArray(Cow::Owned(bytes)),
                }
            }
            ("bytearray", []) => Node::ByteArray(Cow::Borrowed(&[])),
            ("int" | "float" | "str" | "bool", [value]) => {
                let node = self.node(*value);
                if !matches!(node, Node::Int(_) | Node::Float(_) | Node::Str(_) | Node::Bool(_)) {
                    return Err(self.malformed(format!(
                        "{name} of a value that is not a number, string or boolean"
                    )));
                }
                let node = node.clone();
                if let Node::Str(text) = &node {
                    self.budget.bytes(text.len() as u64)?;
                }
                node
            }
            _ => return Err(self.malformed(format!("{name} with {} arguments", arguments.len()))),
        })
    }

    /// Copies the items of a sequence, within the budget.
    fn items(&mut self, id: Id) -> Result<Vec<Id>, Error> {
        let items = match self.node(id) {
            Node::List(items) | Node::Tuple(items) | Node::Set(items) | Node::FrozenSet(items) => {
                items.clone()
            }
            _ => return Err(self.malformed("expected a sequence")),
        };
        self.budget.nodes(items.len())?;
        Ok(items)
    }

    fn dict(&mut self, kind: DictKind, arguments: &[Id]) -> Result<Node<'a>, Error> {
        let entries = match arguments {
            [] => Vec::new(),
            [source, ..] => match self.node(*source) {
                Node::Dict(_, entries) => entries.clone(),
                _ => {
                    let pairs = self.items(*source)?;
                    let pair = |&id: &Id| match self.node(id) {
                        Node::List(pair) | Node::Tuple(pair) if pair.len() == 2 => Ok((pair[0], pair[1])),
                        _ => Err(self.malformed("a dictionary item is not a pair")),
                    };
                    pairs.iter().map(pair).collect::<Result<_, _>>()?
                }
            },
        };
        self.budget.nodes(entries.len())?;
        Ok(Node::Dict(kind, entries))
    }

    /// Reads `_codecs.encode(text, "latin1")`, the bytes of protocol 2.
    fn encode(&mut self, arguments: &[Id]) -> Result<Node<'a>, Error> {
        let encoding = arguments.get(1).and_then(|&id| self.text(id));
        if !matches!(encoding.as_deref(), Some("latin1" | "latin-1")) {
            return Err(self.malformed("bytes in another encoding than Latin-1"));
        }
        let bytes = match arguments.first().map(|&id| self.node(id)) {
            Some(Node::Str(text)) => latin1(text),
            _ => None,
        };
        let bytes = bytes.ok_or_else(|| self.malformed("bytes with characters outside Latin-1"))?;
        self.budget.bytes(bytes.len() as u64)?;
        Ok(Node::Bytes(Cow::Owned(bytes)))
    }

    fn text(&self, id: Id) -> Option<Cow<'a, str>> {
        match self.node(id) {
            Node::Str(text) => Some(text.clone()),
            Node::Raw(Cow::Borrowed(bytes)) => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
            Node::Raw(Cow::Owned(bytes)) => String::from_utf8(bytes.clone()).ok().map(Cow::Owned),
            _ => None,
        }
    }

    fn dtype(&self, id: Id) -> Result<DTypeNode, Error> {
        match self.node(id) {
            Node::DType(dtype) => Ok(dtype.clone()),
            _ => Err(self.malformed("expected a numpy dtype")),
        }
    }

    fn lengths(&self, id: Id) -> Result<Vec<u64>, Error> {
        let items = match self.node(id) {
            Node::Tuple(items) | Node::List(items) => items,
            Node::Int(n) => {
                return Ok(vec![
                    u64::try_from(*n).map_err(|_| self.malformed("negative length"))?
                ])
            }
            _ => return Err(self.malformed("expected a shape")),
        };
        // numpy and torch allow at most 64 axes.
        if items.len() > 64 {
            return Err(self.malformed(format!("{} axes", items.len())));
        }
        items.iter().map(|&id| self.unsigned(id)).collect()
    }

    fn shape(&self, id: Id) -> Result<Vec<usize>, Error> {
        let fits = |n| usize::try_from(n).map_err(|_| self.malformed("axis too long"));
        self.lengths(id)?.into_iter().map(fits).collect()
    }

    fn unsigned(&self, id: Id) -> Result<u64, Error> {
        match self.node(id) {
            Node::Int(n) if *n >= 0 => Ok(*n as u64),
            _ => Err(self.malformed("expected a non-negative integer")),
        }
    }

    /// Reads `numpy.core.numeric._frombuffer(buffer, dtype, shape, order)`, the arrays of protocol 5.
    fn buffer_array(&mut self, arguments: &[Id]) -> Result<Node<'a>, Error> {
        let [data, dtype, shape, order] = arguments else {
            return Err(self.malformed("numpy buffer without type, shape and order"));
        };
        let fortran = match self.text(*order).as_deref() {
            Some("C") => false,
            Some("F") => true,
            _ => return Err(self.malformed("numpy buffer in an unknown order")),
        };
        let (dtype, shape) = (self.dtype(*dtype)?, self.shape(*shape)?);
        self.budget.nodes(shape.len())?;
        Ok(Node::Array(Box::new(ArrayNode {
            dtype,
            shape,
            fortran,
            data: *data,
        })))
    }

    /// Reads `_rebuild_tensor_v2(storage, offset, size, stride, ...)` and its variants.
    fn tensor(&mut self, arguments: &[Id], dtype: Option<TensorType>) -> Result<Node<'a>, Error> {
        let [storage, offset, size, stride, ..] = arguments else {
            return Err(self.malformed("tensor without storage, offset, size and stride"));
        };
        let Node::Storage(storage) = self.node(*storage) else {
            return Err(self.malformed("tensor without a storage"));
        };
        let storage = (**storage).clone();
        let dtype = dtype
            .or(storage.dtype)
            .ok_or_else(|| self.malformed("tensor without a type"))?;
        let (shape, stride) = (self.shape(*size)?, self.lengths(*stride)?);
        if shape.len() != stride.len() {
            return Err(self.malformed("tensor whose size and stride differ in length"));
        }
        let offset = self.unsigned(*offset)?;
        self.budget.nodes(shape.len() * 2)?;
        let tensor = TensorNode {
            storage,
            dtype,
            offset,
            shape,
            stride,
        };
        Ok(Node::Tensor(Box::new(tensor)))
    }

    /// Applies the state of a BUILD instruction to an object.
    pub(crate) fn build(&mut self, target: Id, state: Id) -> Result<(), Error> {
        // An array's shape is copied out of its state.
        self.budget.nodes(1)?;
        let built = match self.node(target) {
            Node::DType(dtype) => {
                let state = self.tuple(state)?;
                let order = state.get(1).and_then(|&id| self.text(id));
                let big_endian = match order.as_deref() {
                    Some("<" | "|" | "=") => false,
                    Some(">") => true,
                    _ => return Err(self.malformed("numpy dtype without a byte order")),
                };
                // The state of a structured dtype has its fields here.
                if state
                    .get(3)
                    .is_some_and(|&id| !matches!(self.node(id), Node::None))
                {
                    return Err(Error::Unsupported {
                        found: format!("numpy structured type {}", dtype.code),
                    });
                }
                Node::DType(DTypeNode {
                    code: dtype.code.clone(),
                    big_endian,
                })
            }
            Node::EmptyArray => {
                // (version, shape, dtype, is_fortran, data); the version is absent in old files.
                let state = self.tuple(state)?;
                let state = if state.len() == 5 { &state[1..] } else { state };
                let &[shape, dtype, fortran, data] = state else {
                    return Err(self.malformed("numpy array without its state"));
                };
                let fortran = matches!(self.node(fortran), Node::Bool(true) | Node::Int(1));
                let (dtype, shape) = (self.dtype(dtype)?, self.shape(shape)?);
                Node::Array(Box::new(ArrayNode {
                    dtype,
                    shape,
                    fortran,
                    data,
                }))
            }
            // Attributes of a container, such as a state dict's `_metadata`, are not used.
            Node::Dict(..) | Node::List(_) | Node::Set(_) => return Ok(()),
            _ => return Err(self.malformed("state for an object without state")),
        };
        self.nodes[target as usize] = built;
        Ok(())
    }

    /// Reads `("storage", class, key, location, elements[, view])`, torch's reference to tensor data.
    pub(crate) fn persistent_storage(&mut self, id: Id) -> Result<(), Error> {
        let items = self.tuple(id)?;
        let storage = match items {
            [tag, class, key, _location, elements, rest @ ..]
                if self.text(*tag).as_deref() == Some("storage") && rest.len() <= 1 =>
            {
                let Node::Global(Global::Storage(dtype)) = *self.node(*class) else {
                    return Err(self.malformed("storage of an unknown class"));
                };
                // Every tensor copies the key, so long keys are rejected.
                let key = self.text(*key).filter(|k| k.len() <= 64).map(Cow::into_owned);
                let key = key.ok_or_else(|| self.malformed("storage without a short key"))?;
                let elements = self.unsigned(*elements)?;
                let view = match rest.first().map(|&id| self.node(id)) {
                    None | Some(Node::None) => None,
                    Some(Node::Tuple(view)) if view.len() == 3 => {
                        Some((self.unsigned(view[1])?, self.unsigned(view[2])?))
                    }
                    Some(_) => return Err(self.malformed("invalid storage view")),
                };
                StorageRef {
                    key,
                    dtype,
                    elements,
                    view,
                }
            }
            _ => return Err(self.malformed("a persistent reference that is not a torch storage")),
        };
        self.push(Node::Storage(Box::new(storage)))
    }
}

fn latin1(text: &str) -> Option<Vec<u8>> {
    text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect()
}

impl DTypeNode {
    pub(crate) fn resolve(&self) -> Result<DType, Error> {
        DType::parse(&self.code).ok_or_else(|| Error::Unsupported {
            found: format!("numpy type {:?}", self.code),
        })
    }

    pub(crate) fn is_object(&self) -> bool {
        matches!(self.code.as_str(), "O" | "O8" | "O4")
    }
}
