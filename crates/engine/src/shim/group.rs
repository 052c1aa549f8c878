//! Ranks that train one network together: torch's store, collectives and gradient buckets (c10d).
//!
//! Nothing of it runs in a training of one process.

use std::ffi::{c_char, c_void, CString};
use std::rc::Rc;
use std::time::Duration;

use tch::{Kind, Tensor};

use super::{check, raw, RawTensor};
use crate::{Error, Result};

/// The shim's `Store`, opaque.
#[repr(C)]
struct RawStore {
    _private: [u8; 0],
}

/// The shim's `Group`, opaque.
#[repr(C)]
pub(crate) struct RawGroup {
    _private: [u8; 0],
}

/// The shim's `GradientSum`, opaque.
#[repr(C)]
struct RawGradients {
    _private: [u8; 0],
}

type Take = unsafe extern "C" fn(*mut c_void, *const c_char, usize);

unsafe extern "C" {
    fn engine_store_open(
        host: *const c_char,
        port: u16,
        serve: i32,
        timeout: i64,
        prefix: *const c_char,
        result: *mut *mut RawStore,
    ) -> *mut c_char;
    fn engine_store_free(store: *mut RawStore);
    fn engine_store_set(
        store: *mut RawStore,
        key: *const c_char,
        value: *const c_char,
        length: usize,
    ) -> *mut c_char;
    fn engine_store_has(store: *mut RawStore, key: *const c_char, found: *mut i32) -> *mut c_char;
    fn engine_store_get(
        store: *mut RawStore,
        key: *const c_char,
        context: *mut c_void,
        take: Take,
    ) -> *mut c_char;
    fn engine_group_join(
        store: *const RawStore,
        rank: i32,
        size: i32,
        timeout: i64,
        host: *const c_char,
        result: *mut *mut RawGroup,
    ) -> *mut c_char;
    fn engine_group_free(group: *mut RawGroup);
    fn engine_group_sum(group: *const RawGroup, tensor: *const RawTensor) -> *mut c_char;
    fn engine_group_maximum(group: *const RawGroup, tensor: *const RawTensor) -> *mut c_char;
    fn engine_group_gather(
        group: *const RawGroup,
        tensor: *const RawTensor,
        result: *mut *mut RawTensor,
    ) -> *mut c_char;
    fn engine_group_broadcast(
        group: *const RawGroup,
        tensors: *const *const RawTensor,
        count: usize,
    ) -> *mut c_char;
    fn engine_gradients_new(
        group: *const RawGroup,
        leaves: *const *const RawTensor,
        count: usize,
        result: *mut *mut RawGradients,
    ) -> *mut c_char;
    fn engine_gradients_free(gradients: *mut RawGradients);
    fn engine_gradients_settle(gradients: *mut RawGradients) -> *mut c_char;
    fn engine_gradients_backward(
        gradients: *mut RawGradients,
        root: *const RawTensor,
        results: *mut *mut RawTensor,
    ) -> *mut c_char;
}

/// Where the ranks meet: torch's `TCPStore`, which one process serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeetingPoint {
    /// Name or address of the machine that serves the store.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Before all keys, so that an attempt does not read those of the attempt before it.
    pub prefix: String,
}

/// A connection to the store of the ranks: small values by name.
pub struct Store {
    raw: *mut RawStore,
    host: CString,
}

impl Store {
    /// Connects to the store. The rank that serves it opens the port before.
    ///
    /// # Errors
    /// [`Error::Collective`] if the port is taken, or nothing answers within `timeout`.
    pub fn open(point: &MeetingPoint, serve: bool, timeout: Duration) -> Result<Self> {
        let (host, prefix) = (text(&point.host)?, text(&point.prefix)?);
        let mut raw = std::ptr::null_mut();
        let (serve, timeout) = (i32::from(serve), milliseconds(timeout));
        // SAFETY: the strings outlive the call. Without a message, the shim stores a store made with `new`.
        check(unsafe {
            let (host, prefix) = (host.as_ptr(), prefix.as_ptr());
            engine_store_open(host, point.port, serve, timeout, prefix, &raw mut raw)
        })?;
        Ok(Self { raw, host })
    }

    /// Sets a value.
    ///
    /// # Errors
    /// [`Error::Collective`] if the store is gone.
    pub fn set(&self, key: &str, value: &str) -> Result<()> {
        let key = text(key)?;
        // SAFETY: `raw` is live until `drop`; key and value outlive the call.
        check(unsafe { engine_store_set(self.raw, key.as_ptr(), value.as_ptr().cast(), value.len()) })
    }

    /// Whether there is a value. Waits without a limit for a store whose process is suspended.
    ///
    /// # Errors
    /// [`Error::Collective`] if the store is gone.
    pub fn has(&self, key: &str) -> Result<bool> {
        let (key, mut found) = (text(key)?, 0);
        // SAFETY: as in `set`.
        check(unsafe { engine_store_has(self.raw, key.as_ptr(), &raw mut found) })?;
        Ok(found != 0)
    }

    /// The value of a key, if it has one.
    ///
    /// # Errors
    /// [`Error::Collective`] if the store is gone.
    pub fn get(&self, key: &str) -> Result<Option<String>> {
        if !self.has(key)? {
            return Ok(None);
        }
        let (key, mut value) = (text(key)?, Vec::new());
        // SAFETY: as in `set`; `take` gets the pointer to `value`, which nobody else uses during the call.
        check(unsafe { engine_store_get(self.raw, key.as_ptr(), (&raw mut value).cast(), take) })?;
        Ok(Some(String::from_utf8_lossy(&value).into_owned()))
    }
}

unsafe extern "C" fn take(context: *mut c_void, value: *const c_char, length: usize) {
    // SAFETY: `get` passes a pointer to its vector, and the shim `length` bytes.
    let (to, from) = unsafe {
        (
            &mut *context.cast::<Vec<u8>>(),
            std::slice::from_raw_parts(value.cast::<u8>(), length),
        )
    };
    to.extend_from_slice(from);
}

impl Drop for Store {
    fn drop(&mut self) {
        // SAFETY: made with `new`, and freed once.
        unsafe { engine_store_free(self.raw) };
    }
}

/// A rank's side of the collectives. Every rank calls the same functions in the same order, with tensors of the same
/// shape and kind.
///
/// Every function fails with [`Error::Collective`] if a rank is gone, or does not take part within the timeout.
pub struct Group {
    raw: *mut RawGroup,
    rank: usize,
    size: usize,
}

impl Group {
    /// Joins the ranks, and waits until all have joined. `timeout` is for this and every collective.
    ///
    /// # Errors
    /// [`Error::Collective`].
    pub fn join(store: &Store, rank: usize, size: usize, timeout: Duration) -> Result<Rc<Self>> {
        let mut raw = std::ptr::null_mut();
        let number = |n: usize| i32::try_from(n).unwrap_or(i32::MAX);
        // SAFETY: the store is live, and the shim takes its own reference to it. Without a message, it stores a group made
        // with `new`.
        check(unsafe {
            let (host, timeout) = (store.host.as_ptr(), milliseconds(timeout));
            engine_group_join(store.raw, number(rank), number(size), timeout, host, &raw mut raw)
        })?;
        Ok(Rc::new(Self { raw, rank, size }))
    }

    /// Number of this rank, from 0.
    pub fn rank(&self) -> usize {
        self.rank
    }

    /// Number of ranks.
    pub fn size(&self) -> usize {
        self.size
    }

    pub(crate) fn raw(&self) -> *const RawGroup {
        self.raw
    }

    /// The sum of each value over the ranks.
    ///
    /// # Errors
    /// [`Error::Collective`].
    pub fn sum(&self, values: &[f64]) -> Result<Vec<f64>> {
        let tensor = Tensor::f_from_slice(values)?;
        // SAFETY: the tensor is live and contiguous; nobody else has its memory.
        check(unsafe { engine_group_sum(self.raw, raw(&tensor)) })?;
        Ok(Vec::try_from(&tensor)?)
    }

    /// The greatest of each value over the ranks.
    ///
    /// # Errors
    /// [`Error::Collective`].
    pub fn maximum(&self, values: &[f64]) -> Result<Vec<f64>> {
        let tensor = Tensor::f_from_slice(values)?;
        // SAFETY: as in `sum`.
        check(unsafe { engine_group_maximum(self.raw, raw(&tensor)) })?;
        Ok(Vec::try_from(&tensor)?)
    }

    /// A tensor of each rank, (rank, ...).
    ///
    /// # Errors
    /// [`Error::Collective`].
    pub fn gather(&self, tensor: &Tensor) -> Result<Tensor> {
        // SAFETY: the tensor is live and only read.
        super::tensor(|result| unsafe { engine_group_gather(self.raw, raw(tensor), result) })
    }

    /// A text of each rank.
    ///
    /// # Errors
    /// [`Error::Collective`].
    pub fn texts(&self, text: &str) -> Result<Vec<String>> {
        let lengths = self.gather(&Tensor::f_from_slice(&[text.len() as i64])?)?;
        let lengths: Vec<i64> = Vec::try_from(&lengths.f_flatten(0, -1)?)?;
        let longest = lengths.iter().copied().max().unwrap_or_default().max(1) as usize;
        let mut bytes = text.as_bytes().to_vec();
        bytes.resize(longest, 0);
        let all = self.gather(&Tensor::f_from_slice(&bytes)?)?;
        let all: Vec<u8> = Vec::try_from(&all.f_flatten(0, -1)?.f_to_kind(Kind::Uint8)?)?;
        let rows = all.chunks(longest).zip(lengths);
        Ok(rows
            .map(|(row, length)| String::from_utf8_lossy(&row[..length as usize]).into_owned())
            .collect())
    }

    /// Replaces the tensors by those of rank 0.
    ///
    /// # Errors
    /// [`Error::Collective`].
    pub fn broadcast(&self, tensors: &[Tensor]) -> Result<()> {
        let pointers: Vec<_> = tensors.iter().map(raw).collect();
        // SAFETY: the pointers are to live tensors. The shim writes to them; callers own the network or momenta, which
        // nobody else accesses meanwhile.
        check(unsafe { engine_group_broadcast(self.raw, pointers.as_ptr(), pointers.len()) })
    }

    /// Waits until every rank is here.
    ///
    /// # Errors
    /// [`Error::Collective`].
    pub fn barrier(&self) -> Result<()> {
        self.sum(&[0.0]).map(drop)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // SAFETY: made with `new`, and freed once.
        unsafe { engine_group_free(self.raw) };
    }
}

/// Sums gradients over the ranks in buckets, beside the backward pass (torch's `c10d::Reducer`).
pub(crate) struct GradientSum {
    raw: *mut RawGradients,
    leaves: usize,
    /// Outlives the buckets.
    _group: Rc<Group>,
}

impl GradientSum {
    /// For leaves that every backward pass reaches, the same ones in every rank.
    pub fn new(group: &Rc<Group>, leaves: &[&Tensor]) -> Result<Self> {
        let pointers: Vec<_> = leaves.iter().map(|leaf| raw(leaf)).collect();
        let mut found = std::ptr::null_mut();
        // SAFETY: the pointers are to live tensors, of which the shim takes its own references. Without a message, it
        // stores an object made with `new`.
        check(unsafe { engine_gradients_new(group.raw, pointers.as_ptr(), pointers.len(), &raw mut found) })?;
        Ok(Self {
            raw: found,
            leaves: leaves.len(),
            _group: group.clone(),
        })
    }

    /// The sums of the gradients of `root`, one for each leaf, valid until the next call.
    pub fn backward(&self, root: &Tensor) -> Result<Vec<Tensor>> {
        let mut pointers = vec![std::ptr::null_mut::<RawTensor>(); self.leaves];
        // SAFETY: `raw` is live until `drop`, `root` is a live scalar, and there is room for a tensor for each leaf.
        check(unsafe { engine_gradients_backward(self.raw, raw(root), pointers.as_mut_ptr()) })?;
        let own = |pointer: *mut RawTensor| {
            // SAFETY: without a message, each pointer is to a tensor made with `new`; `Tensor` owns it.
            unsafe { Tensor::from_ptr(pointer.cast()) }
        };
        Ok(pointers.into_iter().map(own).collect())
    }

    /// Orders the buckets as the gradients of the first backward pass arrived. Called once after it, so that every later
    /// sum has one order, in a continued run, too.
    pub fn settle(&self) -> Result<()> {
        // SAFETY: as in `backward`.
        check(unsafe { engine_gradients_settle(self.raw) })
    }
}

impl Drop for GradientSum {
    fn drop(&mut self) {
        // SAFETY: made with `new`, and freed once.
        unsafe { engine_gradients_free(self.raw) };
    }
}

fn text(value: &str) -> Result<CString> {
    CString::new(value).map_err(|_| Error::Collective {
        reason: format!("{value:?} has a zero byte"),
    })
}

fn milliseconds(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
pub(crate) mod tests;
