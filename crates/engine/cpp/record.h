// Counts of operator calls.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

namespace engine {

struct Count {
    int64_t calls = 0;
    double seconds = 0;  // without the operators that it calls
};

// By name, and whether the call belongs to the forward or backward pass of the network.
using Counts = std::map<std::pair<std::string, bool>, Count>;

constexpr const char* NETWORK_SCOPE = "network";

// Counts the operator calls of this thread until stop_recording. Operators that work on a list of tensors count once.
void start_recording();
Counts stop_recording();

// Marks the forward pass of the network while it exists, for profilers.
class Scope {
  public:
    Scope();
    ~Scope();

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace engine
