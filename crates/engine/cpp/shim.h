// What the parts of the shim share.
#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <vector>

#include "kernels.h"

namespace engine {

// Runs body(first, last) over ranges that make up 0..count, on libtorch's own threads.
void parallel(int64_t count, const std::function<void(int64_t, int64_t)>& body);

// `tensor` with its channels last in memory, copied only where it is not so already.
at::Tensor channels_last(const at::Tensor& tensor);

// Instance normalisation followed by a leaky rectifier, differentiable. `x` is (b, c, [z,] y, x) float32 or bfloat16 on
// the CPU and may be overwritten where gradients are off; `weight` and `bias` are (c) float32.
at::Tensor norm_leaky(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, double eps, double slope);

// How the loss of one scale is put together; mirrored in Rust.
struct LossOptions {
    double cross_entropy;   // weight of the cross-entropy
    double dice;            // weight of the Dice term
    double smooth;          // added to numerator and denominator of Dice
    double ignore;          // label without loss, where has_ignore
    int32_t has_ignore;
    int32_t batch_dice;     // Dice over the whole batch instead of over each image
    int32_t log_dice;       // -log(Dice) instead of -Dice
    int32_t ignored_is_background;  // in the cross-entropy: the rule of DIAG's class-weighted loss
};

// Dice and cross-entropy loss of one scale, differentiable in `logits` (b, c, [z,] y, x) float32 on the CPU.
// `target` (b, 1, [z,] y, x) holds labels; `weight` of the same shape, and the class weights (c) of cross-entropy and Dice,
// may be undefined.
at::Tensor dice_cross_entropy(const at::Tensor& logits, const at::Tensor& target, const at::Tensor& weight,
                              const at::Tensor& class_weight, const at::Tensor& dice_weight,
                              const LossOptions& options);

// Square root of the sum of squares of all defined tensors, float32 on the CPU.
double norm(const std::vector<at::Tensor>& tensors);

// One step of SGD with Nesterov's momentum on parameters that have a gradient; a momentum that is undefined starts.
void sgd_step(const std::vector<at::Tensor>& parameters, const std::vector<at::Tensor>& gradients,
              std::vector<at::Tensor>& momenta, const SgdOptions& options);

}  // namespace engine
