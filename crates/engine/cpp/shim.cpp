// C entry points for Rust. Each returns null, or the message of what went wrong, to be freed with engine_free.
#include "shim.h"

#include <cstdlib>
#include <cstring>

namespace {

template <typename Body>
char* guarded(Body&& body) {
    try {
        body();
        return nullptr;
    } catch (const c10::Error& error) {
        return strdup(error.what_without_backtrace());
    } catch (const std::exception& error) {
        return strdup(error.what());
    } catch (...) {
        return strdup("unknown C++ exception");
    }
}

at::Tensor optional(const at::Tensor* tensor) { return tensor ? *tensor : at::Tensor(); }

std::vector<at::Tensor> collect(const at::Tensor* const* tensors, size_t count) {
    std::vector<at::Tensor> result;
    for (size_t i = 0; i < count; ++i) {
        const auto tensor = optional(tensors[i]);
        // Gradients of channels-last convolutions may come in that order.
        result.push_back(tensor.defined() ? tensor.detach().contiguous() : tensor);
    }
    return result;
}

}  // namespace

extern "C" {

void engine_free(char* message) { std::free(message); }

char* engine_norm_leaky(const at::Tensor* x, const at::Tensor* weight, const at::Tensor* bias, double eps,
                        double slope, at::Tensor** result) {
    return guarded([&] { *result = new at::Tensor(engine::norm_leaky(*x, *weight, *bias, eps, slope)); });
}

char* engine_channels_last(const at::Tensor* x, at::Tensor** result) {
    return guarded([&] { *result = new at::Tensor(engine::channels_last(*x)); });
}

char* engine_dice_cross_entropy(const at::Tensor* logits, const at::Tensor* target, const at::Tensor* weight,
                                const at::Tensor* class_weight, const at::Tensor* dice_weight,
                                const engine::LossOptions* options, at::Tensor** result) {
    return guarded([&] {
        *result = new at::Tensor(engine::dice_cross_entropy(*logits, *target, optional(weight),
                                                            optional(class_weight), optional(dice_weight), *options));
    });
}

char* engine_norm(const at::Tensor* const* tensors, size_t count, double* result) {
    return guarded([&] { *result = engine::norm(collect(tensors, count)); });
}

// Momenta that were null and now exist are stored, owned by the caller.
char* engine_sgd_step(const at::Tensor* const* parameters, const at::Tensor* const* gradients, at::Tensor** momenta,
                      size_t count, const engine::SgdOptions* options) {
    return guarded([&] {
        auto before = collect(momenta, count);
        engine::sgd_step(collect(parameters, count), collect(gradients, count), before, *options);
        for (size_t i = 0; i < count; ++i) {
            if (!momenta[i] && before[i].defined()) momenta[i] = new at::Tensor(before[i]);
        }
    });
}

}  // extern "C"
