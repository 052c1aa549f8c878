// Instance normalisation and leaky rectifier in one pass over memory forward and two backward, channels last.
// Ulyanov, Vedaldi, Lempitsky: "Instance normalization" (2016). Differs from libtorch's own chain of operators in
// speed only: that one copies a channels-last tensor to channels-first and back and rounds in between.
#include <ATen/TensorIterator.h>
#include <torch/csrc/autograd/custom_function.h>

#include <vector>

#include "kernels.h"
#include "shim.h"

namespace engine {

void parallel(int64_t count, const std::function<void(int64_t, int64_t)>& body) {
    // An iterator over a tensor of `count` bytes borrows the library's thread pool without linking its OpenMP runtime.
    auto index = at::empty({count}, at::kChar);
    auto iterator = at::TensorIteratorConfig()
                        .check_all_same_dtype(false)
                        .resize_outputs(false)
                        .add_output(index)
                        .build();
    const char* base = static_cast<const char*>(index.const_data_ptr());
    iterator.for_each(
        [&](char** data, const int64_t*, int64_t size0, int64_t size1) {
            const int64_t first = data[0] - base;
            body(first, first + size0 * size1);
        },
        /*grain_size=*/1);
}

at::Tensor channels_last(const at::Tensor& tensor) {
    const auto format = tensor.dim() == 5 ? at::MemoryFormat::ChannelsLast3d : at::MemoryFormat::ChannelsLast;
    if (tensor.size(1) == 1 && tensor.is_contiguous()) {
        // One channel is both first and last; only explicit strides tell convolutions which is meant.
        auto strides = tensor.strides().vec();
        strides[1] = 1;
        return tensor.as_strided(tensor.sizes(), strides);
    }
    return tensor.contiguous(format);
}

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

Element element_of(const at::Tensor& x) {
    TORCH_CHECK(x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16,
                "normalisation takes float32 or bfloat16, found ", x.scalar_type());
    return x.scalar_type() == at::kFloat ? Element::Float32 : Element::BFloat16;
}

// The blocks of rows that a (b, c, ...) tensor is worked on in; the same for every number of threads.
struct Blocks {
    int64_t images, channels, rows, block, count;

    explicit Blocks(const at::Tensor& x)
        : images(x.size(0)), channels(x.size(1)), rows(x.numel() / std::max<int64_t>(1, images * channels)),
          block(std::max<int64_t>(64, 65536 / std::max<int64_t>(1, channels))),
          count((rows + block - 1) / block) {}

    // Calls body(image, block of the image, first element, rows) for every block.
    template <typename Body>
    void each(const Body& body) const {
        parallel(images * count, [&](int64_t first, int64_t last) {
            for (int64_t i = first; i < last; ++i) {
                const int64_t image = i / count, start = i % count * block;
                body(image, i, (image * rows + start) * channels, Rows{std::min(block, rows - start), channels});
            }
        });
    }

    // Sums partial results of (images * count, channels) over the blocks of each image, in order.
    std::vector<double> reduce(const std::vector<double>& partial) const {
        std::vector<double> total(images * channels);
        for (int64_t image = 0; image < images; ++image) {
            for (int64_t b = 0; b < count; ++b) {
                const double* from = &partial[(image * count + b) * channels];
                for (int64_t c = 0; c < channels; ++c) total[image * channels + c] += from[c];
            }
        }
        return total;
    }
};

// Offset by whole elements of `x`.
const void* at(const at::Tensor& x, int64_t offset) {
    return static_cast<const char*>(x.const_data_ptr()) + offset * x.element_size();
}

void* at_mut(at::Tensor& x, int64_t offset) {
    return static_cast<char*>(x.mutable_data_ptr()) + offset * x.element_size();
}

struct NormLeaky : torch::autograd::Function<NormLeaky> {
    static at::Tensor forward(AutogradContext* context, const at::Tensor& input, const at::Tensor& weight,
                              const at::Tensor& bias, double eps, double slope, bool reuse) {
        auto x = channels_last(input);
        const auto element = element_of(x);
        const Blocks blocks(x);
        TORCH_CHECK(blocks.rows > 1, "Expected more than 1 spatial element when normalising, got input size ",
                    x.sizes());
        const auto& kernel = kernels();
        const int64_t channels = blocks.channels, planes = blocks.images * channels;

        // Deviations from the first voxel: sums of squares of large values would cancel.
        auto origin = x.flatten(2).select(2, 0).to(at::kFloat).contiguous();
        const float* from = origin.const_data_ptr<float>();
        std::vector<double> sums(blocks.images * blocks.count * channels), squares(sums.size());
        blocks.each([&](int64_t image, int64_t i, int64_t offset, Rows size) {
            kernel.norm_sums(element, at(x, offset), size, from + image * channels, &sums[i * channels],
                             &squares[i * channels]);
        });
        const auto total = blocks.reduce(sums), square = blocks.reduce(squares);

        auto moments = at::empty({4, blocks.images, channels}, at::kFloat);  // mean, 1 / sd, scale, shift
        float* mean = moments.mutable_data_ptr<float>();
        float *inverse = mean + planes, *scale = inverse + planes, *shift = scale + planes;
        const auto w = weight.contiguous(), b = bias.contiguous();
        const float *gamma = w.const_data_ptr<float>(), *beta = b.const_data_ptr<float>();
        for (int64_t i = 0; i < planes; ++i) {
            const double deviation = total[i] / double(blocks.rows);
            const double variance = std::max(0.0, square[i] / double(blocks.rows) - deviation * deviation);
            const double rstd = 1.0 / std::sqrt(variance + eps), center = from[i] + deviation;
            mean[i] = float(center);
            inverse[i] = float(rstd);
            scale[i] = float(gamma[i % channels] * rstd);
            shift[i] = float(beta[i % channels] - center * gamma[i % channels] * rstd);
        }
        auto y = reuse ? x : at::empty_like(x);
        blocks.each([&](int64_t image, int64_t, int64_t offset, Rows size) {
            kernel.norm_apply(element, at(x, offset), at_mut(y, offset), size, scale + image * channels,
                              shift + image * channels, float(slope));
        });
        if (!reuse) {
            context->save_for_backward({x, w, moments});
            context->saved_data["slope"] = slope;
        }
        return y;
    }

    static variable_list backward(AutogradContext* context, variable_list gradients) {
        const auto saved = context->get_saved_variables();
        const auto &x = saved[0], &w = saved[1], &moments = saved[2];
        const float slope = float(context->saved_data["slope"].toDouble());
        const auto dy = channels_last(gradients[0].to(x.scalar_type()));
        const auto element = element_of(x);
        const Blocks blocks(x);
        const auto& kernel = kernels();
        const int64_t channels = blocks.channels, planes = blocks.images * channels;
        const float* mean = moments.const_data_ptr<float>();
        const float *inverse = mean + planes, *scale = inverse + planes, *shift = scale + planes;
        const float* gamma = w.const_data_ptr<float>();

        std::vector<double> sums(blocks.images * blocks.count * channels), products(sums.size());
        blocks.each([&](int64_t image, int64_t i, int64_t offset, Rows size) {
            const int64_t p = image * channels;
            kernel.norm_backward_sums(element, at(x, offset), at(dy, offset), size, scale + p, shift + p, mean + p,
                                      slope, &sums[i * channels], &products[i * channels]);
        });
        const auto sum = blocks.reduce(sums), product = blocks.reduce(products);

        auto dweight = at::zeros({channels}, at::kDouble), dbias = at::zeros({channels}, at::kDouble);
        double *dgamma = dweight.mutable_data_ptr<double>(), *dbeta = dbias.mutable_data_ptr<double>();
        std::vector<float> a(planes), b(planes), d(planes);
        for (int64_t i = 0; i < planes; ++i) {
            const double rstd = inverse[i], factor = gamma[i % channels] * rstd, voxels = double(blocks.rows);
            dbeta[i % channels] += sum[i];
            dgamma[i % channels] += product[i] * rstd;
            a[i] = float(factor);
            b[i] = float(-factor * rstd * rstd * product[i] / voxels);
            d[i] = float(-factor * sum[i] / voxels);
        }
        auto dx = at::empty_like(x);
        blocks.each([&](int64_t image, int64_t, int64_t offset, Rows size) {
            const int64_t p = image * channels;
            kernel.norm_backward_apply(element, at(x, offset), at(dy, offset), at_mut(dx, offset), size, scale + p,
                                       shift + p, mean + p, slope, &a[p], &b[p], &d[p]);
        });
        return {dx, dweight.to(at::kFloat), dbias.to(at::kFloat), {}, {}, {}};
    }
};

}  // namespace

at::Tensor norm_leaky(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, double eps,
                      double slope) {
    return NormLeaky::apply(x, weight, bias, eps, slope, !at::GradMode::is_enabled());
}

}  // namespace engine
