// What the parts of the shim share.
#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <vector>

#include "kernels.h"

namespace engine {

class Group;

// Part of a batch that several ranks share. The loss is that of the whole batch, in every rank; its gradient with respect
// to the logits of this rank is the whole one.
struct Share {
    const Group* group;  // null in a training of one process
    double images;       // of the whole batch
};

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
    int32_t weight_dice;    // Dice counts each voxel by its weight
};

// Dice and cross-entropy loss of one scale, differentiable in `logits` (b, c, [z,] y, x) float32 on the CPU.
// `target` (b, 1, [z,] y, x) holds labels; `weight` of the same shape, and the class weights (c) of cross-entropy and Dice,
// may be undefined.
at::Tensor dice_cross_entropy(const at::Tensor& logits, const at::Tensor& target, const at::Tensor& weight,
                              const at::Tensor& class_weight, const at::Tensor& dice_weight,
                              const LossOptions& options, const Share& part);

// What the composed loss of one scale depends on beside the logits. Undefined weights are 1 everywhere.
struct LossTerms {
    const at::Tensor& label;         // (b, 1, [z,] y, x), a class at every voxel
    const at::Tensor& classes;       // (c) float32: 0, 1, ...
    const at::Tensor& weight;        // of a voxel in the cross-entropy
    const at::Tensor& mask;          // weight of a voxel in Dice
    const at::Tensor& class_weight;  // (c), in the cross-entropy
    const at::Tensor& share;         // (c), of a class in the mean Dice; sums to 1
    const at::Tensor& gate;          // scalar, factor of the Dice term
    const at::Tensor &zero, &eps;    // scalars: 0, and what is added to denominators
    const at::Tensor &smooth, &smooth_eps, &cross_entropy;  // those of the options, as scalars
    const LossOptions* options;
    double factor;  // of the whole loss
    Share part;
};

// The same loss from libtorch's operators, on any device, without a check of the labels.
at::Tensor composed_loss(const at::Tensor& logits, const LossTerms& terms);

// Square root of the sum of squares of all defined tensors, float32 on the CPU.
double norm(const std::vector<at::Tensor>& tensors);

// One step of SGD with Nesterov's momentum on parameters that have a gradient; a momentum that is undefined starts.
void sgd_step(const std::vector<at::Tensor>& parameters, const std::vector<at::Tensor>& gradients,
              std::vector<at::Tensor>& momenta, const SgdOptions& options);

// The same step on any device, with clipping. Nothing but the loss scale changes where loss or gradients are not finite.
// Gradients are of the loss times `loss_scale`, a scalar that is updated with `growth_tracker` (int32); both may be
// undefined. `all_gradients` has the values of all gradients, and zeros. Returns their norm before clipping, a scalar on
// the device. No value is read.
at::Tensor device_sgd_step(const std::vector<at::Tensor>& parameters, const std::vector<at::Tensor>& gradients,
                           std::vector<at::Tensor>& momenta, const at::Tensor& all_gradients,
                           const DeviceSgdOptions& options, const at::Tensor& loss, at::Tensor& loss_scale,
                           at::Tensor& growth_tracker);

// Copies each tensor of `from` that is defined to the one of `to`, whose kind may differ, in few operators.
void copy_all(const std::vector<at::Tensor>& to, const std::vector<at::Tensor>& from);

}  // namespace engine
