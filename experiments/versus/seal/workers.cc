#include "experiments/versus/seal/workers.h"

#include <algorithm>
#include <utility>

namespace henge::versus {

using std::size_t;

Workers::Workers(size_t threads) {
    for (size_t i = 1; i < threads; i++) {
        threads_.emplace_back([this] { live(); });
    }
}

Workers::~Workers() {
    {
        std::lock_guard<std::mutex> lock(mutex_);
        over_ = true;
    }
    begin_.notify_all();
    for (auto &thread : threads_) {
        thread.join();
    }
}

void Workers::live() {
    size_t seen = 0;
    while (true) {
        {
            std::unique_lock<std::mutex> lock(mutex_);
            begin_.wait(lock, [&] { return over_ || turn_ != seen; });
            if (over_) {
                return;
            }
            seen = turn_;
        }
        take();
        std::lock_guard<std::mutex> lock(mutex_);
        if (--running_ == 0) {
            end_.notify_one();
        }
    }
}

void Workers::take() {
    try {
        for (size_t first; (first = next_.fetch_add(grain_)) < count_;) {
            for (size_t i = first; i < std::min(count_, first + grain_); i++) {
                (*body_)(i);
            }
        }
    } catch (...) {
        std::lock_guard<std::mutex> lock(mutex_);
        failure_ = failure_ ? failure_ : std::current_exception();
        next_ = count_;
    }
}

void Workers::each(size_t count, size_t grain, const std::function<void(size_t)> &body) {
    {
        std::lock_guard<std::mutex> lock(mutex_);
        body_ = &body;
        next_ = 0;
        count_ = count;
        grain_ = std::max<size_t>(1, grain);
        running_ = threads_.size();
        turn_++;
    }
    begin_.notify_all();
    take();
    std::unique_lock<std::mutex> lock(mutex_);
    end_.wait(lock, [&] { return running_ == 0; });
    if (auto failure = std::exchange(failure_, nullptr)) {
        std::rethrow_exception(failure);
    }
}

} // namespace henge::versus
