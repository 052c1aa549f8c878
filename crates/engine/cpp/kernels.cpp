// See kernels.h. Compiled once for each instruction set, with KERNELS as the name of the variant.
#include "kernels.h"

#include <cmath>
#include <cstring>

// Nothing here may instantiate a template of the standard library: the linker keeps one copy of each, and it could be the
// one compiled for an instruction set that the machine lacks.
namespace engine {
namespace {

constexpr int64_t LANES = 32;  // two registers of 16 float32: whole cache lines of either element type
constexpr int64_t VOXELS = LOSS_VOXELS;

// A number known to the compiler.
template <int64_t N>
struct Constant {
    constexpr operator int64_t() const { return N; }
};

inline int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

struct BFloat16 {
    uint16_t bits;
};

inline float load(float value) { return value; }

inline float load(BFloat16 value) {
    uint32_t bits = uint32_t(value.bits) << 16;
    float result;
    std::memcpy(&result, &bits, sizeof result);
    return result;
}

inline void store(float& target, float value) { target = value; }

// Rounds to nearest even; a NaN stays a NaN.
inline void store(BFloat16& target, float value) {
    uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    uint32_t rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
    target.bits = uint16_t(value == value ? rounded : 0x7fc0);
}

inline float leaky(float value, float slope) { return value > 0 ? value : value * slope; }

// Calls body(first, width) for whole groups of LANES channels, where the width is a constant to the compiler, and once
// for what is left.
template <typename Body>
inline void over_channels(int64_t channels, Body&& body) {
    int64_t first = 0;
    for (; first + LANES <= channels; first += LANES) body(first, Constant<LANES>{});
    if (first < channels) body(first, channels - first);
}

template <typename T>
void sums(const T* x, Rows size, const float* origin, double* sum, double* squares) {
    over_channels(size.channels, [&](int64_t first, auto width) {
        float total[LANES] = {}, square[LANES] = {};
        const T* row = x + first;
        const float* from = origin + first;
        for (int64_t r = 0; r < size.rows; ++r, row += size.channels) {
            for (int64_t c = 0; c < width; ++c) {
                float value = load(row[c]) - from[c];
                total[c] += value;
                square[c] += value * value;
            }
        }
        for (int64_t c = 0; c < width; ++c) {
            sum[first + c] += total[c];
            squares[first + c] += square[c];
        }
    });
}

template <typename T>
void apply(const T* x, T* y, Rows size, const float* scale, const float* shift, float slope) {
    over_channels(size.channels, [&](int64_t first, auto width) {
        const T* in = x + first;
        T* out = y + first;
        for (int64_t r = 0; r < size.rows; ++r, in += size.channels, out += size.channels) {
            for (int64_t c = 0; c < width; ++c) {
                store(out[c], leaky(load(in[c]) * scale[first + c] + shift[first + c], slope));
            }
        }
    });
}

template <typename T>
void backward_sums(const T* x, const T* dy, Rows size, const float* scale, const float* shift, const float* mean,
                   float slope, double* sum, double* products) {
    over_channels(size.channels, [&](int64_t first, auto width) {
        float total[LANES] = {}, product[LANES] = {};
        const T *in = x + first, *gradient = dy + first;
        const float *a = scale + first, *b = shift + first, *center = mean + first;
        for (int64_t r = 0; r < size.rows; ++r, in += size.channels, gradient += size.channels) {
            for (int64_t c = 0; c < width; ++c) {
                float value = load(in[c]), g = load(gradient[c]);
                float dz = value * a[c] + b[c] > 0 ? g : g * slope;
                total[c] += dz;
                product[c] += dz * (value - center[c]);
            }
        }
        for (int64_t c = 0; c < width; ++c) {
            sum[first + c] += total[c];
            products[first + c] += product[c];
        }
    });
}

template <typename T>
void backward_apply(const T* x, const T* dy, T* dx, Rows size, const float* scale, const float* shift,
                    const float* mean, float slope, const float* a, const float* b, const float* d) {
    over_channels(size.channels, [&](int64_t first, auto width) {
        for (int64_t r = 0; r < size.rows; ++r) {
            const T *in = x + r * size.channels + first, *gradient = dy + r * size.channels + first;
            T* out = dx + r * size.channels + first;
            for (int64_t c = 0; c < width; ++c) {
                int64_t i = first + c;
                float value = load(in[c]), g = load(gradient[c]);
                float dz = value * scale[i] + shift[i] > 0 ? g : g * slope;
                store(out[c], a[i] * dz + b[i] * (value - mean[i]) + d[i]);
            }
        }
    });
}

// exp of a value that is not positive, to about one unit in the last place: 2^n * e^r with |r| <= ln(2) / 2.
inline float exponential(float x) {
    x = x < -87.0f ? -87.0f : x;
    float shifted = x * 1.44269504f + 12582912.0f;  // rounds to an integer in the low mantissa bits
    float n = shifted - 12582912.0f;
    float r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.0f;
    int32_t bits;
    std::memcpy(&bits, &p, sizeof bits);
    bits += int32_t(n) << 23;
    std::memcpy(&p, &bits, sizeof p);
    return p;
}

// Labels, weights and mask of up to VOXELS voxels. Voxels beyond `count` are masked out.
struct Group {
    float label[VOXELS];
    float mask[VOXELS];
    float dice[VOXELS];
    float weight[VOXELS];

    // Returns the number of voxels whose label is no class.
    int64_t read(const float* target, const float* voxel_weight, const float* class_weight, const LossBlock& block,
                 int64_t first, int64_t count) {
        int64_t invalid = 0;
        for (int64_t v = 0; v < VOXELS; ++v) {
            bool inside = v < count;
            float value = inside ? target[first + v] : 0.0f;
            bool ignored = block.has_ignore && value == block.ignore;
            bool valid = value >= 0 && value < float(block.classes);
            invalid += inside && !ignored && !valid;
            label[v] = ignored || !valid ? 0.0f : float(int32_t(value));
            mask[v] = inside && !ignored && valid ? 1.0f : 0.0f;
            float w = inside && valid && !ignored ? 1.0f : 0.0f;
            if (inside && ignored && block.ignored_is_background) w = 1.0f;
            if (voxel_weight && inside) w *= voxel_weight[first + v];
            dice[v] = block.weight_dice ? mask[v] * w : mask[v];
            if (class_weight) w *= class_weight[int32_t(label[v])];
            weight[v] = w;
        }
        return invalid;
    }
};

void loss_sums(const float* logits, const float* target, const float* voxel_weight, const float* class_weight,
               LossBlock block, float* probability, LossSums& sums, float* scratch) {
    constexpr int64_t HALF = LOSS_LANES;
    const int64_t classes = block.classes;
    float *buffer = scratch, *lanes = scratch + classes * VOXELS;
    for (int64_t i = 0; i < classes * 3 * HALF; ++i) lanes[i] = 0.0f;
    Group group;
    for (int64_t first = 0; first < block.voxels; first += VOXELS) {
        const int64_t count = smaller(VOXELS, block.voxels - first);
        sums.invalid += group.read(target, voxel_weight, class_weight, block, first, count);
        float highest[VOXELS], total[VOXELS] = {}, own[VOXELS] = {};
        for (int64_t v = 0; v < VOXELS; ++v) highest[v] = -INFINITY;
        for (int64_t c = 0; c < classes; ++c) {
            const float* in = logits + first * block.step + c * block.stride;
            float* z = buffer + c * VOXELS;
            for (int64_t v = 0; v < count; ++v) z[v] = in[v * block.step];
            for (int64_t v = count; v < VOXELS; ++v) z[v] = 0.0f;
            for (int64_t v = 0; v < VOXELS; ++v) highest[v] = z[v] > highest[v] ? z[v] : highest[v];
        }
        for (int64_t c = 0; c < classes; ++c) {
            float* z = buffer + c * VOXELS;
            for (int64_t v = 0; v < VOXELS; ++v) {
                float difference = z[v] - highest[v];
                own[v] = group.label[v] == float(c) ? difference : own[v];
                // A NaN logit must reach the loss: the clamp inside the exponential would hide it.
                z[v] = difference == difference ? exponential(difference) : difference;
                total[v] += z[v];
            }
        }
        for (int64_t v = 0; v < count; ++v) {
            sums.loss += double(group.weight[v]) * (std::log(double(total[v])) - double(own[v]));
            sums.weight += group.weight[v];
            sums.annotated += group.mask[v];
        }
        for (int64_t v = 0; v < VOXELS; ++v) total[v] = 1.0f / total[v];
        for (int64_t c = 0; c < classes; ++c) {
            float* p = buffer + c * VOXELS;
            float *hit = lanes + c * 3 * HALF, *predicted = hit + HALF, *observed = predicted + HALF;
            for (int64_t v = 0; v < VOXELS; ++v) p[v] *= total[v];
            for (int64_t v = 0; v < VOXELS; v += HALF) {
                for (int64_t l = 0; l < HALF; ++l) {
                    float masked = group.dice[v + l] * p[v + l];
                    float same = group.label[v + l] == float(c) ? group.dice[v + l] : 0.0f;
                    hit[l] += same * p[v + l];
                    predicted[l] += masked;
                    observed[l] += same;
                }
            }
            float* out = probability + first * block.step + c * block.stride;
            for (int64_t v = 0; v < count; ++v) out[v * block.step] = p[v];
        }
    }
    for (int64_t c = 0; c < classes; ++c) {
        const float* lane = lanes + c * 3 * HALF;
        for (int64_t l = 0; l < HALF; ++l) {
            sums.hit[c] += lane[l];
            sums.predicted[c] += lane[HALF + l];
            sums.observed[c] += lane[2 * HALF + l];
        }
    }
}

void loss_gradient(const float* target, const float* voxel_weight, const float* class_weight, LossBlock block,
                   float ce_scale, const float* linear, const float* hit, float* probability, float* buffer) {
    const int64_t classes = block.classes;
    Group group;
    for (int64_t first = 0; first < block.voxels; first += VOXELS) {
        const int64_t count = smaller(VOXELS, block.voxels - first);
        group.read(target, voxel_weight, class_weight, block, first, count);
        float inner[VOXELS] = {};
        for (int64_t c = 0; c < classes; ++c) {
            const float* in = probability + first * block.step + c * block.stride;
            float* p = buffer + c * VOXELS;
            for (int64_t v = 0; v < count; ++v) p[v] = in[v * block.step];
            for (int64_t v = count; v < VOXELS; ++v) p[v] = 0.0f;
            for (int64_t v = 0; v < VOXELS; ++v) {
                inner[v] += p[v] * (linear[c] + (group.label[v] == float(c) ? hit[c] : 0.0f));
            }
        }
        for (int64_t c = 0; c < classes; ++c) {
            float* p = buffer + c * VOXELS;
            for (int64_t v = 0; v < VOXELS; ++v) {
                bool same = group.label[v] == float(c);
                float dice = p[v] * (linear[c] + (same ? hit[c] : 0.0f) - inner[v]);
                float cross = group.weight[v] * (p[v] - (same ? 1.0f : 0.0f));
                p[v] = ce_scale * cross + group.dice[v] * dice;
            }
            float* out = probability + first * block.step + c * block.stride;
            for (int64_t v = 0; v < count; ++v) out[v * block.step] = p[v];
        }
    }
}

double sum_squares(const float* values, int64_t count) {
    constexpr int64_t RUN = 8 * LANES;  // short enough for float32 partial sums
    double total = 0;
    for (int64_t first = 0; first < count; first += RUN) {
        float lanes[LANES] = {};
        const int64_t last = smaller(count, first + RUN), whole = first + (last - first) / LANES * LANES;
        for (int64_t i = first; i < whole; i += LANES) {
            for (int64_t l = 0; l < LANES; ++l) lanes[l] += values[i + l] * values[i + l];
        }
        for (int64_t i = whole; i < last; ++i) lanes[i - whole] += values[i] * values[i];
        for (int64_t l = 0; l < LANES; ++l) total += lanes[l];
    }
    return total;
}

void sgd(float* parameter, const float* gradient, float* momentum, int64_t count, const SgdOptions& options,
         bool first) {
    const float rate = float(options.learning_rate), decay = float(options.weight_decay);
    const float keep = first ? 0.0f : float(options.momentum), next = float(options.momentum);
    const float scale = float(options.scale);
    for (int64_t i = 0; i < count; ++i) {
        float g = gradient[i] * scale + decay * parameter[i];
        float m = (first ? 0.0f : keep * momentum[i]) + g;
        momentum[i] = m;
        parameter[i] -= rate * (g + next * m);
    }
}

// One entry for both element types.
template <typename Run>
void with_element(Element element, Run&& run) {
    if (element == Element::BFloat16) {
        run(static_cast<BFloat16*>(nullptr));
    } else {
        run(static_cast<float*>(nullptr));
    }
}

}  // namespace

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)

extern const Kernels JOIN(kernels_, KERNELS);
const Kernels JOIN(kernels_, KERNELS) = {
    [](Element element, const void* x, Rows size, const float* origin, double* sum, double* squares) {
        with_element(element, [&](auto* type) {
            sums(static_cast<decltype(type)>(const_cast<void*>(x)), size, origin, sum, squares);
        });
    },
    [](Element element, const void* x, void* y, Rows size, const float* scale, const float* shift, float slope) {
        with_element(element, [&](auto* type) {
            using T = decltype(type);
            apply(static_cast<T>(const_cast<void*>(x)), static_cast<T>(y), size, scale, shift, slope);
        });
    },
    [](Element element, const void* x, const void* dy, Rows size, const float* scale, const float* shift,
       const float* mean, float slope, double* sum, double* products) {
        with_element(element, [&](auto* type) {
            using T = decltype(type);
            backward_sums(static_cast<T>(const_cast<void*>(x)), static_cast<T>(const_cast<void*>(dy)), size, scale,
                          shift, mean, slope, sum, products);
        });
    },
    [](Element element, const void* x, const void* dy, void* dx, Rows size, const float* scale, const float* shift,
       const float* mean, float slope, const float* a, const float* b, const float* d) {
        with_element(element, [&](auto* type) {
            using T = decltype(type);
            backward_apply(static_cast<T>(const_cast<void*>(x)), static_cast<T>(const_cast<void*>(dy)),
                           static_cast<T>(dx), size, scale, shift, mean, slope, a, b, d);
        });
    },
    loss_sums,
    loss_gradient,
    sum_squares,
    sgd,
};

}  // namespace engine
