// C entry points for Rust. Each returns null, or the message of what went wrong, to be freed with engine_free.
#include "shim.h"

#include "device.h"
#include "guarded.h"
#include "record.h"

#include <c10/core/GradMode.h>

#include <cstdlib>

using engine::guarded;

namespace {

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

std::vector<at::Tensor> references(const at::Tensor* const* tensors, size_t count) {
    std::vector<at::Tensor> result;
    for (size_t i = 0; i < count; ++i) result.push_back(optional(tensors[i]));
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
                                const engine::LossOptions* options, const engine::Group* group, double images,
                                at::Tensor** result) {
    return guarded([&] {
        *result = new at::Tensor(engine::dice_cross_entropy(*logits, *target, optional(weight),
                                                            optional(class_weight), optional(dice_weight), *options,
                                                            {group, images}));
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

// Null tensors are undefined; the rest as in LossTerms.
char* engine_composed_loss(const at::Tensor* logits, const at::Tensor* const* terms, const engine::LossOptions* options,
                           double factor, const engine::Group* group, double images, at::Tensor** result) {
    return guarded([&] {
        const auto t = references(terms, 12);
        *result = new at::Tensor(engine::composed_loss(
            *logits, {t[0], t[1], t[2], t[3], t[4], t[5], t[6], t[7], t[8], t[9], t[10], t[11], options, factor,
                      {group, images}}));
    });
}

// Momenta as in engine_sgd_step. Loss scale and growth tracker may be null.
char* engine_device_sgd_step(const at::Tensor* const* parameters, const at::Tensor* const* gradients,
                             at::Tensor** momenta, size_t count, const at::Tensor* all_gradients,
                             const engine::DeviceSgdOptions* options, const at::Tensor* loss,
                             const at::Tensor* loss_scale, const at::Tensor* growth_tracker, at::Tensor** norm) {
    return guarded([&] {
        auto before = references(momenta, count);
        auto scale = optional(loss_scale), tracker = optional(growth_tracker);
        *norm = new at::Tensor(engine::device_sgd_step(references(parameters, count), references(gradients, count),
                                                       before, *all_gradients, *options, *loss, scale, tracker));
        for (size_t i = 0; i < count; ++i) {
            if (!momenta[i] && before[i].defined()) momenta[i] = new at::Tensor(before[i]);
        }
    });
}

char* engine_copy_all(const at::Tensor* const* to, const at::Tensor* const* from, size_t count) {
    return guarded([&] {
        const c10::AutoGradMode no_gradients(false);
        engine::copy_all(references(to, count), references(from, count));
    });
}

char* engine_uploads_new(const at::Tensor* like, engine::Uploads** result) {
    return guarded([&] { *result = new engine::Uploads(*like); });
}

void engine_uploads_free(engine::Uploads* uploads) { delete uploads; }

// Stores `count` tensors, and a mark or null.
char* engine_uploads_start(const engine::Uploads* uploads, const at::Tensor* const* host, size_t count,
                           at::Tensor** device, std::shared_ptr<engine::Mark>** mark) {
    return guarded([&] {
        std::vector<at::Tensor> copies;
        auto point = uploads->start(references(host, count), copies);
        for (size_t i = 0; i < count; ++i) device[i] = new at::Tensor(copies[i]);
        if (point) *mark = new std::shared_ptr<engine::Mark>(std::move(point));
    });
}

char* engine_wait_on_device(const std::shared_ptr<engine::Mark>* mark, const at::Tensor* const* tensors,
                            size_t count) {
    return guarded([&] { engine::wait_on_device(**mark, references(tensors, count)); });
}

char* engine_read_later(const at::Tensor* tensor, at::Tensor** host, std::shared_ptr<engine::Mark>** mark) {
    return guarded([&] {
        std::shared_ptr<engine::Mark> point;
        *host = new at::Tensor(engine::read_later(*tensor, point));
        if (point) *mark = new std::shared_ptr<engine::Mark>(std::move(point));
    });
}

char* engine_wait_on_host(const std::shared_ptr<engine::Mark>* mark) {
    return guarded([&] { engine::wait_on_host(**mark); });
}

void engine_mark_free(std::shared_ptr<engine::Mark>* mark) { delete mark; }

char* engine_set_math(const engine::MathOptions* options) {
    return guarded([&] { engine::set_math(*options); });
}

char* engine_record_start() {
    return guarded([] { engine::start_recording(); });
}

// Calls `row` for every operator that was called.
char* engine_record_stop(void* context, void (*row)(void* context, const char* name, int32_t network, int64_t calls,
                                                    double seconds)) {
    return guarded([&] {
        for (const auto& [key, count] : engine::stop_recording()) {
            row(context, key.first.c_str(), key.second, count.calls, count.seconds);
        }
    });
}

engine::Scope* engine_scope_new() {
    try {
        return new engine::Scope();
    } catch (...) {
        return nullptr;
    }
}

void engine_scope_free(engine::Scope* scope) { delete scope; }

}  // extern "C"
