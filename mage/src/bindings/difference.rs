//! Where two descriptions of an interface differ.
//!
//! The other one comes from a peer and may be anything. It is read line by line, nothing is reserved for it that it does
//! not have, and what is shown of it is cut to a readable length.

use std::collections::BTreeMap;

use super::description::definition_name;
use crate::error::Difference;

/// The most characters of a peer's words that are repeated.
const SHOWN_CHARACTERS_MAX: usize = 120;

/// The first difference between what both know, by our order; `None` if there is none, or theirs is no description.
pub(super) fn difference(ours: &str, theirs: &str) -> Option<Difference> {
    let (ours, theirs) = (parse(ours)?, parse(theirs)?);
    let (first, other) = (ours.first()?, theirs.first()?);
    if first.head != other.head {
        return Some(first.differs(other));
    }
    let by_name: BTreeMap<&str, &Definition<'_>> =
        theirs.iter().map(|theirs| (theirs.name, theirs)).collect();
    ours.iter().find_map(|ours| ours.difference(by_name.get(ours.name)?))
}

/// Which method a number stands for, and since which version it is there.
pub(super) fn method_named(text: &'static str, ordinal: u32) -> Option<(&'static str, u32)> {
    text.lines().find_map(|line| {
        let mut words = line.strip_prefix("method ")?.splitn(3, ' ');
        let since = words.next()?.parse().ok()?;
        let number: u32 = words.next()?.parse().ok()?;
        (number == ordinal).then_some((words.next()?, since))
    })
}

/// An interface, a struct, a union or an enum.
struct Definition<'a> {
    /// Its first line.
    head: &'a str,
    name: &'a str,
    parts: BTreeMap<Part, Line<'a>>,
}

/// What a line is about. The parts of a method have its number before them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Method(u32),
    Parameter(u32, usize),
    Answers(u32),
    Response(u32, usize),
    Error(u32),
    Field(usize),
    Member(u32),
    Value(i32),
}

/// The method whose lines are being read.
struct Method<'a> {
    ordinal: u32,
    since: u32,
    name: &'a str,
    parameters: usize,
    responses: usize,
}

/// What a line says.
#[derive(Clone, Copy)]
struct Line<'a> {
    /// The name of the method that it belongs to.
    method: Option<&'a str>,
    since: u32,
    name: &'a str,
    /// The type, if it has one.
    value_type: &'a str,
}

fn parse(text: &str) -> Option<Vec<Definition<'_>>> {
    let mut definitions: Vec<Definition<'_>> = Vec::new();
    let mut method = None;
    for line in text.lines() {
        if let Some(name) = definition_name(line) {
            definitions.push(Definition { head: line, name, parts: BTreeMap::new() });
            method = None;
            continue;
        }
        let definition = definitions.last_mut()?;
        let (part, line) = parse_line(line, &mut method, definition)?;
        definition.parts.insert(part, line);
    }
    Some(definitions)
}

fn parse_line<'a>(
    line: &'a str,
    method: &mut Option<Method<'a>>,
    definition: &Definition<'a>,
) -> Option<(Part, Line<'a>)> {
    let (kind, rest) = line.split_once(' ').unwrap_or((line, ""));
    if matches!(kind, "method" | "member" | "value") {
        let mut words = rest.splitn(4, ' ');
        let since = words.next()?.parse().ok()?;
        let number = words.next()?;
        let name = words.next()?;
        let part = match kind {
            "method" => Part::Method(number.parse().ok()?),
            "member" => Part::Member(number.parse().ok()?),
            _ => Part::Value(number.parse().ok()?),
        };
        if let Part::Method(ordinal) = part {
            *method = Some(Method { ordinal, since, name, parameters: 0, responses: 0 });
        }
        return Some((
            part,
            Line { method: None, since, name, value_type: words.next().unwrap_or_default() },
        ));
    }
    if kind == "field" {
        let (since, name, value_type) = since_name_type(rest)?;
        let part = Part::Field(definition.parts.len());
        return Some((part, Line { method: None, since, name, value_type }));
    }
    let method = method.as_mut()?;
    let ordinal = method.ordinal;
    let (part, since, name, value_type) = match kind {
        "answers" => (Part::Answers(ordinal), 0, "=>", ""),
        "error" => (Part::Error(ordinal), 0, "error", rest),
        "in" | "out" => {
            let is_parameter = kind == "in";
            let place = if is_parameter { &mut method.parameters } else { &mut method.responses };
            let index = *place;
            *place += 1;
            let part =
                if is_parameter { Part::Parameter(ordinal, index) } else { Part::Response(ordinal, index) };
            let (since, name, value_type) = since_name_type(rest)?;
            (part, since, name, value_type)
        }
        _ => return None,
    };
    let since = method.since.max(since);
    Some((part, Line { method: Some(method.name), since, name, value_type }))
}

fn since_name_type(text: &str) -> Option<(u32, &str, &str)> {
    let mut words = text.splitn(3, ' ');
    Some((words.next()?.parse().ok()?, words.next()?, words.next()?))
}

impl<'a> Definition<'a> {
    fn difference(&self, other: &Self) -> Option<Difference> {
        if self.head != other.head {
            return Some(self.differs(other));
        }
        let newest = |definition: &Self| definition.parts.values().map(|line| line.since).max();
        let common = newest(self).unwrap_or_default().min(newest(other).unwrap_or_default());
        let known = |definition: &Self, part: &Part| {
            definition.parts.get(part).filter(|line| line.since <= common).copied()
        };
        let mut parts: Vec<&Part> = self.parts.keys().chain(other.parts.keys()).collect();
        parts.sort();
        parts.dedup();
        parts.into_iter().find_map(|part| {
            let (here, there) = (known(self, part), known(other, part));
            let is_same = match (here, there) {
                (Some(here), Some(there)) => here.says_the_same(there, *part),
                (here, there) => here.is_none() && there.is_none(),
            };
            if is_same { None } else { Some(self.differs_in(*part, here, there)) }
        })
    }

    fn differs(&self, other: &Self) -> Difference {
        Difference {
            definition: shown(self.name),
            method: None,
            field: None,
            here: shown(self.head),
            there: shown(other.head),
        }
    }

    fn differs_in(&self, part: Part, here: Option<Line<'a>>, there: Option<Line<'a>>) -> Difference {
        let known = here.or(there);
        let name = known.map_or("", |line| line.name);
        let (method, field) = match part {
            Part::Method(_) => (Some(name), None),
            Part::Answers(_) => (known.and_then(|line| line.method), None),
            _ => (known.and_then(|line| line.method), Some(name)),
        };
        let say = |line: Option<Line<'_>>| line.map_or_else(|| "nothing".to_owned(), |line| line.say(part));
        Difference {
            definition: shown(self.name),
            method: method.map(shown),
            field: field.map(shown),
            here: say(here),
            there: say(there),
        }
    }
}

impl Line<'_> {
    /// Names of parameters, fields and members are for people; those of methods are part of the interface.
    fn says_the_same(self, other: Self, part: Part) -> bool {
        let is_method = matches!(part, Part::Method(_));
        self.since == other.since
            && self.value_type == other.value_type
            && (!is_method || self.name == other.name)
    }

    fn say(self, part: Part) -> String {
        let what = match part {
            Part::Method(ordinal) => format!("{}@{ordinal}", self.name),
            Part::Member(number) => format!("{} @{number}", self.value_type),
            Part::Value(number) => format!("{} = {number}", self.name),
            Part::Answers(_) => "an answer".to_owned(),
            _ => self.value_type.to_owned(),
        };
        match self.since {
            0 => shown(&what),
            since => format!("{} since version {since}", shown(&what)),
        }
    }
}

fn shown(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(SHOWN_CHARACTERS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = "\
extensible interface media.Player
method 0 0 Open
in 0 url string
in 1 mode media.Mode
answers
out 0 found bool
error string
method 2 1 Seek
in 0 to long
struct media.Size
field 0 width int
field 0 height int
extensible union media.Event
member 0 0 position long
member 1 5 failed string
enum media.Mode
value 0 0 FAST
value 0 7 SLOW
";

    #[test]
    fn the_first_difference_is_named() {
        assert_eq!(difference(OURS, OURS), None);
        for (from, to, expected) in [
            (
                "media.Player",
                "Player",
                "`media.Player`: `extensible interface media.Player` here, `extensible interface Player` there",
            ),
            (
                "extensible union",
                "union",
                "`media.Event`: `extensible union media.Event` here, `union media.Event` there",
            ),
            ("0 Open", "0 Start", "`media.Player`, method `Open`: `Open@0` here, `Start@0` there"),
            ("url string", "url bytes", "`media.Player`, method `Open`, `url`: `string` here, `bytes` there"),
            (
                "in 0 url string\n",
                "",
                "`media.Player`, method `Open`, `url`: `string` here, `media.Mode since version 1` there",
            ),
            (
                "in 1 mode",
                "in 2 mode",
                "`media.Player`, method `Open`, `mode`: `media.Mode since version 1` here, `media.Mode since version 2` there",
            ),
            (
                "in 1 mode media.Mode\n",
                "",
                "`media.Player`, method `Open`, `mode`: `media.Mode since version 1` here, `nothing` there",
            ),
            (
                "out 0 found bool",
                "out 0 found int",
                "`media.Player`, method `Open`, `found`: `bool` here, `int` there",
            ),
            ("error string\n", "", "`media.Player`, method `Open`, `error`: `string` here, `nothing` there"),
            (
                "to long",
                "to int",
                "`media.Player`, method `Seek`, `to`: `long since version 2` here, `int since version 2` there",
            ),
            ("field 0 height int\n", "", "`media.Size`, `height`: `int` here, `nothing` there"),
            (
                "0 position long",
                "0 position int",
                "`media.Event`, `position`: `long @0` here, `int @0` there",
            ),
            ("7 SLOW", "8 SLOW", "`media.Mode`, `SLOW`: `SLOW = 7` here, `nothing` there"),
        ] {
            let theirs = OURS.replacen(from, to, 1);
            assert_ne!(theirs, OURS);
            let found = difference(OURS, &theirs).unwrap_or_else(|| panic!("{from} -> {to} is not found"));
            assert_eq!(found.to_string(), expected, "{from} -> {to}");
            assert!(difference(&theirs, OURS).is_some(), "{to} -> {from} is not found");
        }
    }

    #[test]
    fn what_only_one_side_can_know_is_no_difference() {
        for (from, to) in [
            ("method 2 1 Seek\nin 0 to long\n", ""),
            ("member 1 5 failed string\n", ""),
            ("url string", "address string"),
            ("struct media.Size\nfield 0 width int\nfield 0 height int\n", ""),
        ] {
            let theirs = OURS.replacen(from, to, 1);
            assert_ne!(theirs, OURS);
            assert_eq!(difference(OURS, &theirs), None, "{from} -> {to}");
            assert_eq!(difference(&theirs, OURS), None, "{to} -> {from}");
        }
    }

    #[test]
    fn whatever_a_peer_says_is_survived() {
        for theirs in
            ["", "\n", "interface", "method 0 0 A", "interface A\nin 0 a int", "interface A\nmethod x 0 A"]
        {
            assert_eq!(difference(OURS, theirs), None, "{theirs:?}");
        }
        let long = format!("interface {}", "x\u{7}".repeat(10_000));
        let found = difference(OURS, &long).map(|difference| difference.there);
        assert_eq!(found.map(|there| there.len()), Some(SHOWN_CHARACTERS_MAX));
    }

    /// Every line left out, said twice, or cut off anywhere.
    #[test]
    fn whatever_is_left_of_a_description_is_survived() {
        let lines: Vec<&str> = OURS.split_inclusive('\n').collect();
        for place in 0..lines.len() {
            for times in [0, 2, 50] {
                let mut theirs = lines.clone();
                theirs.splice(place..=place, std::iter::repeat_n(lines[place], times));
                let _ = difference(OURS, &theirs.concat());
            }
        }
        for end in 0..OURS.len() {
            let _ = difference(OURS, &OURS[..end]);
            let _ = difference(OURS, &OURS[end..]);
        }
    }

    #[test]
    fn methods_are_found_by_number() {
        assert_eq!(method_named(OURS, 1), Some(("Seek", 2)));
        assert_eq!(method_named(OURS, 2), None);
    }
}
