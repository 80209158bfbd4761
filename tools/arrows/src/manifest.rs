//! The few facts of a `Cargo.toml` that the rules need.
//!
//! Our manifests are plain: one dependency a line, `name = ...` or `name.workspace = true`, in `[dependencies]`,
//! `[dev-dependencies]` or `[workspace.dependencies]`. This reads that form, not all of TOML.

use std::collections::{BTreeMap, BTreeSet};

/// What was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    /// `[package] name`, empty in a workspace's root.
    pub name: String,
    /// From a section's name to the keys in it.
    sections: BTreeMap<String, BTreeSet<String>>,
    /// `members` of `[workspace]`.
    pub members: Vec<String>,
    /// `version` of `[workspace.package]`.
    pub workspace_version: String,
    /// Dependencies on a line that mentions features.
    pub with_features: BTreeSet<String>,
}

impl Manifest {
    /// Reads the text of a `Cargo.toml`.
    pub fn parse(text: &str) -> Manifest {
        let mut manifest = Manifest::default();
        let mut section = String::new();
        let mut in_members = false;
        for line in text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')) {
            if in_members {
                manifest.members.extend(quoted(line));
                in_members = !line.contains(']');
            } else if let Some(name) = line.strip_prefix('[') {
                section = name.trim_end_matches(']').to_owned();
                manifest.sections.entry(section.clone()).or_default();
            } else if let Some((key, value)) = line.split_once('=') {
                let key = key.trim().trim_matches('"');
                match (section.as_str(), key) {
                    ("package", "name") => manifest.name = quoted(value).concat(),
                    ("workspace.package", "version") => manifest.workspace_version = quoted(value).concat(),
                    ("workspace", "members") => {
                        manifest.members.extend(quoted(value));
                        in_members = !value.contains(']');
                    }
                    _ => {}
                }
                let dependency = key.split('.').next().unwrap_or(key);
                if section.ends_with("dependencies") && line.contains("features") {
                    manifest.with_features.insert(dependency.to_owned());
                }
                manifest.sections.entry(section.clone()).or_default().insert(dependency.to_owned());
            }
        }
        manifest
    }

    /// The keys of a section such as `dependencies`; empty when there is none.
    pub fn keys(&self, section: &str) -> BTreeSet<String> {
        self.sections.get(section).cloned().unwrap_or_default()
    }

    /// Whether the section is there.
    pub fn has(&self, section: &str) -> bool {
        self.sections.contains_key(section)
    }
}

/// The strings in double quotes on a line.
fn quoted(line: &str) -> Vec<String> {
    line.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_forms_of_a_dependency() {
        let m = Manifest::parse(
            "[package]\nname = \"x\"\n\n[dependencies]\n# no\na = { workspace = true }\nb.workspace = true\n[dev-dependencies]\nc = \"1\"\n",
        );
        assert_eq!(m.name, "x");
        assert_eq!(m.keys("dependencies"), BTreeSet::from(["a".to_owned(), "b".to_owned()]));
        assert_eq!(m.keys("dev-dependencies"), BTreeSet::from(["c".to_owned()]));
        assert!(!m.has("build-dependencies") && m.with_features.is_empty());
    }

    #[test]
    fn reads_the_members_of_a_workspace() {
        let m = Manifest::parse(
            "[workspace]\nmembers = [\n  \"a\",\n  \"b/c\",\n]\n[workspace.package]\nversion = \"0.1.0\"\n[workspace.dependencies]\nserde = \"1\"\n",
        );
        assert_eq!(m.members, ["a", "b/c"]);
        assert_eq!(m.workspace_version, "0.1.0");
        assert_eq!(m.keys("workspace.dependencies"), BTreeSet::from(["serde".to_owned()]));
    }
}
