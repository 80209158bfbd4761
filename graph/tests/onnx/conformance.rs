//! ONNX's own node tests, as Debian ships them in `libonnx-testdata`, for every operator within reach.
//!
//! Each test is a model of one node whose operands are all graph inputs, with files of inputs and outputs. Operands that must
//! be constants here (shapes, pads) are appended to the model as initialisers: protobuf messages merge by concatenation.

use std::path::{Path, PathBuf};

use graph::import::onnx::{self, BatchAxis, ImportOptions};
use graph::interpret;

use super::{assert_close, read};

const NODE_TESTS: &str = "/usr/share/libonnx-testdata/data/node";

/// Tests whose operands are all floats.
const PLAIN: &[&str] = &[
    "add",
    "add_bcast",
    "argmax_default_axis_example",
    "argmax_default_axis_example_select_last_index",
    "argmax_default_axis_random",
    "argmax_default_axis_random_select_last_index",
    "argmax_keepdims_example",
    "argmax_keepdims_example_select_last_index",
    "argmax_keepdims_random",
    "argmax_keepdims_random_select_last_index",
    "argmax_negative_axis_keepdims_example",
    "argmax_negative_axis_keepdims_example_select_last_index",
    "argmax_negative_axis_keepdims_random",
    "argmax_negative_axis_keepdims_random_select_last_index",
    "argmax_no_keepdims_example",
    "argmax_no_keepdims_example_select_last_index",
    "argmax_no_keepdims_random",
    "argmax_no_keepdims_random_select_last_index",
    "averagepool_1d_default",
    "averagepool_2d_ceil",
    "averagepool_2d_default",
    "averagepool_2d_pads",
    "averagepool_2d_pads_count_include_pad",
    "averagepool_2d_precomputed_pads",
    "averagepool_2d_precomputed_pads_count_include_pad",
    "averagepool_2d_precomputed_same_upper",
    "averagepool_2d_precomputed_strides",
    "averagepool_2d_same_lower",
    "averagepool_2d_same_upper",
    "averagepool_2d_strides",
    "averagepool_3d_default",
    "basic_conv_with_padding",
    "basic_conv_without_padding",
    "batchnorm_epsilon",
    "batchnorm_example",
    "clip_default_inbounds",
    "concat_1d_axis_0",
    "concat_1d_axis_negative_1",
    "concat_2d_axis_0",
    "concat_2d_axis_1",
    "concat_2d_axis_negative_1",
    "concat_2d_axis_negative_2",
    "concat_3d_axis_0",
    "concat_3d_axis_1",
    "concat_3d_axis_2",
    "concat_3d_axis_negative_1",
    "concat_3d_axis_negative_2",
    "concat_3d_axis_negative_3",
    "constant",
    "conv_with_autopad_same",
    "conv_with_strides_and_asymmetric_padding",
    "conv_with_strides_no_padding",
    "conv_with_strides_padding",
    "div",
    "div_bcast",
    "div_example",
    "dropout_default",
    "dropout_default_old",
    "dropout_random_old",
    "exp",
    "exp_example",
    "flatten_axis0",
    "flatten_axis1",
    "flatten_axis2",
    "flatten_axis3",
    "flatten_default_axis",
    "flatten_negative_axis1",
    "flatten_negative_axis2",
    "flatten_negative_axis3",
    "flatten_negative_axis4",
    "gemm_alpha",
    "gemm_beta",
    "gemm_default_matrix_bias",
    "gemm_default_no_bias",
    "gemm_default_scalar_bias",
    "gemm_default_single_elem_vector_bias",
    "gemm_default_vector_bias",
    "gemm_default_zero_bias",
    "gemm_transposeB",
    "globalaveragepool",
    "globalaveragepool_precomputed",
    "globalmaxpool",
    "globalmaxpool_precomputed",
    "identity",
    "leakyrelu",
    "leakyrelu_default",
    "leakyrelu_example",
    "matmul_2d",
    "matmul_3d",
    "matmul_4d",
    "max_example",
    "max_float32",
    "max_float64",
    "max_one_input",
    "max_two_inputs",
    "maxpool_1d_default",
    "maxpool_2d_ceil",
    "maxpool_2d_default",
    "maxpool_2d_dilations",
    "maxpool_2d_pads",
    "maxpool_2d_precomputed_pads",
    "maxpool_2d_precomputed_same_upper",
    "maxpool_2d_precomputed_strides",
    "maxpool_2d_same_lower",
    "maxpool_2d_same_upper",
    "maxpool_2d_strides",
    "maxpool_3d_default",
    "min_example",
    "min_float32",
    "min_float64",
    "min_one_input",
    "min_two_inputs",
    "mul",
    "mul_bcast",
    "mul_example",
    "neg",
    "neg_example",
    "pow",
    "pow_bcast_array",
    "pow_bcast_scalar",
    "pow_example",
    "reduce_max_default_axes_keepdim_example",
    "reduce_max_default_axes_keepdims_random",
    "reduce_max_do_not_keepdims_example",
    "reduce_max_do_not_keepdims_random",
    "reduce_max_keepdims_example",
    "reduce_max_keepdims_random",
    "reduce_max_negative_axes_keepdims_example",
    "reduce_max_negative_axes_keepdims_random",
    "reduce_mean_default_axes_keepdims_example",
    "reduce_mean_default_axes_keepdims_random",
    "reduce_mean_do_not_keepdims_example",
    "reduce_mean_do_not_keepdims_random",
    "reduce_mean_keepdims_example",
    "reduce_mean_keepdims_random",
    "reduce_mean_negative_axes_keepdims_example",
    "reduce_mean_negative_axes_keepdims_random",
    "relu",
    "sigmoid",
    "sigmoid_example",
    "softmax_axis_0",
    "softmax_axis_1",
    "softmax_axis_2",
    "softmax_default_axis",
    "softmax_example",
    "softmax_large_number",
    "softmax_negative_axis",
    "sub",
    "sub_bcast",
    "sub_example",
    "sum_example",
    "sum_one_input",
    "sum_two_inputs",
    "tanh",
    "tanh_example",
    "transpose_all_permutations_0",
    "transpose_all_permutations_1",
    "transpose_all_permutations_2",
    "transpose_all_permutations_3",
    "transpose_all_permutations_4",
    "transpose_all_permutations_5",
    "transpose_default",
];

/// Tests whose operands from the second on must be constants.
const BOUND: &[&str] = &[
    "clip",
    "clip_default_max",
    "clip_default_min",
    "clip_example",
    "clip_inbounds",
    "clip_outbounds",
    "clip_splitbounds",
    "constant_pad",
    "dropout_default_ratio",
    "reduce_sum_default_axes_keepdims_example",
    "reduce_sum_default_axes_keepdims_random",
    "reduce_sum_do_not_keepdims_example",
    "reduce_sum_do_not_keepdims_random",
    "reduce_sum_empty_axes_input_noop_example",
    "reduce_sum_empty_axes_input_noop_random",
    "reduce_sum_keepdims_example",
    "reduce_sum_keepdims_random",
    "reduce_sum_negative_axes_keepdims_example",
    "reduce_sum_negative_axes_keepdims_random",
    "reshape_extended_dims",
    "reshape_negative_dim",
    "reshape_negative_extended_dims",
    "reshape_one_dim",
    "reshape_reduced_dims",
    "reshape_reordered_all_dims",
    "reshape_reordered_last_dims",
    "reshape_zero_and_negative_dim",
    "reshape_zero_dim",
    "softmax_axis_0_expanded",
    "softmax_axis_1_expanded",
    "softmax_axis_2_expanded",
    "softmax_default_axis_expanded",
    "softmax_example_expanded",
    "softmax_large_number_expanded",
    "softmax_negative_axis_expanded",
    "squeeze",
    "squeeze_negative_axes",
    "unsqueeze_axis_0",
    "unsqueeze_axis_1",
    "unsqueeze_axis_2",
    "unsqueeze_axis_3",
    "unsqueeze_negative_axes",
    "unsqueeze_three_axes",
    "unsqueeze_two_axes",
    "unsqueeze_unsorted_axes",
];

/// Tests of our operators that ask for what is refused, and a word of the refusal.
const REFUSED: &[(&str, &str)] = &[
    ("batchnorm_example_training_mode", "output"),
    ("gemm_all_attributes", "transA"),
    ("gemm_transposeA", "transA"),
    ("add_uint8", "uint8"),
    ("clip_default_int8_min", "int8"),
    ("div_uint8", "uint8"),
    ("dropout_default_mask", "expected 1 output"),
    ("max_int64", "int64"),
    ("maxpool_2d_uint8", "uint8"),
    ("maxpool_with_argmax_2d_precomputed_pads", "expected 1 output"),
    ("pow_types_float32_int64", "int64"),
    ("training_dropout_zero_ratio", "training_mode"),
    ("edge_pad", "int32"),
    ("reflect_pad", "int32"),
    ("identity_sequence", "not declared as a tensor"),
    ("reshape_allowzero_reordered", "no fixed extent (0)"),
];

/// Field 8 (opset_import) of a model: version 7 of the default domain. The first such field counts.
const OPSET_7: [u8; 4] = [8 << 3 | 2, 2, 2 << 3, 7];

fn folder(test: &str) -> Option<PathBuf> {
    let folder = Path::new(NODE_TESTS).join(format!("test_{test}"));
    folder.exists().then_some(folder)
}

fn absent() -> bool {
    let absent = !Path::new(NODE_TESTS).exists();
    if absent {
        println!("skipped: no {NODE_TESTS} (apt-get install libonnx-testdata)");
    }
    absent
}

fn options() -> ImportOptions {
    let mut options = ImportOptions::default();
    options.batch = BatchAxis::AsDeclared;
    options
}

/// Input files of a test, in order.
fn inputs(folder: &Path) -> Vec<Vec<u8>> {
    let path = |i: usize| folder.join(format!("test_data_set_0/input_{i}.pb"));
    (0..).map(path).take_while(|path| path.exists()).map(read).collect()
}

fn varint(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

/// The model with one more initialiser: field 7 (graph) of the model holding field 5 (initializer) of the graph.
fn with_initialiser(mut model: Vec<u8>, tensor: &[u8]) -> Vec<u8> {
    let field = |tag: u8, body: &[u8]| [&[tag << 3 | 2][..], &varint(body.len()), body].concat();
    model.extend(field(7, &field(5, tensor)));
    model
}

fn run(test: &str, constants_from: usize) {
    let Some(folder) = folder(test) else {
        panic!("{test}: not among the installed tests");
    };
    let files = inputs(&folder);
    let constants = files.iter().skip(constants_from);
    // Operators that have not changed since opset 1 are tested in opset 1, which came before the format settled: as 7 here.
    let prefix = if test.starts_with("global") { &OPSET_7[..] } else { &[] };
    let model = [prefix, &read(folder.join("model.onnx"))].concat();
    let model = constants.fold(model, |model, tensor| with_initialiser(model, tensor));
    let graph = onnx::from_bytes(&model, &options()).unwrap_or_else(|e| panic!("{test}: {e}"));
    let given: Vec<_> =
        files.iter().take(constants_from).map(|bytes| onnx::tensor_from_bytes(bytes).unwrap()).collect();
    let found = interpret::run(&graph, &given).unwrap_or_else(|e| panic!("{test}: {e}"));
    let expected = onnx::tensor_from_bytes(&read(folder.join("test_data_set_0/output_0.pb"))).unwrap();
    assert_close(test, &found[0], &expected, 1e-5);
}

#[test]
fn node_tests_of_onnx() {
    if absent() {
        return;
    }
    for test in PLAIN {
        run(test, usize::MAX);
    }
    for test in BOUND {
        run(test, 1);
    }
    println!("{} node tests of onnx", PLAIN.len() + BOUND.len());
}

#[test]
fn node_tests_outside_of_what_is_supported() {
    if absent() {
        return;
    }
    for (test, word) in REFUSED {
        let Some(folder) = folder(test) else { panic!("{test}: not among the installed tests") };
        let constants = inputs(&folder);
        let model = read(folder.join("model.onnx"));
        let bind = test.starts_with("reshape") || test.ends_with("_pad") || test.starts_with("training_dropout");
        let model = constants.iter().skip(1).filter(|_| bind).fold(model, |model, t| with_initialiser(model, t));
        let error = onnx::from_bytes(&model, &options()).map(|_| ()).expect_err(test).to_string();
        assert!(error.contains(word), "{test}: {error}");
    }
}

#[test]
fn every_other_node_test_is_an_error_or_a_graph() {
    if absent() {
        return;
    }
    let mut refused = 0;
    for entry in std::fs::read_dir(NODE_TESTS).unwrap() {
        let path = entry.unwrap().path().join("model.onnx");
        if path.exists() && onnx::load(&path, &options()).is_err() {
            refused += 1;
        }
    }
    println!("{refused} node tests of onnx refused");
    assert!(refused > 500);
}
