// Processes that train one network together: torch's own store, collectives and gradient buckets (c10d).
#pragma once

#include <ATen/ATen.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace engine {

// A connection to torch's TCPStore, the meeting point of all ranks.
class Store {
  public:
    // Connects, and before that starts the server if `serve`. Keys are below `prefix`.
    Store(const std::string& host, uint16_t port, bool serve, std::chrono::milliseconds timeout,
          const std::string& prefix);
    ~Store();

    void set(const std::string& key, const std::string& value);
    // Whether a key exists.
    bool has(const std::string& key);
    // The value of a key that exists.
    std::string get(const std::string& key);

  private:
    friend class Group;
    struct State;
    std::unique_ptr<State> state_;
};

// A rank's side of the collectives. Every rank calls the same functions in the same order with tensors of the same shape
// and kind. Errors of communication have messages that start with "ERR_COLLECTIVE: ".
class Group {
  public:
    // Waits until every rank has joined. `host` is the address of the store.
    Group(const Store& store, int rank, int size, std::chrono::milliseconds timeout, const std::string& host);
    ~Group();

    int size() const;

    // Replaces a contiguous tensor by the sum, or the maximum, over all ranks.
    void sum(at::Tensor tensor) const;
    void maximum(at::Tensor tensor) const;
    // The tensors of all ranks in their order, as (rank, ...).
    at::Tensor gather(const at::Tensor& tensor) const;
    // Replaces the tensors by those of rank 0.
    void broadcast(std::vector<at::Tensor> tensors) const;

  private:
    friend class GradientSum;
    struct State;
    std::unique_ptr<State> state_;
};

// Sums gradients over all ranks in buckets, while the backward pass computes the others (torch's c10d::Reducer, Li et al.
// 2020). It sums and does not average: the loss is normalised over the whole batch, so that the gradient of each rank is
// its share of the whole batch's.
class GradientSum {
  public:
    // For leaves that every backward pass reaches.
    GradientSum(const Group& group, std::vector<at::Tensor> leaves);
    ~GradientSum();

    // The summed gradients of `root`, one for each leaf.
    std::vector<at::Tensor> backward(const at::Tensor& root);

    // Orders the buckets as the gradients of the backward pass before arrived. A collective.
    void settle();

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace engine
