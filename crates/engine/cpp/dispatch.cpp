// Chooses the kernels for this machine.
#include "kernels.h"

namespace engine {

extern const Kernels kernels_baseline;

#ifdef KERNELS_X86
extern const Kernels kernels_avx2;
extern const Kernels kernels_avx512;

// Rust detects the instruction set. `__builtin_cpu_supports` would link zig's runtime library into the addon, whose
// memcpy and exp are slower than those of the system.
extern "C" int engine_instruction_set();

const Kernels& kernels() {
    static const Kernels& chosen = []() -> const Kernels& {
        switch (engine_instruction_set()) {
            case 2: return kernels_avx512;
            case 1: return kernels_avx2;
            default: return kernels_baseline;
        }
    }();
    return chosen;
}
#else
const Kernels& kernels() { return kernels_baseline; }
#endif

}  // namespace engine
