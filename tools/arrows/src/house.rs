//! The project as the rules see it: the table, the root manifest, every crate.

use std::fs;
use std::path::Path;

use crate::build_file::{self, Call};
use crate::manifest::Manifest;
use crate::table::Table;

/// The folder of the one package that names every crate from outside.
pub const OUTSIDE: &str = "third_party/crates";

/// One member of the workspace.
#[derive(Clone, Debug)]
pub struct Member {
    /// Its folder, relative to the root: `he_core/ring`.
    pub folder: String,
    /// Its `Cargo.toml`.
    pub manifest: Manifest,
    /// The calls in its `BUILD.bazel`.
    pub build: Vec<Call>,
}

/// All that is checked.
#[derive(Clone, Debug)]
pub struct House {
    /// Out of `docs/architecture.md`.
    pub table: Table,
    /// The root `Cargo.toml`.
    pub root: Manifest,
    /// Every member but [`OUTSIDE`].
    pub members: Vec<Member>,
    /// The manifest in [`OUTSIDE`].
    pub outside: Manifest,
}

impl House {
    /// Reads the project below `root`.
    ///
    /// # Errors
    /// A file that a member must have is not there, or the table cannot be read.
    pub fn read(root: &Path) -> Result<House, String> {
        let text = |path: &str| {
            fs::read_to_string(root.join(path)).map_err(|e| {
                format!("{path}: {e} (under Bazel it must be among the data of //tools/arrows:house_test)")
            })
        };
        let table = Table::parse(&text("docs/architecture.md")?)?;
        let root_manifest = Manifest::parse(&text("Cargo.toml")?);
        let mut members = Vec::new();
        for folder in root_manifest.members.iter().filter(|f| *f != OUTSIDE) {
            members.push(Member {
                manifest: Manifest::parse(&text(&format!("{folder}/Cargo.toml"))?),
                build: build_file::parse(&text(&format!("{folder}/BUILD.bazel"))?),
                folder: folder.clone(),
            });
        }
        let outside = Manifest::parse(&text(&format!("{OUTSIDE}/Cargo.toml"))?);
        Ok(House { table, root: root_manifest, members, outside })
    }

    /// The member of that crate name.
    pub fn member(&self, name: &str) -> Option<&Member> {
        self.members.iter().find(|m| m.manifest.name == name)
    }

    /// The name under which a member stands in the table: its crate's, its folder's last part, or its room's.
    pub fn line(&self, member: &Member) -> Option<&str> {
        let (room, last) = (member.folder.split('/').next(), member.folder.rsplit('/').next());
        [Some(member.manifest.name.as_str()), last, room]
            .into_iter()
            .flatten()
            .find_map(|n| self.table.names().find(|t| *t == n))
    }
}
