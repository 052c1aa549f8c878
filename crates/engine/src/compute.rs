//! Device and precision of the computation.

use run::OptionError;
use settings::{ComputeOptions, Precision};
use tch::{Cuda, Device, Kind};

use crate::{shim, Error, Result};

/// Implementation of what surrounds the convolutions: normalisation, loss and optimiser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kernels {
    /// This crate's own kernels, which are for CPUs.
    Fused,
    /// libtorch's operators, for every device. Nothing reads a value of the device during a step.
    Composed,
}

impl Kernels {
    /// The faster one of a device.
    pub fn of(device: Device) -> Self {
        match device {
            Device::Cpu => Self::Fused,
            _ => Self::Composed,
        }
    }
}

/// A device and a precision that it supports.
#[derive(Clone, Debug, PartialEq)]
pub struct Compute {
    /// The device.
    pub device: Device,
    /// Kind of activations and convolution weights.
    pub kind: Kind,
    /// Whether float32 convolutions may round their input to TensorFloat-32.
    pub tf32: bool,
    /// Kernels of this device.
    pub kernels: Kernels,
    /// Reason for this kind, as text.
    pub reason: String,
}

/// Name of a device in options.
pub fn device_name(device: Device) -> String {
    match device {
        Device::Cpu => "cpu".to_owned(),
        Device::Cuda(index) => format!("cuda:{index}"),
        Device::Mps => "mps".to_owned(),
        Device::Vulkan => "vulkan".to_owned(),
    }
}

/// Devices available on this machine with this libtorch.
pub fn available_devices() -> Vec<Device> {
    let mut devices: Vec<Device> = (0..cuda_devices()).map(Device::Cuda).collect();
    if tch::utils::has_mps() {
        devices.push(Device::Mps);
    }
    devices.push(Device::Cpu);
    devices
}

fn cuda_devices() -> usize {
    if Cuda::is_available() {
        usize::try_from(Cuda::device_count()).unwrap_or(0)
    } else {
        0
    }
}

/// Resolves `auto`, `cpu`, `cuda`, `cuda:N` or `mps`. `auto` selects the first of CUDA, MPS and CPU.
///
/// # Errors
/// [`Error::Device`] with the available devices, [`Error::Option`] for any other name.
pub fn find_device(requested: &str) -> Result<Device> {
    let available = available_devices();
    let refuse = |found: String| {
        let names: Vec<String> = available.iter().map(|&d| device_name(d)).collect();
        Err(Error::Device {
            requested: requested.to_owned(),
            found,
            available: names.join(", "),
        })
    };
    let wanted = match requested {
        "auto" => return Ok(available.first().copied().unwrap_or(Device::Cpu)),
        "cpu" => Device::Cpu,
        "mps" => Device::Mps,
        "cuda" => Device::Cuda(0),
        other => match other.strip_prefix("cuda:").and_then(|index| index.parse().ok()) {
            Some(index) => Device::Cuda(index),
            None => {
                let expected = "auto, cpu, cuda, cuda:N or mps";
                return Err(OptionError::expected("device", expected, format!("{other:?}")).into());
            }
        },
    };
    if available.contains(&wanted) {
        return Ok(wanted);
    }
    match wanted {
        Device::Cuda(_) if !tch::utils::has_cuda() => refuse(
            "this libtorch computes on the CPU only, or no CUDA driver was found; \
             `nnunet-diag libtorch install --cuda` installs one that uses CUDA"
                .to_owned(),
        ),
        Device::Cuda(_) => refuse(format!("libtorch finds {} CUDA devices", cuda_devices())),
        _ => refuse("this libtorch does not support it, or the machine has none".to_owned()),
    }
}

impl Compute {
    /// Resolves the device and precision options.
    ///
    /// # Errors
    /// As [`find_device`]; [`Error::Precision`] for float16 on a CPU, and for TensorFloat-32 without CUDA.
    pub fn new(options: &ComputeOptions) -> Result<Self> {
        let device = find_device(&options.device)?;
        let (kind, reason) = match (options.precision, device) {
            (Precision::Float32, _) | (Precision::Tf32, Device::Cuda(_)) => {
                (Kind::Float, "requested".to_owned())
            }
            (Precision::Tf32, _) => {
                return Err(Error::Precision {
                    requested: "tf32".to_owned(),
                    device: device_name(device),
                    problem: "TensorFloat-32 is a format of NVIDIA GPUs; use auto, bfloat16 or float32"
                        .to_owned(),
                })
            }
            (Precision::BFloat16, _) => (Kind::BFloat16, "requested".to_owned()),
            (Precision::Float16, Device::Cpu) => {
                return Err(Error::Precision {
                    requested: "float16".to_owned(),
                    device: device_name(device),
                    problem: "float16 is slower than float32 on CPUs; use auto, bfloat16 or float32"
                        .to_owned(),
                })
            }
            (Precision::Float16, _) => (Kind::Half, "requested".to_owned()),
            (Precision::Auto, Device::Cuda(_)) => (Kind::Half, "fastest on CUDA".to_owned()),
            (Precision::Auto, Device::Cpu) if multiplies_bfloat16() => {
                (Kind::BFloat16, "this CPU supports bfloat16 natively".to_owned())
            }
            (Precision::Auto, Device::Cpu) => (
                Kind::Float,
                "this CPU does not support bfloat16 natively".to_owned(),
            ),
            (Precision::Auto, _) => (Kind::Float, "supported by every device".to_owned()),
        };
        Ok(Self {
            device,
            kind,
            tf32: options.precision == Precision::Tf32,
            kernels: Kernels::of(device),
            reason,
        })
    }

    /// Applies the precision to libtorch's CUDA libraries, for the whole process: float32 convolutions round
    /// their input only if that was requested, while libtorch's default is to round. `deterministic` selects
    /// the same algorithms in every run, like `cudnn.deterministic` in nnU-Net's trainer, and libtorch's
    /// deterministic operators; otherwise cuDNN measures which algorithm is the fastest.
    ///
    /// # Errors
    /// Any error of libtorch.
    pub fn set_math(&self, deterministic: bool) -> Result<()> {
        shim::device::set_math(self.tf32, deterministic)
    }

    /// Name of the precision in options.
    pub fn precision_name(&self) -> &'static str {
        match self.kind {
            Kind::BFloat16 => "bfloat16",
            Kind::Half => "float16",
            _ if self.tf32 => "tf32",
            _ => "float32",
        }
    }
}

/// Returns true if the CPU has bfloat16 multiplication instructions. Every CPU with AMX also has the AVX-512
/// ones.
fn multiplies_bfloat16() -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        std::arch::is_x86_feature_detected!("avx512bf16")
    }
    #[cfg(target_arch = "aarch64")]
    {
        std::arch::is_aarch64_feature_detected!("bf16")
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    {
        false
    }
}

#[cfg(test)]
mod tests {
    use run::Coded;

    use super::*;

    #[test]
    fn a_missing_device_is_rejected_with_the_available_ones() {
        assert_eq!(find_device("cpu").expect("a CPU"), Device::Cpu);
        assert_eq!(
            find_device("cuda:x").expect_err("no number").code(),
            "ERR_OPTIONS"
        );
        let error = find_device("cuda:99").expect_err("no such device");
        assert_eq!(error.code(), "ERR_DEVICE");
        assert!(error.to_string().contains("cpu"), "{error}");
    }

    fn compute(precision: Precision) -> Result<Compute> {
        let device = "cpu".to_owned();
        Compute::new(&ComputeOptions { device, precision })
    }

    #[test]
    fn float16_and_tf32_on_a_cpu_are_rejected() {
        for precision in [Precision::Float16, Precision::Tf32] {
            assert_eq!(compute(precision).expect_err("refused").code(), "ERR_PRECISION");
        }
        let auto = compute(Precision::Auto).expect("a choice");
        assert_eq!(auto.kind == Kind::BFloat16, multiplies_bfloat16());
        assert_eq!(
            compute(Precision::Float32).expect("float32").precision_name(),
            "float32"
        );
    }
}
