//! Tests by subject.

mod noise;
mod params;
mod presets;
mod primes;
mod refusals;
mod values;
