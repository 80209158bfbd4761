use super::*;
use crate::build_file;
use crate::manifest::Manifest;
use crate::table::Table;

const TABLE: &str = "## Arrows\n```\nring : -\nckks : ring\nckks (tests) : secret\nsecret : ckks, ring\ncli : anything but papers\npapers : anything\n```\n";
const ROOT: &str = "[workspace]\nmembers = [\"ring\"]\n[workspace.package]\nversion = \"0.1.0\"\n[workspace.dependencies]\nring = 1\nckks = 1\nsecret = 1\nserde = 1\ncriterion = 1\n";

fn member(folder: &str, cargo: &str, build: &str) -> Member {
    Member {
        folder: folder.to_owned(),
        manifest: Manifest::parse(&format!("[package]\nname = \"{folder}\"\n{cargo}")),
        build: build_file::parse(&format!("package(default_visibility = [\"//visibility:private\"])\n{build}")),
    }
}

/// A house in which all is well, with `ckks` as given.
fn house(cargo: &str, build: &str) -> House {
    House {
        table: Table::parse(TABLE).unwrap(),
        root: Manifest::parse(ROOT),
        members: vec![
            member(
                "ring",
                "",
                "rust_library(name = \"ring\", visibility = [\"//ckks:__pkg__\", \"//secret:__pkg__\"])",
            ),
            member("ckks", cargo, build),
            member(
                "secret",
                "[dependencies]\nckks = 1\nserde = 1",
                "rust_library(name = \"secret\", deps = [\"//ckks\", \"@crates//:serde\"], visibility = [\"//ckks:__pkg__\"])",
            ),
        ],
        outside: Manifest::parse("[dependencies]\nserde = 1\n"),
    }
}

const CARGO: &str = "[dependencies]\nring = 1\nserde = 1\n[dev-dependencies]\nsecret = 1\ncriterion = 1\n";
const BUILD: &str = "rust_library(name = \"ckks\", deps = [\"//ring:ring\", \"@crates//:serde\"], visibility = [\":users\"])\n\
    package_group(name = \"users\", packages = [\"//secret\"])\n\
    rust_binary(name = \"b\", version = \"0.1.0\", deps = [\":ckks\"])\n\
    rust_test(name = \"t\", deps = [\":ckks\", \"//secret:secret\"])\n";

/// Replaces `from` by `to` in the good house and wants exactly these violations.
#[track_caller]
fn refuses(from: &str, to: &str, wanted: &[&str]) {
    assert!(CARGO.contains(from) || BUILD.contains(from), "{from:?} is not there");
    let found = violations(&house(&CARGO.replace(from, to), &BUILD.replace(from, to)));
    assert_eq!(found.len(), wanted.len(), "{found:#?}");
    for (line, part) in found.iter().zip(wanted) {
        assert!(line.contains(part), "{line:?} does not say {part:?}");
    }
}

#[test]
fn a_good_house_passes() {
    assert_eq!(violations(&house(CARGO, BUILD)), [""; 0]);
}

#[test]
fn an_edge_outside_the_table_is_refused() {
    let found = violations(&house(
        &CARGO.replace("ring = 1", "ring = 1\nsecret = 1"),
        &BUILD.replace("\"//ring:ring\"", "\"//ring:ring\", \"//secret\""),
    ));
    assert_eq!(found, ["ckks: [dependencies] uses secret, and the table draws no arrow ckks -> secret"]);
}

#[test]
fn a_test_edge_outside_the_table_is_refused() {
    let mut house = house(CARGO, BUILD);
    house.table = Table::parse(&TABLE.replace("ckks (tests) : secret\n", "")).unwrap();
    let found = violations(&house);
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(found[0].contains("[dev-dependencies] uses secret") && found[1].contains("secret: visible to ckks"));
}

#[test]
fn manifests_that_disagree_are_refused() {
    refuses(", \"@crates//:serde\"", "", &["serde is in [dependencies], but no library"]);
    refuses("serde = 1\n", "", &["serde is in deps of BUILD.bazel, but not in [dependencies]"]);
    refuses(", \"//secret:secret\"", "", &["secret is in [dev-dependencies], but no rust_test"]);
    refuses(
        ", \"//secret:secret\"",
        ", \"//secret:secret\", \"@crates//:tempfile\"",
        &["tempfile is in a test's deps"],
    );
    refuses("[dev-", "[build-dependencies]\n[dev-", &["Bazel runs no build script"]);
}

#[test]
fn features_away_from_the_root_are_refused() {
    refuses("serde = 1\n", "serde = { workspace = true, features = [\"x\"] }\n", &["serde has features here"]);
}

#[test]
fn wide_visibility_is_refused() {
    refuses("\":users\"", "\"//visibility:public\"", &["rust_library(ckks) is public"]);
    refuses("\":users\"", "\"//ring:__pkg__\"", &["visible to ring, and the table draws no arrow ring -> ckks"]);
    refuses("packages = [\"//secret\"]", "packages = [\"//ring/...\"]", &["visible to ring"]);
}

#[test]
fn a_crate_without_a_line_is_refused() {
    let mut house = house(CARGO, BUILD);
    house.members.push(member("stray", "", ""));
    assert_eq!(violations(&house), ["stray: no line in the arrow table of docs/architecture.md"]);
}

#[test]
fn outside_crates_must_be_in_both_lists() {
    let mut house = house(CARGO, BUILD);
    house.outside = Manifest::parse("[dependencies]\nrayon = 1\n");
    let found = violations(&house);
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(found[0].starts_with("rayon: in third_party/crates") && found[1].starts_with("serde: in [workspace"));
}

#[test]
fn an_outside_crate_that_nobody_uses_is_refused() {
    let mut house = house(CARGO, BUILD);
    house.root = Manifest::parse(&ROOT.replace("serde = 1", "serde = 1\nrayon = 1"));
    house.outside = Manifest::parse("[dependencies]\nrayon = 1\nserde = 1\n");
    assert_eq!(violations(&house), ["rayon: in [workspace.dependencies], but no crate of ours uses it"]);
}

#[test]
fn a_binary_without_the_version_is_refused() {
    refuses("version = \"0.1.0\"", "version = \"0.2.0\"", &["rust_binary(b) must have version = \"0.1.0\""]);
}
