// Elementwise kernels that training on a CPU spends its time in beside the convolutions, compiled once for each
// instruction set and chosen at run time. All give the same bits on every instruction set and number of threads:
// sums run over fixed lanes and blocks, in a fixed order.
#pragma once

#include <cstdint>

namespace engine {

constexpr int64_t LOSS_VOXELS = 64;  // voxels that the loss handles at once
constexpr int64_t LOSS_LANES = 16;   // partial sums of the loss

// Elements of scratch memory that the loss kernels need.
constexpr int64_t loss_scratch(int64_t classes) { return classes * (LOSS_VOXELS + 3 * LOSS_LANES); }

// Element type of an activation.
enum class Element : int32_t { Float32 = 0, BFloat16 = 1 };

// Voxels of one image, channels last and contiguous: `rows` voxels of `channels` values each.
struct Rows {
    int64_t rows;
    int64_t channels;
};

// Voxels of one image's logits.
struct LossBlock {
    int64_t voxels;   // voxels in this block
    int64_t classes;  // channels of the logits, background first
    int64_t stride;   // elements between two classes of one voxel (1 where channels are last)
    int64_t step;     // elements between two voxels of one class
    bool has_ignore;  // whether `ignore` counts
    float ignore;     // label of voxels without loss
    bool ignored_is_background;  // in the cross-entropy only: the rule of DIAG's class-weighted loss
    bool weight_dice;  // Dice counts each voxel by its weight
};

// Sums of the loss over voxels. With m = 0 at ignored voxels, else 1, d = m or m times the voxel weight, and p the
// softmax:
struct LossSums {
    double loss;       // sum of w * cross-entropy
    double weight;     // sum of w, the voxel weight times the class weight times m
    double annotated;  // sum of m
    int64_t invalid;   // voxels whose label is neither a class nor ignored
    double* hit;       // per class, sum of d * p where the label is this class
    double* predicted; // per class, sum of d * p
    double* observed;  // per class, sum of d where the label is this class
};

struct SgdOptions {
    double learning_rate;
    double momentum;
    double weight_decay;
    double scale;  // factor of the gradients: clipping
};

// What device_sgd_step needs beside it; mirrored in Rust.
struct DeviceSgdOptions {
    double learning_rate;
    double momentum;
    double weight_decay;
    double clip;      // greatest norm of the gradients
    double growth;    // of the loss scale, as torch's GradScaler
    double backoff;
    int64_t interval;
};

struct Kernels {
    // sum[c] += x - origin[c] and squares[c] += (x - origin[c])^2.
    void (*norm_sums)(Element, const void* x, Rows, const float* origin, double* sum, double* squares);
    // y = leaky(x * scale[c] + shift[c]).
    void (*norm_apply)(Element, const void* x, void* y, Rows, const float* scale, const float* shift, float slope);
    // With z = x * scale + shift and dz = dy * leaky'(z): sum[c] += dz and products[c] += dz * (x - mean[c]).
    void (*norm_backward_sums)(Element, const void* x, const void* dy, Rows, const float* scale, const float* shift,
                               const float* mean, float slope, double* sum, double* products);
    // dx = a[c] * dz + b[c] * (x - mean[c]) + d[c].
    void (*norm_backward_apply)(Element, const void* x, const void* dy, void* dx, Rows, const float* scale,
                                const float* shift, const float* mean, float slope, const float* a, const float* b,
                                const float* d);
    // Writes the softmax of `logits` to `probability` in the same layout and adds to the sums. `weight` (per voxel) and
    // `class_weight` may be null.
    void (*loss_sums)(const float* logits, const float* target, const float* weight, const float* class_weight,
                      LossBlock, float* probability, LossSums&, float* scratch);
    // Replaces the softmax by the gradient with respect to the logits: ce_scale * w * (p - onehot), plus the Dice part,
    // whose derivative with respect to p[c] is d * (linear[c] + hit[c] * onehot), taken through the softmax.
    void (*loss_gradient)(const float* target, const float* weight, const float* class_weight, LossBlock,
                          float ce_scale, const float* linear, const float* hit, float* probability,
                          float* scratch);
    // Sum of squares of `count` values.
    double (*sum_squares)(const float* values, int64_t count);
    // One step of stochastic gradient descent; see sgd.cpp.
    void (*sgd)(float* parameter, const float* gradient, float* momentum, int64_t count, const SgdOptions&, bool first);
};

// Kernels for the instruction set of this machine.
const Kernels& kernels();

}  // namespace engine
