// Streams, events and settings of a GPU through libtorch's interface of all devices, so that the library needs no CUDA
// to be linked.
#include "device.h"

#include <ATen/Context.h>
#include <c10/core/Event.h>
#include <c10/core/impl/VirtualGuardImpl.h>

namespace engine {
namespace {

// Makes `stream` current; the destructor restores the one before.
class Current {
  public:
    explicit Current(const c10::Stream& stream)
        : guard_(stream.device_type()), before_(guard_.exchangeStream(stream)) {}
    ~Current() { guard_.exchangeStream(before_); }
    Current(const Current&) = delete;
    Current& operator=(const Current&) = delete;

  private:
    c10::impl::VirtualGuardImpl guard_;
    c10::Stream before_;
};

c10::Stream current(const c10::Device& device) {
    return c10::impl::VirtualGuardImpl(device.type()).getStream(device);
}

}  // namespace

struct Uploads::State {
    c10::Device device;
    std::optional<c10::Stream> stream;
};

struct Mark {
    c10::Event event;
    c10::Device device;
};

Uploads::Uploads(const at::Tensor& like) : state_(new State{like.device(), {}}) {
    if (state_->device.is_cuda()) {
        state_->stream = c10::impl::VirtualGuardImpl(state_->device.type()).getStreamFromGlobalPool(state_->device);
    }
}

Uploads::~Uploads() = default;

std::shared_ptr<Mark> Uploads::start(const std::vector<at::Tensor>& host, std::vector<at::Tensor>& device) const {
    if (!state_->stream) {
        for (const auto& tensor : host) device.push_back(tensor.to(state_->device));
        return nullptr;
    }
    const Current side(*state_->stream);
    for (const auto& tensor : host) device.push_back(tensor.to(state_->device, /*non_blocking=*/true));
    auto mark = std::make_shared<Mark>(Mark{c10::Event(state_->device.type()), state_->device});
    mark->event.record(*state_->stream);
    return mark;
}

void wait_on_device(const Mark& mark, const std::vector<at::Tensor>& tensors) {
    const auto stream = current(mark.device);
    mark.event.block(stream);
    // The allocator must not give their memory away before this stream's work on them has ended.
    for (const auto& tensor : tensors) tensor.record_stream(stream);
}

at::Tensor read_later(const at::Tensor& tensor, std::shared_ptr<Mark>& mark) {
    if (!tensor.is_cuda()) return tensor;
    auto host = tensor.to(at::kCPU, /*non_blocking=*/true);  // page-locked
    mark = std::make_shared<Mark>(Mark{c10::Event(tensor.device().type()), tensor.device()});
    mark->event.record(current(tensor.device()));
    return host;
}

void wait_on_host(const Mark& mark) { mark.event.synchronize(); }

void set_math(const MathOptions& options) {
    auto& context = at::globalContext();
    context.setAllowTF32CuDNN(options.tf32);
    context.setAllowTF32CuBLAS(options.tf32);
    context.setBenchmarkCuDNN(!options.deterministic);
    context.setDeterministicCuDNN(options.deterministic);
    // No memory is read before it was written, so it need not be filled to be the same in every run.
    context.setDeterministicFillUninitializedMemory(false);
    // A warning instead of an error for operators that have no deterministic form.
    context.setDeterministicAlgorithms(options.deterministic, /*warn_only=*/true);
}

}  // namespace engine
