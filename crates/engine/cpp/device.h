// Asynchronous copies between host and device, and the settings of a GPU's arithmetic.
#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <vector>

namespace engine {

// A point in the work of a stream.
struct Mark;

// Copies to a device, on a stream of their own where the device is a CUDA one, else at once.
class Uploads {
  public:
    // To the device of `like`.
    explicit Uploads(const at::Tensor& like);
    ~Uploads();

    // Appends the copies of `host` to `device`. They are complete at the mark; without one they are complete already.
    // Host memory must stay unchanged until then.
    std::shared_ptr<Mark> start(const std::vector<at::Tensor>& host, std::vector<at::Tensor>& device) const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

// Makes the current stream wait for the mark, after which it may use the tensors.
void wait_on_device(const Mark& mark, const std::vector<at::Tensor>& tensors);

// A copy of a CUDA tensor in host memory, complete at `mark`; other tensors are returned as they are, without one.
at::Tensor read_later(const at::Tensor& tensor, std::shared_ptr<Mark>& mark);

// Waits for the mark.
void wait_on_host(const Mark& mark);

// Mirrored in Rust.
struct MathOptions {
    int32_t tf32;           // float32 convolutions and products may round their input to TensorFloat-32
    int32_t deterministic;  // same algorithms in every run
};

// Settings of the whole process.
void set_math(const MathOptions& options);

}  // namespace engine
