//! How many versions an interface has: their fingerprints travel together.

use crate::diagnostic::{Diagnostic, DiagnosticKind, Reporter};
use crate::fingerprint::lineage;
use crate::limits::STAGES_MAX;
use crate::schema::{Kind, Schema};

pub(super) fn check(first: usize, schema: &Schema<'_>, reporter: &mut Reporter) {
    let has_versions = |(id, _): &(_, _)| schema.versions(*id).len() > 1;
    // Hardly any file comes near the limit, and this is quick to see.
    if schema.ids().filter(has_versions).map(|(id, _)| schema.versions(id).len()).sum::<usize>() <= STAGES_MAX
    {
        return;
    }
    for (id, definition) in schema.ids().skip(first) {
        if !matches!(definition.kind, Kind::Interface(_)) || lineage(id, schema).len() <= STAGES_MAX {
            continue;
        }
        let message = format!("the interface `{}` has more than {STAGES_MAX} versions", definition.name);
        reporter.report(
            Diagnostic::new(DiagnosticKind::TooManyVersions, definition.span, message)
                .label("counting those of everything that it uses")
                .help("what is added at the same time can have the same version"),
        );
    }
}
