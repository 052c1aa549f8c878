//! Writer of pickles that Python can load.

use std::collections::HashMap;

use crate::opcode as op;
use crate::tensor::Tensor;
use crate::value::{Dict, DictKind};
use crate::{DType, Error, NdArray, Value};

/// Pickle protocol to write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// Loads in every Python. torch checkpoints use it.
    V2,
    /// Python 3.0 and later; the default of Python 3.7 and before.
    V3,
    /// Python 3.4 and later; the default of Python 3.8 to 3.13.
    #[default]
    V4,
}

/// Stores tensors outside the pickle and returns their keys.
pub(crate) trait TensorSink {
    fn store(&mut self, tensor: &Tensor) -> Result<String, Error>;
}

/// Pickles `value`. Types are kept: tuples, ordered dictionaries, numpy arrays and scalars.
///
/// # Errors
/// [`Error::Unsupported`] for tensors, which only [`crate::torch::write_checkpoint`] can write, and for
/// arrays or strings of 4 GiB or more in protocols below 4.
pub fn write(value: &Value, protocol: Protocol) -> Result<Vec<u8>, Error> {
    Writer::new(protocol, None).finish(value)
}

pub(crate) struct Writer<'t> {
    out: Vec<u8>,
    protocol: Protocol,
    /// Strings, globals and dtypes that are already written, by identity.
    memo: HashMap<String, u32>,
    tensors: Option<&'t mut dyn TensorSink>,
}

impl<'t> Writer<'t> {
    pub(crate) fn new(protocol: Protocol, tensors: Option<&'t mut dyn TensorSink>) -> Self {
        let version = match protocol {
            Protocol::V2 => 2,
            Protocol::V3 => 3,
            Protocol::V4 => 4,
        };
        Self {
            out: vec![op::PROTO, version],
            protocol,
            memo: HashMap::new(),
            tensors,
        }
    }

    pub(crate) fn finish(mut self, value: &Value) -> Result<Vec<u8>, Error> {
        self.value(value)?;
        self.out.push(op::STOP);
        Ok(self.out)
    }

    fn value(&mut self, value: &Value) -> Result<(), Error> {
        match value {
            Value::None => self.out.push(op::NONE),
            Value::Bool(true) => self.out.push(op::NEWTRUE),
            Value::Bool(false) => self.out.push(op::NEWFALSE),
            Value::Int(i) => self.int(*i),
            Value::BigInt(bytes) => match u8::try_from(bytes.len()) {
                Ok(length) => self.emit(&[&[op::LONG1, length], bytes]),
                Err(_) => {
                    return Err(Error::Unsupported {
                        found: "an integer of more than 255 bytes".into(),
                    })
                }
            },
            Value::Float(f) => self.emit(&[&[op::BINFLOAT], &f.to_be_bytes()]),
            Value::Str(text) => self.text(text)?,
            Value::Bytes(bytes) => self.bytes(bytes)?,
            Value::ByteArray(bytes) => {
                self.global("builtins", "bytearray")?;
                self.bytes(bytes)?;
                self.emit(&[&[op::TUPLE1, op::REDUCE]]);
            }
            Value::List(items) => {
                self.out.push(op::EMPTY_LIST);
                self.append(items, op::APPENDS)?;
            }
            Value::Tuple(items) => self.tuple(items)?,
            Value::Set(items) => self.set("set", items)?,
            Value::FrozenSet(items) => self.set("frozenset", items)?,
            Value::Dict(dict) => self.dict(dict)?,
            Value::Array(array) => self.array(array.shape(), Some(array), &[])?,
            Value::ObjectArray(shape, items) => self.array(shape, None, items)?,
            Value::Scalar(array) => {
                self.global("numpy.core.multiarray", "scalar")?;
                self.dtype(Some(array.dtype()))?;
                self.bytes(array.data())?;
                self.emit(&[&[op::TUPLE2, op::REDUCE]]);
            }
            Value::Tensor(tensor) => self.tensor(tensor)?,
        }
        Ok(())
    }

    fn emit(&mut self, parts: &[&[u8]]) {
        parts.iter().for_each(|part| self.out.extend_from_slice(part));
    }

    fn int(&mut self, value: i64) {
        if let Ok(small) = u8::try_from(value) {
            self.emit(&[&[op::BININT1, small]]);
        } else if let Ok(small) = u16::try_from(value) {
            self.emit(&[&[op::BININT2], &small.to_le_bytes()]);
        } else if let Ok(medium) = i32::try_from(value) {
            self.emit(&[&[op::BININT], &medium.to_le_bytes()]);
        } else {
            self.emit(&[&[op::LONG1, 8], &value.to_le_bytes()]);
        }
    }

    /// Writes a reference to the value stored under `identity`, or writes and stores it.
    fn once(
        &mut self,
        identity: String,
        write: impl FnOnce(&mut Self) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if let Some(&key) = self.memo.get(&identity) {
            match u8::try_from(key) {
                Ok(short) => self.emit(&[&[op::BINGET, short]]),
                Err(_) => self.emit(&[&[op::LONG_BINGET], &key.to_le_bytes()]),
            }
            return Ok(());
        }
        write(self)?;
        let key = self.memo.len() as u32;
        match u8::try_from(key) {
            Ok(short) => self.emit(&[&[op::BINPUT, short]]),
            Err(_) => self.emit(&[&[op::LONG_BINPUT], &key.to_le_bytes()]),
        }
        self.memo.insert(identity, key);
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), Error> {
        self.once(format!("text {text}"), |w| {
            let length = u32::try_from(text.len()).map_err(|_| Error::Unsupported {
                found: "a string of 4 GiB or more".into(),
            })?;
            match u8::try_from(length) {
                Ok(short) if w.protocol >= Protocol::V4 => w.emit(&[&[op::SHORT_BINUNICODE, short]]),
                _ => w.emit(&[&[op::BINUNICODE], &length.to_le_bytes()]),
            }
            w.emit(&[text.as_bytes()]);
            Ok(())
        })
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<(), Error> {
        if self.protocol == Protocol::V2 {
            // Protocol 2 has no bytes: Python decodes them from their Latin-1 text.
            self.global("_codecs", "encode")?;
            let text: String = bytes.iter().map(|&b| char::from(b)).collect();
            self.text(&text)?;
            self.text("latin1")?;
            self.emit(&[&[op::TUPLE2, op::REDUCE]]);
            return Ok(());
        }
        if let Ok(short) = u8::try_from(bytes.len()) {
            self.emit(&[&[op::SHORT_BINBYTES, short], bytes]);
        } else if let Ok(length) = u32::try_from(bytes.len()) {
            self.emit(&[&[op::BINBYTES], &length.to_le_bytes(), bytes]);
        } else if self.protocol >= Protocol::V4 {
            self.emit(&[&[op::BINBYTES8], &(bytes.len() as u64).to_le_bytes(), bytes]);
        } else {
            return Err(Error::Unsupported {
                found: "bytes of 4 GiB or more below protocol 4".into(),
            });
        }
        Ok(())
    }

    fn global(&mut self, module: &str, name: &str) -> Result<(), Error> {
        // Below protocol 3, Python expects the names of Python 2.
        let module = match module {
            "builtins" if self.protocol == Protocol::V2 => "__builtin__",
            other => other,
        };
        self.once(format!("global {module} {name}"), |w| {
            if w.protocol >= Protocol::V4 {
                w.text(module)?;
                w.text(name)?;
                w.emit(&[&[op::STACK_GLOBAL]]);
            } else {
                w.emit(&[&[op::GLOBAL], module.as_bytes(), b"\n", name.as_bytes(), b"\n"]);
            }
            Ok(())
        })
    }

    fn append(&mut self, items: &[Value], opcode: u8) -> Result<(), Error> {
        if !items.is_empty() {
            self.out.push(op::MARK);
            items.iter().try_for_each(|item| self.value(item))?;
            self.out.push(opcode);
        }
        Ok(())
    }

    fn tuple(&mut self, items: &[Value]) -> Result<(), Error> {
        if items.len() > 3 {
            self.out.push(op::MARK);
        }
        items.iter().try_for_each(|item| self.value(item))?;
        self.out.push(match items.len() {
            0 => op::EMPTY_TUPLE,
            1 => op::TUPLE1,
            2 => op::TUPLE2,
            3 => op::TUPLE3,
            _ => op::TUPLE,
        });
        Ok(())
    }

    fn set(&mut self, class: &str, items: &[Value]) -> Result<(), Error> {
        self.global("builtins", class)?;
        self.out.push(op::EMPTY_LIST);
        self.append(items, op::APPENDS)?;
        self.emit(&[&[op::TUPLE1, op::REDUCE]]);
        Ok(())
    }

    fn dict(&mut self, dict: &Dict) -> Result<(), Error> {
        match dict.kind() {
            DictKind::Plain => self.out.push(op::EMPTY_DICT),
            DictKind::Ordered => {
                self.global("collections", "OrderedDict")?;
                self.emit(&[&[op::EMPTY_TUPLE, op::REDUCE]]);
            }
            DictKind::Default(factory) => {
                self.global("collections", "defaultdict")?;
                match factory {
                    Some(name) => self.global("builtins", name)?,
                    None => self.out.push(op::NONE),
                }
                self.emit(&[&[op::TUPLE1, op::REDUCE]]);
            }
        }
        if !dict.is_empty() {
            self.out.push(op::MARK);
            for (key, value) in dict.iter() {
                self.value(key)?;
                self.value(value)?;
            }
            self.out.push(op::SETITEMS);
        }
        Ok(())
    }

    /// Writes `numpy.dtype(code, False, True)` and its state. `None` is the type of Python objects.
    fn dtype(&mut self, dtype: Option<DType>) -> Result<(), Error> {
        let code = dtype.map_or_else(|| "O8".to_owned(), DType::code);
        self.once(format!("dtype {code}"), |w| {
            let (order, size, alignment, flags) = match dtype {
                None => ("|", -1, -1, 63),
                Some(DType::Unicode(n)) => ("<", i64::from(n) * 4, 4, 8),
                Some(DType::Bytes(n)) => ("|", i64::from(n), 1, 0),
                Some(d) if d.item_size() == 1 => ("|", -1, -1, 0),
                Some(_) => ("<", -1, -1, 0),
            };
            w.global("numpy", "dtype")?;
            w.tuple(&[code.as_str().into(), false.into(), true.into()])?;
            w.out.push(op::REDUCE);
            w.out.push(op::MARK);
            w.int(3);
            w.text(order)?;
            w.emit(&[&[op::NONE, op::NONE, op::NONE]]);
            [size, alignment, flags].into_iter().for_each(|n| w.int(n));
            w.emit(&[&[op::TUPLE, op::BUILD]]);
            Ok(())
        })
    }

    fn array(&mut self, shape: &[usize], numbers: Option<&NdArray>, objects: &[Value]) -> Result<(), Error> {
        self.global("numpy.core.multiarray", "_reconstruct")?;
        self.global("numpy", "ndarray")?;
        self.tuple(&[0usize.into()])?;
        self.bytes(b"b")?;
        self.emit(&[&[op::TUPLE3, op::REDUCE, op::MARK]]);
        self.int(1);
        self.tuple(&shape.iter().map(|&n| n.into()).collect::<Vec<_>>())?;
        self.dtype(numbers.map(NdArray::dtype))?;
        self.out.push(op::NEWFALSE);
        match numbers {
            Some(array) => self.bytes(array.data())?,
            None => {
                self.out.push(op::EMPTY_LIST);
                self.append(objects, op::APPENDS)?;
            }
        }
        self.emit(&[&[op::TUPLE, op::BUILD]]);
        Ok(())
    }

    /// Writes `torch._utils._rebuild_tensor_v2(storage, 0, size, stride, False, OrderedDict())`.
    fn tensor(&mut self, tensor: &Tensor) -> Result<(), Error> {
        let Some(sink) = self.tensors.as_mut() else {
            return Err(Error::Unsupported {
                found: "a tensor outside a checkpoint".into(),
            });
        };
        let key = sink.store(tensor)?;
        self.global("torch._utils", "_rebuild_tensor_v2")?;
        self.emit(&[&[op::MARK, op::MARK]]);
        self.text("storage")?;
        self.global("torch", tensor.dtype.storage())?;
        self.text(&key)?;
        self.text("cpu")?;
        self.value(&tensor.len().into())?;
        self.emit(&[&[op::TUPLE, op::BINPERSID]]);
        self.int(0);
        let mut stride = vec![1usize; tensor.shape.len()];
        for axis in (1..stride.len()).rev() {
            stride[axis - 1] = stride[axis] * tensor.shape[axis].max(1);
        }
        for lengths in [&tensor.shape, &stride] {
            self.tuple(&lengths.iter().map(|&n| n.into()).collect::<Vec<_>>())?;
        }
        self.out.push(op::NEWFALSE);
        self.dict(&Dict::ordered())?;
        self.emit(&[&[op::TUPLE, op::REDUCE]]);
        Ok(())
    }
}
