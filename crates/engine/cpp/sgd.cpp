// Gradient clipping and stochastic gradient descent in one pass over memory, on the CPU. The update is that of
// torch.optim.SGD with nesterov=True and dampening 0 (Sutskever et al. 2013).
#include "shim.h"

namespace engine {
namespace {

constexpr int64_t BLOCK = 1 << 15;

// A block of one of several tensors.
struct Piece {
    size_t tensor;
    int64_t first, count;
};

std::vector<Piece> pieces(const std::vector<at::Tensor>& tensors) {
    std::vector<Piece> result;
    for (size_t t = 0; t < tensors.size(); ++t) {
        if (!tensors[t].defined()) continue;
        TORCH_CHECK(tensors[t].scalar_type() == at::kFloat && tensors[t].is_contiguous(),
                    "expected contiguous float32 tensors");
        for (int64_t first = 0; first < tensors[t].numel(); first += BLOCK) {
            result.push_back({t, first, std::min(BLOCK, tensors[t].numel() - first)});
        }
    }
    return result;
}

}  // namespace

double norm(const std::vector<at::Tensor>& tensors) {
    const auto blocks = pieces(tensors);
    std::vector<double> sums(blocks.size());
    parallel(int64_t(blocks.size()), [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) {
            const auto& block = blocks[i];
            sums[i] = kernels().sum_squares(tensors[block.tensor].const_data_ptr<float>() + block.first, block.count);
        }
    });
    double total = 0;
    for (double sum : sums) total += sum;
    return std::sqrt(total);
}

void sgd_step(const std::vector<at::Tensor>& parameters, const std::vector<at::Tensor>& gradients,
              std::vector<at::Tensor>& momenta, const SgdOptions& options) {
    std::vector<bool> first(parameters.size());
    for (size_t t = 0; t < parameters.size(); ++t) {
        if (!gradients[t].defined()) continue;
        first[t] = !momenta[t].defined();
        if (first[t]) momenta[t] = at::empty_like(gradients[t]);
        TORCH_CHECK(parameters[t].is_contiguous() && momenta[t].is_contiguous() &&
                        parameters[t].numel() == gradients[t].numel() && momenta[t].numel() == gradients[t].numel(),
                    "parameter ", t, ", its gradient and its momentum differ in shape");
    }
    const auto blocks = pieces(gradients);
    parallel(int64_t(blocks.size()), [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) {
            const auto& [t, start, count] = blocks[i];
            kernels().sgd(static_cast<float*>(parameters[t].data_ptr()) + start,
                          gradients[t].const_data_ptr<float>() + start,
                          static_cast<float*>(momenta[t].data_ptr()) + start, count, options, first[t]);
        }
    });
}

}  // namespace engine
