//! What must hold. Each rule answers with one line per violation.

use std::collections::BTreeSet;

use crate::build_file::Call;
use crate::house::{House, Member, OUTSIDE};

/// Crates that only benches use: cargo runs those, Bazel does not know them.
const CARGO_ONLY: [&str; 1] = ["criterion"];
const PUBLIC: &str = "//visibility:public";
const PRIVATE: &str = "//visibility:private";
const SELF: &str = "//tools/arrows:__pkg__";

/// Every violation in the house, sorted.
pub fn violations(house: &House) -> Vec<String> {
    let mut found = outside_crates_are_named_once(house);
    for member in &house.members {
        found.extend(edges_are_in_the_table(house, member));
        found.extend(manifests_agree(house, member));
        found.extend(nothing_is_public(member));
        found.extend(libraries_open_to_their_users_only(house, member));
        found.extend(binaries_carry_the_version(house, member));
    }
    found.sort();
    found
}

fn edges_are_in_the_table(house: &House, member: &Member) -> Vec<String> {
    let name = &member.manifest.name;
    let Some(line) = house.line(member) else {
        return vec![format!("{name}: no line in the arrow table of docs/architecture.md")];
    };
    let mut found = Vec::new();
    for (section, test) in [("dependencies", false), ("dev-dependencies", true)] {
        for used in member.manifest.keys(section).iter().filter_map(|d| house.member(d)) {
            let to = house.line(used).unwrap_or_default();
            let allowed = if test { house.table.allows_tests(line, to) } else { house.table.allows(line, to) };
            if !allowed {
                found.push(format!(
                    "{name}: [{section}] uses {}, and the table draws no arrow {line} -> {to}",
                    used.manifest.name
                ));
            }
        }
    }
    found
}

fn manifests_agree(house: &House, member: &Member) -> Vec<String> {
    let name = &member.manifest.name;
    let (normal, dev) = (member.manifest.keys("dependencies"), member.manifest.keys("dev-dependencies"));
    let built = crates(house, member, |rule| ["rust_library", "rust_binary", "rust_proc_macro"].contains(&rule));
    let tested = crates(house, member, |rule| rule == "rust_test");
    let mut found = Vec::new();
    let mut each = |set: Vec<&String>, what: &str| found.extend(set.into_iter().map(|d| format!("{name}: {d} {what}")));

    each(
        normal.difference(&built).collect(),
        "is in [dependencies], but no library or binary in BUILD.bazel has it in deps",
    );
    each(built.difference(&normal).collect(), "is in deps of BUILD.bazel, but not in [dependencies]");
    each(
        tested.iter().filter(|d| !normal.contains(*d) && !dev.contains(*d) && *d != name).collect(),
        "is in a test's deps of BUILD.bazel, but in no section of Cargo.toml",
    );
    each(
        dev.iter().filter(|d| !tested.contains(*d) && !CARGO_ONLY.contains(&d.as_str())).collect(),
        "is in [dev-dependencies], but no rust_test in BUILD.bazel has it in deps",
    );
    // Bazel sees each crate from outside once, with the features that the root manifest asks for.
    each(member.manifest.with_features.iter().collect(), "has features here: they belong in [workspace.dependencies]");
    if member.manifest.has("build-dependencies") {
        found.push(format!("{name}: has [build-dependencies], but Bazel runs no build script of ours"));
    }
    found
}

/// The crates behind the deps of some rules; an unknown label stands as it is. Targets of the same package are left out.
fn crates(house: &House, member: &Member, wanted: impl Fn(&str) -> bool) -> BTreeSet<String> {
    let calls = member.build.iter().filter(|c| wanted(&c.rule));
    let labels = calls.flat_map(|c| c.strings("deps").iter().chain(c.strings("proc_macro_deps")));
    labels.filter(|l| !l.starts_with(':')).map(|l| crate_of(house, l)).filter(|c| *c != member.manifest.name).collect()
}

fn crate_of(house: &House, label: &str) -> String {
    if let Some(name) = label.strip_prefix("@crates//:") {
        return name.to_owned();
    }
    let (folder, target) =
        label.trim_start_matches("//").split_once(':').unwrap_or((label.trim_start_matches("//"), ""));
    let member = house.members.iter().find(|m| m.folder == folder);
    // A package may hold more libraries than its crate, such as one for tests: those keep their label.
    match member {
        Some(m) if target.is_empty() || target == m.manifest.name => m.manifest.name.clone(),
        _ => label.to_owned(),
    }
}

fn nothing_is_public(member: &Member) -> Vec<String> {
    let mut found = Vec::new();
    if !member.build.iter().any(|c| c.rule == "package" && !c.strings("default_visibility").is_empty()) {
        found.push(format!("{}: BUILD.bazel sets no default_visibility", member.folder));
    }
    for call in &member.build {
        if call.strings("visibility").iter().chain(call.strings("default_visibility")).any(|v| v == PUBLIC) {
            found.push(format!("{}: {}({}) is public", member.folder, call.rule, call.name()));
        }
    }
    found
}

fn libraries_open_to_their_users_only(house: &House, member: &Member) -> Vec<String> {
    let Some(line) = house.line(member) else {
        return Vec::new();
    };
    let default =
        member.build.iter().find(|c| c.rule == "package").map_or(&[][..], |c| c.strings("default_visibility"));
    let mut found = Vec::new();
    for call in member.build.iter().filter(|c| c.rule == "rust_library") {
        let own = call.strings("visibility");
        for entry in if own.is_empty() { default } else { own } {
            for package in packages(entry, &member.build) {
                for user in house.members.iter().filter(|m| covers(&package, &m.folder) && m.folder != member.folder) {
                    let user_line = house.line(user).unwrap_or_default();
                    if !house.table.allows_tests(user_line, line) {
                        found.push(format!(
                            "{}: visible to {}, and the table draws no arrow {user_line} -> {line}",
                            call.name(),
                            user.folder
                        ));
                    }
                }
            }
        }
    }
    found
}

/// A visibility entry as packages in the form `he_core/ring` or `he_core/...`; a group of the same file is looked up.
fn packages(entry: &str, build: &[Call]) -> Vec<String> {
    if [PUBLIC, PRIVATE, SELF].contains(&entry) {
        return Vec::new();
    }
    let plain = |p: &str| p.trim_start_matches("//").to_owned();
    if let Some(name) = entry.strip_prefix(':') {
        let group = build.iter().find(|c| c.rule == "package_group" && c.name() == name);
        return group.map_or(Vec::new(), |g| g.strings("packages").iter().map(|p| plain(p)).collect());
    }
    match entry.rsplit_once(':') {
        Some((package, "__subpackages__")) => vec![format!("{}/...", plain(package))],
        Some((package, _)) => vec![plain(package)],
        None => vec![plain(entry)],
    }
}

fn covers(package: &str, folder: &str) -> bool {
    match package.strip_suffix("...") {
        Some(above) => above.trim_end_matches('/') == folder || folder.starts_with(above),
        None => package == folder,
    }
}

fn binaries_carry_the_version(house: &House, member: &Member) -> Vec<String> {
    let wanted = &house.root.workspace_version;
    let binaries = member.build.iter().filter(|c| c.rule == "rust_binary");
    let wrong = binaries.filter(|c| c.strings("version").first() != Some(wanted));
    wrong.map(|c| format!("{}: rust_binary({}) must have version = \"{wanted}\"", member.folder, c.name())).collect()
}

fn outside_crates_are_named_once(house: &House) -> Vec<String> {
    let ours: BTreeSet<String> = house.members.iter().map(|m| m.manifest.name.clone()).collect();
    let listed = house.root.keys("workspace.dependencies");
    let named = house.outside.keys("dependencies");
    let missing =
        listed.iter().filter(|d| !ours.contains(*d) && !named.contains(*d) && !CARGO_ONLY.contains(&d.as_str()));
    let mut found: Vec<String> =
        missing.map(|d| format!("{d}: in [workspace.dependencies], but not in {OUTSIDE}/Cargo.toml")).collect();
    found.extend(
        named.difference(&listed).map(|d| format!("{d}: in {OUTSIDE}/Cargo.toml, but not in [workspace.dependencies]")),
    );
    let mut used_somewhere = BTreeSet::new();
    for member in &house.members {
        let used = &member.manifest.keys("dependencies") | &member.manifest.keys("dev-dependencies");
        found.extend(
            used.difference(&listed)
                .map(|d| format!("{}: {d} is not in [workspace.dependencies]", member.manifest.name)),
        );
        used_somewhere.extend(used);
    }
    let idle = listed.iter().filter(|d| !ours.contains(*d) && !used_somewhere.contains(*d));
    found.extend(idle.map(|d| format!("{d}: in [workspace.dependencies], but no crate of ours uses it")));
    found
}

#[cfg(test)]
mod tests;
