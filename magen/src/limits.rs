//! Every limit of the compiler, in one place. Whatever goes beyond one of them is an error, never a panic.

/// The largest `.magen` file that is read, in bytes.
pub(crate) const FILE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The longest name of anything declared in a `.magen` file, in bytes.
///
/// With it, every line that a single name makes still fits the width of generated code.
pub(crate) const NAME_BYTES_MAX: usize = 60;

/// The most methods one interface may have.
pub(crate) const METHODS_MAX: usize = 4096;

/// The most parameters one method may have, and the most values one response may have.
pub(crate) const PARAMETERS_MAX: usize = 64;

/// The most diagnostics that are kept for one file; the search for more ends there.
pub(crate) const DIAGNOSTICS_MAX: usize = 100;

/// The most bytes of source that are shown beside one diagnostic; beyond it, only the position is named.
pub(crate) const EXCERPT_BYTES_MAX: usize = 64 * 1024;

/// The greatest number of edits between a misspelt name and the one that is suggested for it.
pub(crate) const SUGGESTION_EDITS_MAX: usize = 2;
