//! Memory of a device.

use tch::Device;

unsafe extern "C" {
    fn engine_reserved_memory(kind: i32, index: i32) -> i64;
}

/// `c10::DeviceType::CUDA`.
const CUDA: i32 = 1;

/// The largest memory in bytes that libtorch has taken on a CUDA device since the start of the process, with
/// what it keeps for later tensors (`torch.cuda.max_memory_reserved`). `None` for other devices.
#[must_use]
pub fn device_memory(device: Device) -> Option<u64> {
    let Device::Cuda(index) = device else { return None };
    // SAFETY: the function takes two numbers and throws nothing.
    let bytes = unsafe { engine_reserved_memory(CUDA, i32::try_from(index).ok()?) };
    u64::try_from(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cpu_and_a_missing_device_have_no_memory_to_report() {
        assert_eq!(device_memory(Device::Cpu), None);
        assert_eq!(device_memory(Device::Cuda(100)), None);
    }
}
