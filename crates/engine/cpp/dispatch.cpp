// Chooses the kernels for this machine.
#include "kernels.h"

namespace engine {

extern const Kernels kernels_baseline;

#ifdef KERNELS_X86
extern const Kernels kernels_avx2;
extern const Kernels kernels_avx512;

const Kernels& kernels() {
    static const Kernels& chosen = []() -> const Kernels& {
        __builtin_cpu_init();
        if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
            __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq")) {
            return kernels_avx512;
        }
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("f16c") ? kernels_avx2 : kernels_baseline;
    }();
    return chosen;
}
#else
const Kernels& kernels() { return kernels_baseline; }
#endif

}  // namespace engine
