// libtorch_cpu of PyTorch's wheel has Gloo, but its header is hidden without this name, as the build of libtorch sets it.
#define USE_C10D_GLOO
#include "group.h"

#include "guarded.h"

#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/engine.h>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#include <torch/csrc/distributed/c10d/reducer.hpp>

#include <cstdlib>

namespace engine {
namespace {

using std::chrono::milliseconds;

// Runs a collective and marks its errors.
template <typename Body>
auto communicate(Body&& body) -> decltype(body()) {
    try {
        return body();
    } catch (const c10::Error& error) {
        TORCH_CHECK(false, "ERR_COLLECTIVE: ", error.what_without_backtrace());
    } catch (const std::exception& error) {
        TORCH_CHECK(false, "ERR_COLLECTIVE: ", error.what());
    }
}

// Whether an error of a backward pass is one of communication. Autograd passes on the exception of the bucket, which has
// no type of its own.
bool of_communication(const std::string& message) {
    for (const char* sign : {"gloo", "NCCL", "Connection", "Timed out", "timed out", "Socket"}) {
        if (message.find(sign) != std::string::npos) return true;
    }
    return false;
}

std::shared_ptr<::gloo::transport::Device> device_of(const std::string& host) {
    using c10d::ProcessGroupGloo;
    // The variable of torch's own Python interface.
    if (const char* interface = std::getenv("GLOO_SOCKET_IFNAME")) {
        const std::string names(interface);
        return ProcessGroupGloo::createDeviceForInterface(names.substr(0, names.find(',')));
    }
    const bool local = host == "localhost" || host.rfind("127.", 0) == 0 || host == "::1";
    // The name of this machine may stand for an address that other machines cannot reach, or for none.
    return local ? ProcessGroupGloo::createDeviceForHostname(host) : ProcessGroupGloo::createDefaultDevice();
}

}  // namespace

struct Store::State {
    c10::intrusive_ptr<c10d::Store> store;
};

Store::Store(const std::string& host, uint16_t port, bool serve, milliseconds timeout, const std::string& prefix) {
    communicate([&] {
        c10d::TCPStoreOptions options;
        options.port = port;
        options.isServer = serve;
        options.waitWorkers = false;
        options.timeout = timeout;
        // Several clients of one process share its server.
        options.multiTenant = true;
        c10::intrusive_ptr<c10d::Store> store = c10::make_intrusive<c10d::TCPStore>(host, options);
        if (!prefix.empty()) store = c10::make_intrusive<c10d::PrefixStore>(prefix, store);
        state_.reset(new State{std::move(store)});
    });
}

Store::~Store() = default;

void Store::set(const std::string& key, const std::string& value) {
    communicate([&] { state_->store->set(key, std::vector<uint8_t>(value.begin(), value.end())); });
}

bool Store::has(const std::string& key) {
    return communicate([&] { return state_->store->check({key}); });
}

std::string Store::get(const std::string& key) {
    return communicate([&] {
        const auto value = state_->store->get(key);
        return std::string(value.begin(), value.end());
    });
}

struct Group::State {
    c10::intrusive_ptr<c10d::ProcessGroup> processes;
    int size;
};

Group::Group(const Store& store, int rank, int size, milliseconds timeout, const std::string& host) {
    communicate([&] {
        const auto meeting = c10::make_intrusive<c10d::PrefixStore>("gloo", store.state_->store);
        auto options = c10d::ProcessGroupGloo::Options::create(timeout);
        options->devices.push_back(device_of(host));
        const auto gloo = c10::make_intrusive<c10d::ProcessGroupGloo>(meeting, rank, size, options);
        auto processes = c10::make_intrusive<c10d::ProcessGroup>(meeting, rank, size);
        processes->setDefaultBackend(c10d::ProcessGroup::GLOO);
        // Tensors of a GPU go through host memory: libtorch_cuda adds that to Gloo when it is loaded.
        for (const auto type : {c10::DeviceType::CPU, c10::DeviceType::CUDA}) {
            processes->setBackend(type, c10d::ProcessGroup::GLOO, gloo);
        }
        state_.reset(new State{std::move(processes), size});
    });
}

Group::~Group() = default;

int Group::size() const { return state_->size; }

void Group::sum(at::Tensor tensor) const {
    communicate([&] {
        std::vector<at::Tensor> tensors{std::move(tensor)};
        state_->processes->allreduce(tensors)->wait();
    });
}

void Group::maximum(at::Tensor tensor) const {
    communicate([&] {
        std::vector<at::Tensor> tensors{std::move(tensor)};
        c10d::AllreduceOptions options;
        options.reduceOp = c10d::ReduceOp::MAX;
        state_->processes->allreduce(tensors, options)->wait();
    });
}

at::Tensor Group::gather(const at::Tensor& tensor) const {
    return communicate([&] {
        std::vector<at::Tensor> own{tensor.contiguous()};
        std::vector<std::vector<at::Tensor>> all(1);
        for (int rank = 0; rank < state_->size; ++rank) all[0].push_back(at::empty_like(own[0]));
        state_->processes->allgather(all, own)->wait();
        return at::stack(all[0]);
    });
}

void Group::broadcast(std::vector<at::Tensor> tensors) const {
    communicate([&] {
        // torch's bucket size for the broadcast of a module
        c10d::broadcast_coalesced(state_->processes, tensors, size_t(250) << 20);
    });
}

namespace {

// Sums a bucket in float32, whatever the kind of its gradients: a sum of float16 values may overflow.
struct Sum : c10d::CppCommHookInterface<c10::intrusive_ptr<c10d::ProcessGroup>> {
    using CppCommHookInterface::CppCommHookInterface;

    c10::intrusive_ptr<c10::ivalue::Future> runHook(c10d::GradBucket& bucket) override {
        std::vector<at::Tensor> tensors{bucket.getBufferRef().to(at::kFloat)};
        return state_->allreduce(tensors)->getFuture();
    }
};

}  // namespace

struct GradientSum::State {
    std::vector<at::Tensor> leaves;
    std::unique_ptr<c10d::Reducer> reducer;
};

GradientSum::GradientSum(const Group& group, std::vector<at::Tensor> leaves) : state_(new State) {
    communicate([&] {
        const auto& processes = group.state_->processes;
        // Gradients arrive from the last layer to the first. Buckets hold one kind each.
        std::vector<at::Tensor> reversed(leaves.rbegin(), leaves.rend());
        const std::vector<bool> dense(reversed.size(), false);
        const auto [buckets, limits] = c10d::compute_bucket_assignment_by_size(
            reversed, {size_t(c10d::kDefaultFirstBucketBytes), size_t(c10d::kDefaultBucketBytesCap)}, dense);
        state_->reducer = std::make_unique<c10d::Reducer>(
            reversed, buckets, processes, dense, int64_t(c10d::kDefaultBucketBytesCap),
            /*find_unused_parameters=*/false, /*gradient_as_bucket_view=*/true,
            std::unordered_map<size_t, std::string>{}, int64_t(c10d::kDefaultFirstBucketBytes),
            /*skip_all_reduce_unused_params=*/false, /*use_python_reducer=*/false, std::vector<int64_t>{});
        state_->reducer->register_comm_hook(std::make_unique<Sum>(processes));
        state_->leaves = std::move(leaves);
    });
}

GradientSum::~GradientSum() = default;

namespace {

// Drops torch's warning that gradients and parameters differ in their order in memory, as those of convolutions with the
// channels last do. The copy to the bucket takes care of it.
class Quiet : public c10::WarningHandler {
  public:
    void process(const c10::Warning& warning) override {
        if (warning.msg().rfind("Grad strides", 0) != 0) c10::WarningHandler::process(warning);
    }
};

}  // namespace

std::vector<at::Tensor> GradientSum::backward(const at::Tensor& root) {
    Quiet quiet;
    const c10::WarningUtils::WarningHandlerGuard guard(&quiet);
    try {
        // The gradients of the call before are in the buckets.
        for (auto& leaf : state_->leaves) leaf.mutable_grad() = at::Tensor();
        state_->reducer->prepare_for_backward({});
        torch::autograd::Engine::get_default_engine().execute(
            {torch::autograd::Edge(root.grad_fn(), root.output_nr())}, {at::ones_like(root)}, /*keep_graph=*/false,
            /*create_graph=*/false, /*accumulate_grad=*/true, {});
    } catch (const std::exception& error) {
        const std::string message = error.what();
        TORCH_CHECK(!of_communication(message), "ERR_COLLECTIVE: ", message.substr(0, message.find('\n')));
        throw;
    }
    std::vector<at::Tensor> result;
    for (const auto& leaf : state_->leaves) result.push_back(leaf.grad());
    return result;
}

void GradientSum::settle() {
    communicate([&] {
        // The old buckets hold the gradients.
        for (auto& leaf : state_->leaves) leaf.mutable_grad() = at::Tensor();
        state_->reducer->rebuild_buckets();
    });
}

}  // namespace engine

extern "C" {

using engine::guarded;

char* engine_store_open(const char* host, uint16_t port, int32_t serve, int64_t timeout, const char* prefix,
                        engine::Store** result) {
    return guarded([&] {
        *result = new engine::Store(host, port, serve != 0, std::chrono::milliseconds(timeout), prefix);
    });
}

void engine_store_free(engine::Store* store) { delete store; }

char* engine_store_set(engine::Store* store, const char* key, const char* value, size_t length) {
    return guarded([&] { store->set(key, std::string(value, length)); });
}

char* engine_store_has(engine::Store* store, const char* key, int32_t* found) {
    return guarded([&] { *found = store->has(key); });
}

// Passes the value to `take`.
char* engine_store_get(engine::Store* store, const char* key, void* context,
                       void (*take)(void* context, const char* value, size_t length)) {
    return guarded([&] {
        const auto value = store->get(key);
        take(context, value.data(), value.size());
    });
}

char* engine_group_join(const engine::Store* store, int32_t rank, int32_t size, int64_t timeout, const char* host,
                        engine::Group** result) {
    return guarded(
        [&] { *result = new engine::Group(*store, rank, size, std::chrono::milliseconds(timeout), host); });
}

void engine_group_free(engine::Group* group) { delete group; }

char* engine_group_sum(const engine::Group* group, const at::Tensor* tensor) {
    return guarded([&] { group->sum(tensor->detach()); });
}

char* engine_group_maximum(const engine::Group* group, const at::Tensor* tensor) {
    return guarded([&] { group->maximum(tensor->detach()); });
}

char* engine_group_gather(const engine::Group* group, const at::Tensor* tensor, at::Tensor** result) {
    return guarded([&] { *result = new at::Tensor(group->gather(tensor->detach())); });
}

char* engine_group_broadcast(const engine::Group* group, const at::Tensor* const* tensors, size_t count) {
    return guarded([&] {
        std::vector<at::Tensor> all;
        for (size_t i = 0; i < count; ++i) all.push_back(tensors[i]->detach());
        group->broadcast(std::move(all));
    });
}

char* engine_gradients_new(const engine::Group* group, const at::Tensor* const* leaves, size_t count,
                           engine::GradientSum** result) {
    return guarded([&] {
        std::vector<at::Tensor> all;
        for (size_t i = 0; i < count; ++i) all.push_back(*leaves[i]);
        *result = new engine::GradientSum(*group, std::move(all));
    });
}

void engine_gradients_free(engine::GradientSum* gradients) { delete gradients; }

char* engine_gradients_settle(engine::GradientSum* gradients) {
    return guarded([&] { gradients->settle(); });
}

// Stores one gradient for each leaf.
char* engine_gradients_backward(engine::GradientSum* gradients, const at::Tensor* root, at::Tensor** results) {
    return guarded([&] {
        const auto found = gradients->backward(*root);
        for (size_t i = 0; i < found.size(); ++i) results[i] = new at::Tensor(found[i]);
    });
}

}  // extern "C"
