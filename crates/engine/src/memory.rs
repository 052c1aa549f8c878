//! Lack of memory, as libtorch and NVIDIA's libraries report it.

use crate::Error;

/// What a message says about a lack of memory.
#[derive(Debug, PartialEq)]
pub(crate) struct OutOfMemory {
    device: &'static str,
    asked: Option<String>,
    free: Option<String>,
}

/// Parts of the messages, in lower case: of libtorch's allocators for GPUs and CPUs, of the CUDA runtime,
/// cuDNN and cuBLAS, of the C++ library, and of the system.
const MESSAGES: [(&str, Option<&str>); 9] = [
    ("cuda out of memory", Some("CUDA")),
    ("cuda error: out of memory", Some("CUDA")),
    ("cudnn_status_alloc_failed", Some("CUDA")),
    (
        "cudnn_status_internal_error_device_allocation_failed",
        Some("CUDA"),
    ),
    ("cublas_status_alloc_failed", Some("CUDA")),
    ("mps backend out of memory", Some("MPS")),
    ("defaultcpuallocator", Some("the CPU")),
    ("std::bad_alloc", Some("the CPU")),
    ("out of memory", None),
];

impl OutOfMemory {
    /// Recognises a message; `None` for one about something else.
    pub fn parse(message: &str) -> Option<Self> {
        let lower = message.to_lowercase();
        let (_, device) = MESSAGES.iter().find(|(part, _)| lower.contains(part))?;
        let device = device.unwrap_or(if lower.contains("cuda") { "CUDA" } else { "the CPU" });
        // "Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 39.39 GiB of which 1.20 GiB is free."
        // "you tried to allocate 1099511627776 bytes."
        let asked = amount(message, &lower, "tried to allocate ", None);
        let free = amount(message, &lower, "of which ", Some(" is free"));
        let free = free.or_else(|| (device == "the CPU").then(|| in_gib(run::available_memory() as f64)));
        Some(Self { device, asked, free })
    }

    /// The error with libtorch's message.
    pub fn with(self, reason: String) -> Error {
        let unknown = || "an unknown amount".to_owned();
        Error::OutOfMemory {
            device: self.device,
            asked: self.asked.unwrap_or_else(unknown),
            free: self.free.unwrap_or_else(unknown),
            advice: "lower the batch size or the patch size, use --precision float16 or bfloat16, \
                     or free the device of other processes"
                .to_owned(),
            reason,
        }
    }
}

/// The number and unit between two parts of a message.
fn amount(message: &str, lower: &str, before: &str, after: Option<&str>) -> Option<String> {
    // Lower case keeps the length of ASCII, which these messages are; else the slices fail to match.
    let start = lower.find(before)? + before.len();
    let rest = message.get(start..)?;
    let rest = match after {
        Some(after) => rest.get(..lower.get(start..)?.find(after)?)?,
        None => rest,
    };
    let mut words = rest.split_whitespace();
    let (number, unit) = (words.next()?, words.next()?.trim_end_matches(['.', ',', ';']));
    let value: f64 = number.parse().ok()?;
    Some(match unit {
        "bytes" => in_gib(value),
        unit => format!("{number} {unit}"),
    })
}

fn in_gib(bytes: f64) -> String {
    format!("{:.2} GiB", bytes / f64::from(1 << 30))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_every_library_are_recognised() {
        let cuda = "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 39.39 GiB of which \
                    1.20 GiB is free. Process 7 has 38.19 GiB memory in use.";
        let found = OutOfMemory::parse(cuda).unwrap();
        assert_eq!(found.device, "CUDA");
        assert_eq!(
            (found.asked.as_deref(), found.free.as_deref()),
            (Some("2.00 GiB"), Some("1.20 GiB"))
        );
        for message in [
            "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
            "cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED",
            "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
            "CUDA error: out of memory",
        ] {
            let found = OutOfMemory::parse(message).unwrap();
            assert_eq!(
                (found.device, found.asked, found.free),
                ("CUDA", None, None),
                "{message}"
            );
        }
        assert_eq!(
            OutOfMemory::parse("MPS backend out of memory").unwrap().device,
            "MPS"
        );
        let cpu = "[enforce fail at alloc_cpu.cpp:124] err == 0. DefaultCPUAllocator: can't allocate memory: you tried \
                   to allocate 1099511627776 bytes. Error code 12 (Cannot allocate memory)";
        let found = OutOfMemory::parse(cpu).unwrap();
        assert_eq!(
            (found.device, found.asked.as_deref()),
            ("the CPU", Some("1024.00 GiB"))
        );
        assert_eq!(OutOfMemory::parse("cuDNN error: CUDNN_STATUS_BAD_PARAM"), None);
    }

    #[test]
    fn a_tensor_that_is_too_large_is_an_error_of_memory() {
        let error = tch::Tensor::f_empty([1 << 50], (tch::Kind::Float, tch::Device::Cpu)).unwrap_err();
        let error = Error::from(error).advise(|| "take less".to_owned());
        let text = error.to_string();
        assert!(
            text.starts_with("out of memory on the CPU: 4194304.00 GiB asked for, "),
            "{text}"
        );
        assert!(text.contains("; take less ("), "{text}");
        assert!(!text.contains("frame #"), "{text}");
    }
}
