// Memory that libtorch has taken on a device.
#include <c10/core/CachingDeviceAllocator.h>

// The largest number of bytes reserved since the start; -1 if the allocator of the device keeps no account.
extern "C" int64_t engine_reserved_memory(int32_t type, int32_t index) {
    try {
        auto* allocator = c10::getDeviceAllocator(static_cast<c10::DeviceType>(type));
        const auto stats = allocator->getDeviceStats(static_cast<c10::DeviceIndex>(index));
        return stats.reserved_bytes[static_cast<size_t>(c10::CachingAllocator::StatType::AGGREGATE)].peak;
    } catch (...) {
        return -1;
    }
}
