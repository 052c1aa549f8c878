// Counts the operator calls of a thread, through libtorch's own hooks for profilers.
#include "record.h"

#include <ATen/SequenceNumber.h>
#include <ATen/record_function.h>

#include <chrono>
#include <cstring>

namespace engine {
namespace {

using Clock = std::chrono::steady_clock;

struct Frame : at::ObserverContext {
    bool counted = false, network = false, opaque = false;
    std::string name;
    Clock::time_point start;
    double inner = 0;
    Frame* outer = nullptr;
};

struct State {
    bool on = false;
    at::CallbackHandle handle = 0;
    uint64_t first = 0, last = 0;  // sequence numbers of the network's operators
    Frame* frame = nullptr;
    Counts rows;
};

State& state() {
    static thread_local State value;
    return value;
}

bool starts(const char* text, const char* with) { return std::strncmp(text, with, std::strlen(with)) == 0; }

// Operators that a GPU runs on all tensors at once, while a CPU calls another operator for each.
bool of_many(const char* name) {
    return starts(name, "aten::_foreach_") || starts(name, "aten::_fused_") || starts(name, "aten::_amp_");
}

std::unique_ptr<at::ObserverContext> enter(const at::RecordFunction& function) {
    auto& s = state();
    auto frame = std::make_unique<Frame>();
    const char* name = function.name();
    frame->outer = s.frame;
    const bool inside = s.frame && s.frame->network;
    switch (function.scope()) {
        case at::RecordScope::USER_SCOPE:
            frame->network = inside || std::strcmp(name, NETWORK_SCOPE) == 0;
            if (frame->network && !inside) s.first = at::sequence_number::peek();
            break;
        case at::RecordScope::BACKWARD_FUNCTION: {
            const auto number = function.seqNr();
            frame->network = number >= 0 && uint64_t(number) >= s.first && uint64_t(number) < s.last;
            break;
        }
        default:
            frame->network = inside;
            frame->opaque = (s.frame && s.frame->opaque) || of_many(name);
            // Not the records of the autograd engine itself.
            frame->counted = !(s.frame && s.frame->opaque) && starts(name, "aten::");
    }
    frame->name = name;
    frame->start = Clock::now();
    s.frame = frame.get();
    return frame;
}

void leave(const at::RecordFunction& function, at::ObserverContext* context) {
    auto& s = state();
    auto* frame = static_cast<Frame*>(context);
    s.frame = frame->outer;
    const double seconds = std::chrono::duration<double>(Clock::now() - frame->start).count();
    const bool inside = frame->outer && frame->outer->network;
    if (function.scope() == at::RecordScope::USER_SCOPE && frame->network && !inside) {
        s.last = at::sequence_number::peek();
    }
    if (frame->outer) frame->outer->inner += seconds;
    if (frame->counted) {
        auto& row = s.rows[{frame->name, frame->network}];
        row.calls += 1;
        row.seconds += seconds - frame->inner;
    }
}

}  // namespace

void start_recording() {
    auto& s = state();
    TORCH_CHECK(!s.on, "this thread records already");
    s = State{};
    s.handle = at::addThreadLocalCallback(
        at::RecordFunctionCallback(enter, leave)
            .scopes({at::RecordScope::FUNCTION, at::RecordScope::BACKWARD_FUNCTION, at::RecordScope::USER_SCOPE}));
    s.on = true;
}

Counts stop_recording() {
    auto& s = state();
    if (!s.on) return {};
    at::removeCallback(s.handle);
    s.on = false;
    return std::move(s.rows);
}

struct Scope::State {
    at::RecordFunction function{at::RecordScope::USER_SCOPE};
};

Scope::Scope() : state_(new State) {
    if (state_->function.isActive()) state_->function.before(NETWORK_SCOPE);
}

Scope::~Scope() = default;

}  // namespace engine
