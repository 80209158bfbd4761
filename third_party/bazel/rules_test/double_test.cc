#include <cstdint>

extern "C" std::uint32_t double_of(std::uint32_t x);

int main() { return double_of(21) == 42 ? 0 : 1; }
