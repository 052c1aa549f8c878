// Loss and optimiser from libtorch's own operators, for every device. Written with few operators, because on a GPU each
// one is a launch, and without reading a value of the device, because each read waits for the device.
#include <torch/csrc/autograd/custom_function.h>

#include <limits>
#include <map>

#include "group.h"
#include "shim.h"

namespace engine {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr double EPS = 1e-8;

// A factor beyond float32 is infinite, which training reports, not an error of conversion.
double factor32(double factor) { return double(float(factor)); }

at::Tensor times(const at::Tensor& tensor, const at::Tensor& factor) {
    return factor.defined() ? tensor.mul(factor) : tensor;
}

// (c) or (b, c) as (1 or b, c, 1, ...).
at::Tensor per_class(const at::Tensor& values, int64_t dimensions) {
    std::vector<int64_t> shape(dimensions, 1);
    shape[1] = values.size(-1);
    if (values.dim() == 2) shape[0] = values.size(0);
    return values.view(shape);
}

// Replaces values by their sums over the ranks, in one message.
void sum_over(const Group* group, const std::vector<at::Tensor*>& values) {
    if (!group) return;
    std::vector<at::Tensor> flat;
    for (const auto* value : values) {
        if (value->defined()) flat.push_back(value->reshape({-1}));
    }
    if (flat.empty()) return;
    const auto all = at::cat(flat);
    group->sum(all);
    int64_t start = 0;
    for (auto* value : values) {
        if (!value->defined()) continue;
        *value = all.narrow(0, start, value->numel()).view(value->sizes());
        start += value->numel();
    }
}

// The loss of one scale; formulas in loss.rs. With p the softmax, y the one-hot label, d the Dice weight of a voxel and
// n / q the Dice of a class, the derivative of -n / q with respect to p is d (n / q^2 - 2 y / q).
//
// Numbers are factors `alpha` and `value` of operators where possible: as operands they would need a tensor each.
struct ComposedLoss : torch::autograd::Function<ComposedLoss> {
    static at::Tensor forward(AutogradContext* context, const at::Tensor& logits, const LossTerms* terms) {
        const auto& options = *terms->options;
        const auto &mask = terms->mask, &zero = terms->zero;
        const auto* group = terms->part.group;
        const auto log_softmax = at::_log_softmax(logits, 1, false);
        const auto softmax = log_softmax.exp();
        auto onehot = at::empty_like(logits);
        at::eq_out(onehot, terms->label, per_class(terms->classes, logits.dim()));

        const auto observed = times(onehot, mask);
        const double images = group ? terms->part.images : double(logits.size(0));
        const double count = double(voxels(logits)) / double(logits.size(0)) * images;
        at::Tensor result, weight, sum, weight_sum, hits, sizes, ce_scale, linear, hit_factor;
        auto gate = terms->gate;
        if (options.cross_entropy != 0) {
            weight = terms->weight;
            if (terms->class_weight.defined()) {
                const auto own = onehot.mul(per_class(terms->class_weight, logits.dim())).sum(1, true);
                weight = weight.defined() ? weight.mul(own) : own;
            }
            const auto own = log_softmax.mul(weight.defined() && weight.is_same(mask) ? observed : times(onehot, weight));
            sum = own.sum();
            if (weight.defined()) weight_sum = weight.sum();
        }
        if (options.dice != 0) {
            std::vector<int64_t> axes;
            for (int64_t axis = options.batch_dice ? 0 : 2; axis < logits.dim(); ++axis) {
                if (axis != 1) axes.push_back(axis);
            }
            hits = softmax.mul(observed).sum(axes);
            sizes = times(softmax.add(onehot), mask).sum(axes);
        }
        if (options.batch_dice) {
            sum_over(group, {&sum, &weight_sum, &gate, &hits, &sizes});
        } else {
            sum_over(group, {&sum, &weight_sum, &gate});
        }
        if (group && gate.defined()) gate = gate.clamp_max(1);  // annotated in any rank

        if (options.cross_entropy != 0) {
            if (weight.defined()) {
                ce_scale = terms->cross_entropy.div(weight_sum.add_(terms->eps));
                result = at::addcmul(zero, sum, ce_scale, -1);
            } else {
                result = at::add(zero, sum, factor32(-options.cross_entropy / (count + EPS)));
            }
        }
        if (options.dice != 0) {
            const double groups = options.batch_dice ? 1 : images;
            const auto numerator = at::add(terms->smooth, hits, 2);
            const auto denominator = sizes.add_(terms->smooth_eps);
            const auto dice = numerator.div(denominator);
            auto share = terms->share;
            if (!options.log_dice) share = times(share, gate);
            auto mean = dice.mul(share).sum();
            if (!options.batch_dice) sum_over(group, {&mean});
            hit_factor = share.div(denominator);
            if (options.log_dice) {
                mean = mean.div(groups);
                hit_factor = times(hit_factor.div(mean), gate);
                mean = times(mean.log(), gate);
            }
            linear = hit_factor.mul(dice);
            const double factor = options.log_dice ? -options.dice : -options.dice / groups;
            result = at::add(result.defined() ? result : zero, mean, factor32(factor));
            context->saved_data["dice"] = options.dice / groups;
        }
        context->saved_data["count"] = count;
        context->save_for_backward({softmax, onehot, weight, mask, ce_scale, linear, hit_factor, zero});
        context->saved_data["cross_entropy"] = options.cross_entropy;
        context->saved_data["factor"] = terms->factor;
        return at::add(zero, result.defined() ? result : zero, terms->factor);
    }

    static variable_list backward(AutogradContext* context, variable_list gradients) {
        const auto saved = context->get_saved_variables();
        const auto &softmax = saved[0], &onehot = saved[1], &weight = saved[2], &mask = saved[3],
                   &ce_scale = saved[4], &linear = saved[5], &hit_factor = saved[6], &zero = saved[7];
        const auto& upstream = gradients[0];
        const double cross_entropy = context->saved_data["cross_entropy"].toDouble();
        const double factor = context->saved_data["factor"].toDouble();
        at::Tensor result;
        if (linear.defined()) {
            const auto dimensions = softmax.dim();
            auto slope = at::addcmul(per_class(linear, dimensions), onehot, per_class(hit_factor, dimensions), -2);
            result = slope.sub_(softmax.mul(slope).sum(1, true)).mul_(softmax);
            result.mul_(at::add(zero, upstream, factor32(factor * context->saved_data["dice"].toDouble())));
        }
        // The mask is the last factor where both terms have it.
        const bool same = linear.defined() && weight.defined() && weight.is_same(mask);
        if (linear.defined() && mask.defined() && !same) result.mul_(mask);
        if (cross_entropy != 0) {
            const auto difference = softmax.sub(onehot);
            auto scale = weight.defined() ? ce_scale.mul(at::add(zero, upstream, factor))
                                          : at::add(zero, upstream,
                                                    factor32(factor * cross_entropy / (context->saved_data["count"].toDouble() + EPS)));
            if (weight.defined() && !same) scale = weight.mul(scale);
            result = result.defined() ? result.addcmul_(difference, scale) : difference.mul(scale);
        }
        if (same) result.mul_(mask);
        return {result.defined() ? result : at::zeros_like(softmax), {}};
    }

    static int64_t voxels(const at::Tensor& logits) { return logits.numel() / logits.size(1); }
};

}  // namespace

at::Tensor composed_loss(const at::Tensor& logits, const LossTerms& terms) {
    return ComposedLoss::apply(logits, &terms);
}

at::Tensor device_sgd_step(const std::vector<at::Tensor>& parameters, const std::vector<at::Tensor>& gradients,
                           std::vector<at::Tensor>& momenta, const at::Tensor& all_gradients,
                           const DeviceSgdOptions& options, const at::Tensor& loss, at::Tensor& loss_scale,
                           at::Tensor& growth_tracker) {
    std::vector<at::Tensor> to, from, kept;
    for (size_t i = 0; i < parameters.size(); ++i) {
        if (!gradients[i].defined()) continue;
        // The momentum of the first step is the gradient, as it is with a momentum of 0 before.
        if (!momenta[i].defined()) momenta[i] = at::zeros_like(parameters[i]);
        auto gradient = gradients[i];
        if (gradient.strides() != parameters[i].strides()) {
            gradient = at::empty_like(parameters[i]).copy_(gradient);  // the fused operator takes one order
        }
        to.push_back(parameters[i]);
        from.push_back(gradient);
        kept.push_back(momenta[i]);
    }
    TORCH_CHECK(!to.empty(), "no parameter has a gradient");
    auto norm = at::linalg_vector_norm(all_gradients, 2);
    if (loss_scale.defined()) norm = norm.div(loss_scale);
    // 0 * loss is 0 or NaN: a loss that is not finite stops the step, too.
    const auto found_inf =
        at::add(norm, loss, 0).lt(std::numeric_limits<double>::infinity()).logical_not_().to(at::kFloat);
    // Divisor of the gradients: the loss scale, and max(1, norm / clip).
    auto divisor = norm.add(1e-6).mul_(1 / options.clip).clamp_min_(1);
    if (loss_scale.defined()) divisor.mul_(loss_scale);
    at::_fused_sgd_(to, from, kept, options.weight_decay, options.momentum, options.learning_rate, /*dampening=*/0,
                    /*nesterov=*/true, /*maximize=*/false, /*is_first_step=*/false, divisor, found_inf);
    if (loss_scale.defined()) {
        at::_amp_update_scale_(loss_scale, growth_tracker, found_inf, options.growth, options.backoff,
                               options.interval);
    }
    return norm;
}

void copy_all(const std::vector<at::Tensor>& to, const std::vector<at::Tensor>& from) {
    // A GPU copies a list in one launch if its tensors have one kind and, pair by pair, one order in memory.
    std::map<std::pair<at::ScalarType, at::ScalarType>, std::pair<std::vector<at::Tensor>, std::vector<at::Tensor>>>
        lists;
    for (size_t i = 0; i < to.size(); ++i) {
        if (!to[i].defined() || !from[i].defined()) continue;
        if (to[i].strides() != from[i].strides()) {
            to[i].copy_(from[i], /*non_blocking=*/true);
            continue;
        }
        auto& [targets, sources] = lists[{to[i].scalar_type(), from[i].scalar_type()}];
        targets.push_back(to[i]);
        sources.push_back(from[i]);
    }
    for (const auto& [kinds, list] : lists) at::_foreach_copy_(list.first, list.second, /*non_blocking=*/true);
}

}  // namespace engine
