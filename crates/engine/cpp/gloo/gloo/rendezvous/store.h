// Declarations that libtorch's ProcessGroupGloo.hpp needs to be read. The wheel of PyTorch has that header and the compiled
// Gloo, but not the headers of Gloo. Nothing here is defined or called by this crate: libtorch holds these types behind
// pointers, so that only their names matter.
#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace gloo::rendezvous {

// The functions that libtorch's adapter overrides.
class Store {
  public:
    virtual ~Store();
    virtual void set(const std::string& key, const std::vector<char>& data) = 0;
    virtual std::vector<char> get(const std::string& key) = 0;
    virtual void wait(const std::vector<std::string>& keys) = 0;
    virtual void wait(const std::vector<std::string>& keys, const std::chrono::milliseconds& timeout) = 0;
};

}  // namespace gloo::rendezvous
