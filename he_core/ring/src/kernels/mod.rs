//! Inner loops. For each operation one portable file, one file per instruction set (`_avx2`), and a dispatcher that
//! matches on the [`Isa`](crate::Isa) token of the plan. The portable loop is the oracle of the others, bit for bit.
//!
//! Kernels trust their callers: shapes and ranges are `debug_assert!`ed.

mod accumulate;
#[cfg(target_arch = "x86_64")]
mod accumulate_avx2;
#[cfg(target_arch = "x86_64")]
mod accumulate_avx512;
mod bits;
#[cfg(target_arch = "x86_64")]
mod bits_avx2;
mod centered;
#[cfg(target_arch = "x86_64")]
mod centered_avx2;
#[cfg(target_arch = "x86_64")]
mod centered_avx512;
pub(crate) mod chacha;
#[cfg(target_arch = "x86_64")]
mod chacha_avx2;
#[cfg(target_arch = "x86_64")]
mod chacha_avx512;
pub(crate) mod draws;
#[cfg(target_arch = "x86_64")]
mod draws_avx2;
#[cfg(target_arch = "x86_64")]
mod draws_avx512;
mod elementwise;
#[cfg(target_arch = "x86_64")]
mod elementwise_avx2;
#[cfg(target_arch = "x86_64")]
mod elementwise_avx2_f64;
#[cfg(target_arch = "x86_64")]
mod elementwise_avx2_u32;
#[cfg(target_arch = "x86_64")]
mod elementwise_avx2_u64;
#[cfg(target_arch = "x86_64")]
mod elementwise_avx512;
#[cfg(target_arch = "x86_64")]
mod elementwise_avx512_f64;
#[cfg(target_arch = "x86_64")]
mod elementwise_avx512_u32;
#[cfg(target_arch = "x86_64")]
mod elementwise_avx512_u64;
#[cfg(target_arch = "x86_64")]
mod elementwise_ifma;
#[cfg(target_arch = "x86_64")]
mod elementwise_lanes;
pub(crate) mod fft;
#[cfg(target_arch = "x86_64")]
mod fft_avx2;
#[cfg(target_arch = "x86_64")]
mod fft_avx512;
#[cfg(target_arch = "x86_64")]
mod fft_lanes;
pub(crate) mod integers;
#[cfg(target_arch = "x86_64")]
mod integers_avx2;
#[cfg(target_arch = "x86_64")]
mod integers_avx512;
mod ntt;
#[cfg(target_arch = "x86_64")]
mod ntt_avx2_f64;
#[cfg(target_arch = "x86_64")]
mod ntt_avx2_u32;
#[cfg(target_arch = "x86_64")]
mod ntt_avx2_u64;
#[cfg(target_arch = "x86_64")]
mod ntt_avx512_f64;
#[cfg(target_arch = "x86_64")]
mod ntt_avx512_ifma;
#[cfg(target_arch = "x86_64")]
mod ntt_avx512_u32;
#[cfg(target_arch = "x86_64")]
mod ntt_avx512_u64;
#[cfg(target_arch = "x86_64")]
mod ntt_lanes_avx2;
#[cfg(target_arch = "x86_64")]
mod ntt_lanes_avx512;
#[cfg(target_arch = "x86_64")]
mod ntt_packed_u32;
#[cfg(target_arch = "x86_64")]
mod ntt_passes;
#[cfg(target_arch = "x86_64")]
mod ntt_split;
mod panel;
#[cfg(target_arch = "x86_64")]
mod panel_avx2;
#[cfg(target_arch = "x86_64")]
mod panel_avx512;
mod permute;
#[cfg(target_arch = "x86_64")]
mod permute_avx2;
#[cfg(target_arch = "x86_64")]
mod permute_avx512;

pub(crate) use accumulate::{LANES, Panel, PanelRow, accumulate};
pub(crate) use bits::{GROUP as PACKED_GROUP, unpack_groups};
pub(crate) use centered::dispatch::*;
pub(crate) use centered::{COLUMNS, DigitRow};
pub(crate) use elementwise::dispatch::*;
pub(crate) use ntt::NttKernels;
pub(crate) use panel::{PanelWord, SumReduction, Write, prefetch};
pub(crate) use permute::{BLOCK as PERMUTE_BLOCK, Patterns, permute_blocks};
