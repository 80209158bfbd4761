//! The image sets of the experiments: MNIST, Fashion-MNIST, and a few photos ([`Photos`]).
//!
//! The first two are idx files, plain or gzipped, of 60,000 training and 10,000 test images of 28 x 28 unsigned bytes.
//! [`Dataset::load`] finds them ([`data_root`] says where it looks) and checks every file before anything is used:
//! magic number, dimensions, length, label range.
//! Sources: MNIST, LeCun, Cortes and Burges; Fashion-MNIST, Xiao, Rasul and Vollgraf, arXiv:1708.07747.

#![forbid(unsafe_code)]

mod dataset;
mod error;
mod idx;
mod images;
mod photos;
mod place;
mod root;

pub use dataset::{Dataset, Part};
pub use error::DatasetError;
pub use idx::{Idx, MAX_BYTES, MAX_RANK};
pub use images::LabelledImages;
pub use photos::{FETCH_MODELS, PhotoSet, Photos, Preparation, class_names, model_path};
pub use place::{committed_model, data_root_of_user, of_user};
pub use root::{FETCH_COMMAND, data_root, data_root_from};
