//! What an end knows of its interface, and how it finds that the other end knows the same.
//!
//! Two builds of an interface share its fingerprint if they agree on what was there in the first version. What was added
//! since is in the **lineage**: a fingerprint for each version of each type. It goes along with the first message of a
//! bound end, so that the other one sees that the additions which both know are the same.

use super::header::HEADER_BYTES;
use super::interface::Interface;
use crate::error::BadMessage;

/// An interface as its compiler saw it. Made by generated code.
#[derive(Debug)]
pub struct Description {
    /// Its newest version.
    pub version: u32,
    /// Whether there may be newer ones.
    pub is_extensible: bool,
    /// The versions of the interface and of all types that it uses, in ascending order.
    pub lineage: &'static [Stage],
    /// All of it as text, with its names, for the other side to find what differs.
    pub text: &'static str,
}

/// One version of one definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stage {
    /// The hash of the definition's name.
    definition: u64,
    version: u32,
    /// The hash of what the definition was in that version.
    fingerprint: u64,
}

const STAGE_BYTES: usize = 20;

impl Stage {
    /// A version with its hashes.
    pub const fn new(definition: u64, version: u32, fingerprint: u64) -> Self {
        Self { definition, version, fingerprint }
    }

    fn to_bytes(self) -> [u8; STAGE_BYTES] {
        let mut bytes = [0; STAGE_BYTES];
        bytes[..8].copy_from_slice(&self.definition.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.version.to_le_bytes());
        bytes[12..].copy_from_slice(&self.fingerprint.to_le_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8; STAGE_BYTES]) -> Self {
        let [d0, d1, d2, d3, d4, d5, d6, d7, v0, v1, v2, v3, f0, f1, f2, f3, f4, f5, f6, f7] = *bytes;
        Self {
            definition: u64::from_le_bytes([d0, d1, d2, d3, d4, d5, d6, d7]),
            version: u32::from_le_bytes([v0, v1, v2, v3]),
            fingerprint: u64::from_le_bytes([f0, f1, f2, f3, f4, f5, f6, f7]),
        }
    }
}

/// By what an end knows its interface.
#[derive(Clone, Copy, Debug)]
pub(super) struct Identity {
    pub(super) name: &'static str,
    pub(super) fingerprint: u64,
    pub(super) description: &'static Description,
}

impl Identity {
    pub(super) fn of<T: Interface + ?Sized>() -> Self {
        Self { name: T::NAME, fingerprint: T::FINGERPRINT, description: T::DESCRIPTION }
    }

    /// Whether the other end, whose header has this fingerprint and goes on with these bytes, speaks the same interface.
    #[inline]
    pub(super) fn check(self, fingerprint: u64, extension: &[u8]) -> Result<(), BadMessage> {
        if fingerprint != self.fingerprint {
            return Err(BadMessage::OtherInterface {
                expected: self.name,
                expected_fingerprint: self.fingerprint,
                found_fingerprint: fingerprint,
            });
        }
        if extension.is_empty() { Ok(()) } else { self.check_lineage(extension) }
    }

    #[cold]
    fn check_lineage(self, extension: &[u8]) -> Result<(), BadMessage> {
        let theirs = read(extension)?;
        match first_difference(self.description.lineage, theirs) {
            None => Ok(()),
            Some((definition, version)) => Err(BadMessage::OtherVersion {
                interface: self.name,
                definition: self.name_of(definition).to_owned(),
                version,
            }),
        }
    }

    /// The name of a definition of ours.
    fn name_of(self, definition: u64) -> &'static str {
        let names = self.description.text.lines().filter_map(definition_name);
        let mut names = names.filter(|name| fnv_1a(name.as_bytes()) == definition);
        names.next().unwrap_or(self.name)
    }
}

/// The name that this line of a description gives to a definition, if it is the first line of one.
pub(super) fn definition_name(line: &str) -> Option<&str> {
    let line = line.strip_prefix("extensible ").unwrap_or(line);
    let (kind, name) = line.split_once(' ')?;
    matches!(kind, "interface" | "struct" | "union" | "enum").then_some(name)
}

fn fnv_1a(bytes: &[u8]) -> u64 {
    const OFFSET_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    bytes.iter().fold(OFFSET_BASIS, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(PRIME))
}

/// A header with the lineage behind it: how many versions, and these.
pub(super) fn extend(header: [u8; HEADER_BYTES], lineage: &[Stage]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER_BYTES + 2 + lineage.len() * STAGE_BYTES);
    bytes.extend_from_slice(&header);
    // The compiler of interfaces allows far fewer than these numbers can say.
    bytes.extend_from_slice(&u16::try_from(lineage.len()).unwrap_or(u16::MAX).to_le_bytes());
    for stage in lineage {
        bytes.extend_from_slice(&stage.to_bytes());
    }
    let size = u16::try_from(bytes.len()).unwrap_or(u16::MAX).to_le_bytes();
    bytes[..2].copy_from_slice(&size);
    bytes
}

/// The versions in an extended header, which must be in order; what a newer writer has put behind them is skipped.
fn read(extension: &[u8]) -> Result<&[[u8; STAGE_BYTES]], BadMessage> {
    let (count, stages) = extension.split_first_chunk().ok_or(BadMessage::InvalidHeader)?;
    let (stages, _) = stages.as_chunks::<STAGE_BYTES>();
    let stages = stages.get(..usize::from(u16::from_le_bytes(*count))).ok_or(BadMessage::InvalidHeader)?;
    let key = |stage: &[u8; STAGE_BYTES]| {
        let stage = Stage::from_bytes(stage);
        (stage.definition, stage.version)
    };
    let is_sorted = stages.windows(2).all(|pair| matches!(pair, [first, second] if key(first) < key(second)));
    if is_sorted { Ok(stages) } else { Err(BadMessage::InvalidHeader) }
}

/// A definition that both sides have and that is not the same in every version that both know, and the first such version.
fn first_difference(ours: &[Stage], theirs: &[[u8; STAGE_BYTES]]) -> Option<(u64, u32)> {
    let theirs = theirs.iter().map(Stage::from_bytes);
    let mut rest = ours;
    let mut group: Vec<Stage> = Vec::new();
    for stage in theirs.map(Some).chain([None]) {
        if let Some(stage) = stage
            && group.last().is_none_or(|last| last.definition == stage.definition)
        {
            group.push(stage);
            continue;
        }
        let newest = group.last()?;
        let skipped = rest.partition_point(|ours| ours.definition < newest.definition);
        rest = rest.get(skipped..).unwrap_or_default();
        let count = rest.partition_point(|ours| ours.definition == newest.definition);
        let (known, behind) = rest.split_at_checked(count).unwrap_or_default();
        if let Some(ours) = known.last() {
            let common = ours.version.min(newest.version);
            if let Some(version) = first_version_that_differs(known, &group, common) {
                return Some((newest.definition, version));
            }
        }
        rest = behind;
        group.clear();
        group.extend(stage);
    }
    None
}

fn first_version_that_differs(ours: &[Stage], theirs: &[Stage], newest: u32) -> Option<u32> {
    let known = |stages: &[Stage]| stages.partition_point(|stage| stage.version <= newest);
    let (ours, theirs) = (ours.get(..known(ours))?, theirs.get(..known(theirs))?);
    let same = ours.iter().zip(theirs).take_while(|(ours, theirs)| ours == theirs).count();
    let version = |stages: &[Stage]| stages.get(same).map(|stage| stage.version);
    match (version(ours), version(theirs)) {
        (Some(ours), Some(theirs)) => Some(ours.min(theirs)),
        (ours, theirs) => ours.or(theirs),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stages(text: &str) -> Vec<Stage> {
        let stage = |word: &str| {
            let digits: Vec<u64> = word.chars().map(|digit| digit.to_digit(10).unwrap_or(0).into()).collect();
            Stage::new(digits[0], u32::try_from(digits[1]).unwrap_or(0), digits[2])
        };
        text.split_whitespace().map(stage).collect()
    }

    fn difference(ours: &str, theirs: &str) -> Option<(u64, u32)> {
        let header = extend([0; HEADER_BYTES], &stages(theirs));
        let theirs = read(&header[HEADER_BYTES..]).expect("it was just written");
        first_difference(&stages(ours), theirs)
    }

    /// Each word is a definition, a version and a hash.
    #[test]
    fn what_both_know_must_be_the_same() {
        for (ours, theirs, expected) in [
            ("", "", None),
            ("", "117", None),
            ("117", "", None),
            ("117", "117", None),
            ("117", "117 128", None),
            ("117 128", "117 139", Some((1, 2))),
            ("117 128", "117 138", Some((1, 2))),
            ("117", "118", Some((1, 1))),
            ("117 128", "117 129", Some((1, 2))),
            ("117", "128", Some((1, 1))),
            ("117 128", "118 128", Some((1, 1))),
            ("117 217", "217 317", None),
            ("317", "117 217 318", Some((3, 1))),
            ("117 217 317", "317", None),
            ("107 117", "107", None),
            ("107", "108 117", Some((1, 0))),
        ] {
            assert_eq!(difference(ours, theirs), expected, "{ours} | {theirs}");
            assert_eq!(difference(theirs, ours), expected, "{theirs} | {ours}");
        }
    }

    #[test]
    fn a_lineage_that_nobody_writes_is_refused() {
        let good = extend([0; HEADER_BYTES], &stages("117 128 219"));
        let good = &good[HEADER_BYTES..];
        assert!(read(good).is_ok());
        assert!(read(&[good, &[1, 2, 3]].concat()).is_ok(), "there may be more behind it one day");
        for end in 0..good.len() {
            assert_eq!(read(&good[..end]), Err(BadMessage::InvalidHeader), "cut at {end}");
        }
        for wrong in ["117 117", "128 117", "217 117"] {
            let bytes = extend([0; HEADER_BYTES], &stages(wrong));
            assert_eq!(read(&bytes[HEADER_BYTES..]), Err(BadMessage::InvalidHeader), "{wrong}");
        }
    }
}
