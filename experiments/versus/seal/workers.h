// Threads that stay, so that each keeps its thread-local memory pool of SEAL from one loop to the next.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace henge::versus {

class Workers {
public:
    // The calling thread counts as one.
    explicit Workers(std::size_t threads);
    ~Workers();
    Workers(const Workers &) = delete;
    Workers &operator=(const Workers &) = delete;

    // Calls body(i) once for every i below count, `grain` of them at a time on whichever thread is free. Throws what the
    // first body that failed threw.
    void each(std::size_t count, std::size_t grain, const std::function<void(std::size_t)> &body);

private:
    void live();
    void take();

    std::vector<std::thread> threads_;
    std::mutex mutex_;
    std::condition_variable begin_, end_;
    const std::function<void(std::size_t)> *body_ = nullptr;
    std::atomic<std::size_t> next_{ 0 };
    std::size_t count_ = 0, grain_ = 1, turn_ = 0, running_ = 0;
    std::exception_ptr failure_;
    bool over_ = false;
};

} // namespace henge::versus
