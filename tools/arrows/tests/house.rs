//! Holds the table of arrows against this project.

use std::path::PathBuf;

use arrows::house::House;
use arrows::rules::violations;

/// Cargo starts tests in the crate's folder and says so; Bazel in a tree like the project's root.
fn root() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(PathBuf::new, |folder| PathBuf::from(folder).join("../.."))
}

#[test]
fn every_edge_is_an_arrow_and_the_manifests_agree() {
    let house = House::read(&root()).unwrap();
    assert!(house.members.len() > 10, "read only {} crates", house.members.len());
    let found = violations(&house);
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}
