// Dice and cross-entropy of one scale with their gradient, in two passes over the logits. The formulas are those of
// nnU-Net v1's DC_and_CE_loss (Isensee et al. 2021) and of DIAG's variants of it, generalised to any combination of
// ignored label, voxel weights and class weights.
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <vector>

#include "group.h"
#include "kernels.h"
#include "shim.h"

namespace engine {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr int64_t BLOCK = 4096;
constexpr double EPS = 1e-8;

struct Sizes {
    int64_t images, classes, voxels, count;
    bool last;  // channels last in memory

    explicit Sizes(const at::Tensor& logits)
        : images(logits.size(0)), classes(logits.size(1)),
          voxels(logits.numel() / std::max<int64_t>(1, images * classes)), count((voxels + BLOCK - 1) / BLOCK),
          last(!logits.is_contiguous()) {}

    template <typename Body>
    void each(const LossOptions& options, const Body& body) const {
        parallel(images * count, [&](int64_t begin, int64_t end) {
            std::vector<float> scratch(loss_scratch(classes));
            for (int64_t i = begin; i < end; ++i) {
                const int64_t image = i / count, start = i % count * BLOCK;
                LossBlock block{std::min(BLOCK, voxels - start), classes, last ? 1 : voxels, last ? classes : 1,
                                options.has_ignore != 0, float(options.ignore), options.ignored_is_background != 0,
                                options.weight_dice != 0};
                const int64_t logit = image * classes * voxels + start * (last ? classes : 1);
                body(i, image, logit, image * voxels + start, block, scratch.data());
            }
        });
    }
};

const float* optional(const at::Tensor& tensor) {
    return tensor.defined() ? tensor.const_data_ptr<float>() : nullptr;
}

// Undefined tensors stay so; others become contiguous float32.
at::Tensor plain(const at::Tensor& tensor) {
    return tensor.defined() ? tensor.detach().to(at::kFloat).contiguous() : tensor;
}

// What the loss depends on beside the logits. By reference, as a differentiable function takes no undefined tensors.
struct Constants {
    const at::Tensor &labels, &weights, &class_weights, &dice_weights;
    const LossOptions& options;
    const Share& part;
};

// Replaces values by their sums over the ranks. A message that fails may still hold its tensor, so that it is a copy.
void sum_over(const Group& group, std::vector<double>& values) {
    const auto all = at::empty({int64_t(values.size())}, at::kDouble);
    double* copy = all.data_ptr<double>();
    std::copy(values.begin(), values.end(), copy);
    group.sum(all);
    std::copy(copy, copy + values.size(), values.begin());
}

struct DiceCrossEntropy : torch::autograd::Function<DiceCrossEntropy> {
    static at::Tensor forward(AutogradContext* context, const at::Tensor& input, const Constants* constants) {
        const LossOptions options = constants->options;
        auto logits = input.is_contiguous() ? input : channels_last(input);
        TORCH_CHECK(logits.scalar_type() == at::kFloat, "the loss takes float32 logits, found ",
                    logits.scalar_type());
        const auto target = plain(constants->labels), weight = plain(constants->weights),
                   class_weight = plain(constants->class_weights), dice_weight = plain(constants->dice_weights);
        const Sizes sizes(logits);
        const int64_t classes = sizes.classes;
        TORCH_CHECK(target.numel() == sizes.images * sizes.voxels, "the loss found a target of shape ",
                    target.sizes(), " for logits of shape ", logits.sizes());
        TORCH_CHECK(!weight.defined() || weight.numel() == target.numel(), "the loss found a weightmap of shape ",
                    weight.sizes(), " for a target of shape ", target.sizes());
        for (const auto& each : {class_weight, dice_weight}) {
            TORCH_CHECK(!each.defined() || each.numel() == classes, "the loss found ", each.numel(),
                        " class weights for ", classes, " classes (background included)");
        }

        auto probability = at::empty_like(logits);
        std::vector<LossSums> sums(sizes.images * sizes.count);
        std::vector<double> table(sums.size() * 3 * classes);
        sizes.each(options, [&](int64_t i, int64_t, int64_t logit, int64_t voxel, LossBlock block, float* scratch) {
            double* row = &table[i * 3 * classes];
            sums[i].hit = row;
            sums[i].predicted = row + classes;
            sums[i].observed = row + 2 * classes;
            kernels().loss_sums(logits.const_data_ptr<float>() + logit, target.const_data_ptr<float>() + voxel,
                                weight.defined() ? optional(weight) + voxel : nullptr, optional(class_weight), block,
                                probability.mutable_data_ptr<float>() + logit, sums[i], scratch);
        });

        double loss = 0, total_weight = 0, annotated = 0;
        int64_t invalid = 0;
        const int64_t groups = options.batch_dice ? 1 : sizes.images;
        std::vector<double> grouped(groups * 3 * classes);
        for (size_t i = 0; i < sums.size(); ++i) {
            loss += sums[i].loss;
            total_weight += sums[i].weight;
            annotated += sums[i].annotated;
            invalid += sums[i].invalid;
            double* row = &grouped[(options.batch_dice ? 0 : int64_t(i) / sizes.count) * 3 * classes];
            for (int64_t c = 0; c < 3 * classes; ++c) row[c] += table[i * 3 * classes + c];
        }
        if (const Group* group = constants->part.group) {
            std::vector<double> all{loss, total_weight, annotated, double(invalid)};
            if (options.batch_dice) all.insert(all.end(), grouped.begin(), grouped.end());
            sum_over(*group, all);
            loss = all[0], total_weight = all[1], annotated = all[2], invalid = int64_t(all[3]);
            if (options.batch_dice) std::copy(all.begin() + 4, all.end(), grouped.begin());
        }
        TORCH_CHECK(invalid == 0, "ERR_LABEL_RANGE: ", invalid, " voxels have a label outside 0..", classes - 1);

        // Without annotation there is nothing to learn from: no loss and no gradient, where the reference divides 0 by 0.
        const bool silent = annotated == 0 && !options.ignored_is_background;
        const double scale = silent ? 0 : options.cross_entropy / (total_weight + EPS);
        double result = scale * loss;
        std::vector<float> linear(groups * classes), hit(groups * classes);
        if (options.dice != 0 && !silent) {
            result += dice(options, grouped, groups, classes, optional(dice_weight), constants->part, linear, hit);
        }
        context->save_for_backward({target, weight, class_weight, probability});
        context->saved_data["scale"] = scale;
        context->saved_data["silent"] = silent;
        context->saved_data["linear"] = at::tensor(linear);
        context->saved_data["hit"] = at::tensor(hit);
        context->saved_data["options"] =
            at::tensor({double(options.has_ignore), options.ignore, double(options.ignored_is_background),
                        double(options.weight_dice)},
                       at::kDouble);
        // Beyond float32 the loss is infinite, which training reports, not an error of conversion.
        return at::scalar_tensor(static_cast<float>(result), at::kFloat);
    }

    // The weighted Dice loss, and its derivatives with respect to the softmax of a class: `linear` at every voxel plus
    // `hit` where the label is that class.
    static double dice(const LossOptions& options, const std::vector<double>& grouped, int64_t groups,
                       int64_t classes, const float* class_weight, const Share& part, std::vector<float>& linear,
                       std::vector<float>& hit) {
        const bool shared = part.group && !options.batch_dice;  // Dice of the images of all ranks
        double mean = 0, norm = 0;
        for (int64_t c = 1; c < classes; ++c) norm += class_weight ? double(class_weight[c]) : 1.0;
        norm *= shared ? part.images : double(groups);
        if (norm <= 0) return 0;
        const auto share = [&](int64_t c) { return (class_weight ? double(class_weight[c]) : 1.0) / norm; };
        for (int64_t g = 0; g < groups; ++g) {
            const double* row = &grouped[g * 3 * classes];
            for (int64_t c = 1; c < classes; ++c) {
                const double denominator = row[classes + c] + row[2 * classes + c] + options.smooth + EPS;
                mean += share(c) * (2 * row[c] + options.smooth) / denominator;
            }
        }
        if (shared) {
            std::vector<double> all{mean};
            sum_over(*part.group, all);
            mean = all[0];
        }
        const double outer = options.log_dice ? options.dice / mean : options.dice;
        for (int64_t g = 0; g < groups; ++g) {
            const double* row = &grouped[g * 3 * classes];
            for (int64_t c = 1; c < classes; ++c) {
                const double denominator = row[classes + c] + row[2 * classes + c] + options.smooth + EPS;
                const double numerator = 2 * row[c] + options.smooth;
                linear[g * classes + c] = float(outer * share(c) * numerator / (denominator * denominator));
                hit[g * classes + c] = float(-outer * share(c) * 2 / denominator);
            }
        }
        return options.log_dice ? -options.dice * std::log(mean) : -options.dice * mean;
    }

    static variable_list backward(AutogradContext* context, variable_list gradients) {
        const auto saved = context->get_saved_variables();
        const auto &target = saved[0], &weight = saved[1], &class_weight = saved[2];
        // A copy: the softmax may be needed again where the graph is kept.
        auto gradient = saved[3].clone();
        if (context->saved_data["silent"].toBool()) return {gradient.zero_(), {}};
        const double upstream = gradients[0].item<double>();
        const double scale = context->saved_data["scale"].toDouble() * upstream;
        const auto linear = context->saved_data["linear"].toTensor() * upstream;
        const auto hit = context->saved_data["hit"].toTensor() * upstream;
        const auto kept = context->saved_data["options"].toTensor();
        LossOptions options{};
        options.has_ignore = kept[0].item<double>() != 0;
        options.ignore = kept[1].item<double>();
        options.ignored_is_background = kept[2].item<double>() != 0;
        options.weight_dice = kept[3].item<double>() != 0;
        const Sizes sizes(gradient);
        const bool per_image = linear.numel() > sizes.classes;
        sizes.each(options, [&](int64_t, int64_t image, int64_t logit, int64_t voxel, LossBlock block,
                                float* scratch) {
            const int64_t row = per_image ? image * sizes.classes : 0;
            kernels().loss_gradient(target.const_data_ptr<float>() + voxel,
                                    weight.defined() ? optional(weight) + voxel : nullptr, optional(class_weight),
                                    block, float(scale), linear.const_data_ptr<float>() + row,
                                    hit.const_data_ptr<float>() + row,
                                    gradient.mutable_data_ptr<float>() + logit, scratch);
        });
        return {gradient, {}};
    }
};

}  // namespace

at::Tensor dice_cross_entropy(const at::Tensor& logits, const at::Tensor& target, const at::Tensor& weight,
                              const at::Tensor& class_weight, const at::Tensor& dice_weight,
                              const LossOptions& options, const Share& part) {
    const Constants constants{target, weight, class_weight, dice_weight, options, part};
    return DiceCrossEntropy::apply(logits, &constants);
}

}  // namespace engine
