// A list with a fixed room for its elements, so that judging an ordinary measurement allocates nothing.
// What does not fit is left out: every bound is far beyond what a probe's own limits let it record.
#pragma once

#include <array>
#include <cstddef>
#include <span>

namespace kua::verdict {

template <typename T, std::size_t kRoom>
class Bounded {
 public:
  void push(const T& value) {
    if (size_ < kRoom) items_[size_++] = value;
  }
  [[nodiscard]] std::span<const T> items() const noexcept { return std::span(items_).first(size_); }
  [[nodiscard]] std::span<T> items() noexcept { return std::span(items_).first(size_); }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] const T* begin() const noexcept { return items_.data(); }
  [[nodiscard]] const T* end() const noexcept { return items_.data() + size_; }

 private:
  std::array<T, kRoom> items_;
  std::size_t size_ = 0;
};

}  // namespace kua::verdict
