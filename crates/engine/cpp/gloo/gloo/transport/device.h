// Declarations that libtorch's ProcessGroupGloo.hpp needs to be read. The wheel of PyTorch has that header and the compiled
// Gloo, but not the headers of Gloo. Nothing here is defined or called by this crate: libtorch holds these types behind
// pointers, so that only their names matter.
#pragma once

namespace gloo::transport {

class Device;
class UnboundBuffer;

}  // namespace gloo::transport
