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

/// The most fields, members or values that one struct, union or enum may have.
pub(crate) const MEMBERS_MAX: usize = 1024;

/// How deep a type may be nested in its own brackets: `array<array<int>>` is nested once.
pub(crate) const TYPE_DEPTH_MAX: usize = 16;

/// How many structs, unions and fixed arrays may be nested in one another, in place.
pub(crate) const INLINE_DEPTH_MAX: u32 = 64;

/// The most bytes a value may take where it stands, without what it keeps elsewhere.
pub(crate) const INLINE_BYTES_MAX: u64 = 64 * 1024;

/// The same of a value that may contain others of its kind. They are decoded one within the other, as deep as a peer likes up to
/// mage's limit, and all of them have to be on the stack. An optimised build then needs less than half of the 2 MiB that a thread
/// has; another one needs up to 4 MiB.
pub(crate) const RECURSIVE_BYTES_MAX: u64 = 2 * 1024;

/// The most files that one file may import, also by way of others.
pub(crate) const FILES_MAX: usize = 1024;

/// How deep values may contain values of their own kind, and envelopes, as in mage itself.
pub(crate) const VALUE_DEPTH_MAX: u32 = 64;

/// How deep values of any kind may be nested where they are read by the schema, without generated code.
pub(crate) const DYNAMIC_DEPTH_MAX: u32 = 512;

/// The most versions that one interface may have, together with those of everything that it uses: their fingerprints
/// travel in the header of one message.
pub(crate) const STAGES_MAX: usize = 1024;
