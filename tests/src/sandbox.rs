//! What mage may call of the system once it is under way: the list that `docs/SECURITY.md` publishes, enforced.

use std::error::Error;

use seccompiler::{apply_filter_all_threads, compile_from_json};

use crate::Flavor;

/// The calls that are published for this scheduler: the first column of the table, where its second names it.
///
/// # Panics
/// If the page has no such table.
pub fn published(flavor: Flavor) -> Vec<&'static str> {
    let page = include_str!("../../docs/SECURITY.md");
    let (_, section) = page.split_once("\n## System calls\n").expect("the section is there");
    let section = section.split("\n## ").next().unwrap_or_default();
    let family = flavor.name().split('_').next().unwrap_or_default();
    let rows = section.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| `")?.split('|');
        let (calls, schedulers) = (cells.next()?, cells.next()?);
        (schedulers.contains("all") || schedulers.contains(family)).then_some(calls)
    });
    let calls = rows.flat_map(|calls| calls.split([' ', ',', '`'])).filter(|call| !call.is_empty());
    let calls: Vec<&str> = calls.collect();
    assert!(calls.len() > 10, "only {calls:?} are published");
    calls
}

/// From now on no thread of this process makes any other system call than those, or the process ends.
///
/// # Errors
/// If the kernel does not take the filter, or a name on the list is none.
pub fn enter(flavor: Flavor) -> Result<(), Box<dyn Error>> {
    let rules: Vec<String> =
        published(flavor).into_iter().map(|call| format!("{{\"syscall\": \"{call}\"}}")).collect();
    let filter = format!(
        "{{\"calls\": {{\"match_action\": \"allow\", \"mismatch_action\": \"kill_process\", \"filter\": [{}]}}}}",
        rules.join(", ")
    );
    let programs = compile_from_json(filter.as_bytes(), std::env::consts::ARCH.try_into()?)?;
    apply_filter_all_threads(programs.get("calls").ok_or("the filter is not there")?)?;
    Ok(())
}
