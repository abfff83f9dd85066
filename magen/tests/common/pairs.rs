//! Random pairs of an older and a newer interface, with what was done to the older one. The same for the same seed.

#![allow(dead_code, clippy::allow_attributes, reason = "no test uses all of it")]

use std::fmt::Write;

use magen::dynamic::Random;

/// The name of every interface.
pub(crate) const NAME: &str = "Pair";

/// An interface, and what became of it.
#[derive(Clone, Debug)]
pub(crate) struct Pair {
    pub(crate) old: Schema,
    pub(crate) new: Schema,
    /// What was done, for people.
    pub(crate) change: String,
    /// Where it breaks: the definition, the method, and the member. `None` if it does not.
    pub(crate) expected: Option<(String, Option<String>, Option<String>)>,
}

/// An interface and the types that it uses.
#[derive(Clone, Debug)]
pub(crate) struct Schema {
    definitions: Vec<Definition>,
    is_extensible: bool,
    pub(crate) methods: Vec<Method>,
}

#[derive(Clone, Debug)]
struct Definition {
    keyword: &'static str,
    name: &'static str,
    is_extensible: bool,
    /// Those of an enum have a number for a type.
    items: Vec<Item>,
}

/// What is answered is what was sent.
#[derive(Clone, Debug)]
pub(crate) struct Method {
    pub(crate) name: String,
    ordinal: u32,
    since: u32,
    pub(crate) list: Vec<Item>,
    pub(crate) is_answered: bool,
    pub(crate) has_error: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) name: String,
    value_type: String,
    since: u32,
    /// Whether it is a slice of its message, which the other side does not see.
    is_shared: bool,
}

impl Item {
    fn new(name: String, value_type: String, since: u32) -> Self {
        Self { name, value_type, since, is_shared: false }
    }

    /// What stands before it if it is there since this version.
    fn attributes(&self, since: u32) -> String {
        version(since) + if self.is_shared { "[Shared] " } else { "" }
    }
}

impl Schema {
    /// As a `.magen` file.
    pub(crate) fn text(&self) -> String {
        let mut text = "module pairs;\n".to_owned();
        for definition in &self.definitions {
            let Definition { keyword, name, is_extensible, items } = definition;
            let _ = writeln!(text, "{}{keyword} {name} {{", extensible(*is_extensible));
            for item @ Item { name, value_type, since, .. } in items {
                let _ = match *keyword {
                    "enum" => writeln!(text, "  {}{name} = {value_type},", version(*since)),
                    _ => writeln!(text, "  {}{value_type} {name};", item.attributes(*since)),
                };
            }
            text.push_str("}\n");
        }
        let _ = writeln!(text, "{}interface {NAME} {{", extensible(self.is_extensible));
        for method in &self.methods {
            let items = method.list.iter().map(|item| {
                // An addition to a method that is new itself is none.
                let since = if method.since >= item.since { 0 } else { item.since };
                format!("{}{} {}", item.attributes(since), item.value_type, item.name)
            });
            let list = items.collect::<Vec<_>>().join(", ");
            let answer = if method.is_answered { format!(" => ({list})") } else { String::new() };
            let error = if method.is_answered && method.has_error { " error string" } else { "" };
            let Method { name, ordinal, since, .. } = method;
            let _ = writeln!(text, "  {}{name}@{ordinal}({list}){answer}{error};", version(*since));
        }
        text + "}\n"
    }

    /// Makes slices of about half of what can be one.
    fn share(&mut self, random: &mut Random) {
        let fields = self.definitions.iter_mut().flat_map(|definition| &mut definition.items);
        for item in fields.chain(self.methods.iter_mut().flat_map(|method| &mut method.list)) {
            let is_text = ["string", "bytes"].iter().any(|word| item.value_type.contains(word));
            item.is_shared = is_text && random.one_in(2);
        }
    }

    fn version(&self) -> u32 {
        let lists = self.methods.iter().flat_map(|method| &method.list).map(|item| item.since);
        self.methods.iter().map(|method| method.since).chain(lists).max().unwrap_or_default()
    }
}

impl Definition {
    fn version(&self) -> u32 {
        self.items.iter().map(|item| item.since).max().unwrap_or_default()
    }
}

fn extensible(is_extensible: bool) -> &'static str {
    if is_extensible { "[Extensible] " } else { "" }
}

fn version(since: u32) -> String {
    if since == 0 { String::new() } else { format!("[MinVersion={since}] ") }
}

impl Pair {
    /// The pair of this seed.
    pub(crate) fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let mut old = old(&mut random);
        // A change that this interface has no place for is none: then there is another one.
        loop {
            let mut new = old.clone();
            let changed = if random.one_in(2) {
                compatible(&mut new, &mut random).map(|change| (change, None))
            } else {
                breaking(&mut new, &mut random).map(|(change, place)| (change, Some(place)))
            };
            if let Some((change, expected)) = changed {
                old.share(&mut random);
                new.share(&mut random);
                return Self { old, new, change, expected };
            }
        }
    }
}

fn pick<'a, T>(from: &'a mut [T], random: &mut Random) -> Option<&'a mut T> {
    let place = random.below(from.len());
    from.get_mut(place)
}

/// A type that has a default, so that it can be added.
fn simple_type(random: &mut Random) -> String {
    const TYPES: [&str; 16] = [
        "bool",
        "int",
        "long",
        "uint8",
        "int16",
        "uint64",
        "float",
        "double",
        "string",
        "bytes",
        "string<9>",
        "array<int>",
        "array<string> max 4",
        "map<int, string>",
        "int?",
        "array<uint8, 3>",
    ];
    TYPES[random.below(TYPES.len())].to_owned()
}

fn any_type(random: &mut Random, names: &[&str]) -> String {
    let named = |random: &mut Random| names[random.below(names.len())].to_owned();
    match random.below(if names.is_empty() { 4 } else { 9 }) {
        0..=3 => simple_type(random),
        4 => format!("{}?", named(random)),
        5 => format!("array<{}>", named(random)),
        6 => format!("map<string, {}>", named(random)),
        7 if names.contains(&"Mode") => "map<Mode, bool>".to_owned(),
        _ => named(random),
    }
}

fn old(random: &mut Random) -> Schema {
    let mut definitions: Vec<Definition> = Vec::new();
    for (keyword, name) in [("enum", "Mode"), ("struct", "Size"), ("union", "Event"), ("struct", "Options")] {
        let is_extensible = !random.one_in(3);
        let names: Vec<&str> = definitions.iter().map(|definition| definition.name).collect();
        let count = 2 + random.below(3);
        let items = (0..count).map(|index| match keyword {
            "enum" => Item::new(format!("V{index}"), (index * 3 + random.below(2)).to_string(), 0),
            _ => Item::new(format!("f{index}"), any_type(random, &names), 0),
        });
        let mut definition = Definition { keyword, name, is_extensible, items: items.collect() };
        if is_extensible && random.one_in(2) {
            add(&mut definition, random, 1);
        }
        definitions.push(definition);
    }
    let is_extensible = !random.one_in(4);
    let names: Vec<&str> = definitions.iter().map(|definition| definition.name).collect();
    // The first one uses every type, so that a change of any matters.
    let all = names.iter().enumerate();
    let all = all.map(|(index, name)| Item::new(format!("a{index}"), (*name).to_owned(), 0));
    let first = Method {
        name: "M0".to_owned(),
        ordinal: 0,
        since: 0,
        list: all.collect(),
        is_answered: true,
        has_error: random.one_in(3),
    };
    let mut methods = vec![first];
    for index in 1..=random.below(3) {
        let since = if is_extensible && random.one_in(3) { 1 } else { 0 };
        methods.push(method(index, since, &names, random));
    }
    Schema { definitions, is_extensible, methods }
}

fn method(index: usize, since: u32, names: &[&str], random: &mut Random) -> Method {
    let count = 2 + random.below(3);
    let list = (0..count).map(|item| Item::new(format!("b{item}"), any_type(random, names), 0)).collect();
    let ordinal = u32::try_from(index * 3).unwrap_or_default();
    let has_error = random.one_in(4);
    Method { name: format!("M{index}"), ordinal, since, list, is_answered: !random.one_in(3), has_error }
}

/// Adds something to what may grow.
fn add(definition: &mut Definition, random: &mut Random, since: u32) -> String {
    let index = definition.items.len();
    let name = format!("n{index}");
    let value_type = match definition.keyword {
        "enum" => (100 + index).to_string(),
        _ => simple_type(random),
    };
    let name = if definition.keyword == "enum" { name.to_uppercase() } else { name };
    definition.items.push(Item::new(name.clone(), value_type, since));
    name
}

/// Changes something that both builds get along with; what was done.
fn compatible(schema: &mut Schema, random: &mut Random) -> Option<String> {
    let interface_version = schema.version();
    match random.below(6) {
        0 => Some("nothing".to_owned()),
        1 => {
            let definition = pick(&mut schema.definitions, random)?;
            let item = pick(&mut definition.items, random)?;
            let name = if definition.keyword == "enum" { "RENAMED" } else { "renamed" };
            item.name = name.to_owned();
            Some(format!("something in {} is called {name}", definition.name))
        }
        2 | 3 => {
            let definition = pick(&mut schema.definitions, random)?;
            if !definition.is_extensible {
                return None;
            }
            let since = definition.version() + 1 + u32::from(random.one_in(3));
            let name = add(definition, random, since);
            Some(format!("{}.{name} is new", definition.name))
        }
        4 if schema.is_extensible => {
            let names: Vec<&str> = schema.definitions.iter().map(|definition| definition.name).collect();
            let new = method(7, interface_version + 1, &names, random);
            schema.methods.push(new);
            Some("M7 is new".to_owned())
        }
        5 if schema.is_extensible => {
            let method = pick(&mut schema.methods, random)?;
            let since = interface_version + 1;
            method.list.push(Item::new("added".to_owned(), simple_type(random), since));
            Some(format!("{}.added is new", method.name))
        }
        _ => None,
    }
}

type Place = (String, Option<String>, Option<String>);

/// Changes one thing that breaks; what was done, and where.
fn breaking(schema: &mut Schema, random: &mut Random) -> Option<(String, Place)> {
    if random.one_in(2) { break_definition(schema, random) } else { break_interface(schema, random) }
}

fn break_definition(schema: &mut Schema, random: &mut Random) -> Option<(String, Place)> {
    let definition = pick(&mut schema.definitions, random)?;
    let owner = definition.name;
    let place = |member: Option<&str>| (format!("pairs.{owner}"), None, member.map(str::to_owned));
    let is_enum = definition.keyword == "enum";
    match random.below(5) {
        0 if definition.version() == 0 => {
            definition.is_extensible = !definition.is_extensible;
            Some((format!("{owner} is extensible or not"), place(None)))
        }
        1 if definition.items.len() > 1 => {
            let version = definition.version();
            let gone = definition.items.pop()?.name;
            // Without anything of its newest version it is what it was before, and running builds cannot tell.
            if definition.version() != version {
                return None;
            }
            Some((format!("{owner}.{gone} is gone"), place(Some(&gone))))
        }
        2 if definition.version() == 0 || definition.keyword != "struct" => {
            let name = add(definition, random, 0);
            Some((format!("{owner}.{name} is new and does not say so"), place(Some(&name))))
        }
        3 if !is_enum => {
            let item = pick(&mut definition.items, random)?;
            item.value_type = other_type(&item.value_type);
            Some((format!("{owner}.{} has another type", item.name), place(Some(&item.name))))
        }
        4 => {
            let item = definition.items.last_mut().filter(|item| item.since > 0)?;
            item.since += 1;
            Some((format!("{owner}.{} has another version", item.name), place(Some(&item.name))))
        }
        _ => None,
    }
}

fn break_interface(schema: &mut Schema, random: &mut Random) -> Option<(String, Place)> {
    let place = |method: Option<&str>, member: Option<&str>| {
        (format!("pairs.{NAME}"), method.map(str::to_owned), member.map(str::to_owned))
    };
    let is_old = schema.version() == 0;
    if random.one_in(6) && is_old {
        schema.is_extensible = !schema.is_extensible;
        return Some(("the interface is extensible or not".to_owned(), place(None, None)));
    }
    let names: Vec<&str> = schema.definitions.iter().map(|definition| definition.name).collect();
    if random.one_in(5) {
        let new = method(8, 0, &names, random);
        let found = place(Some(&new.name), None);
        schema.methods.push(new);
        return Some(("M8 is new and does not say so".to_owned(), found));
    }
    let version = schema.version();
    let is_only = schema.methods.len() == 1;
    let position = random.below(schema.methods.len());
    let method = schema.methods.get_mut(position)?;
    let name = method.name.clone();
    match random.below(6) {
        0 => {
            let item = pick(&mut method.list, random)?;
            item.value_type = other_type(&item.value_type);
            Some((format!("{name}.{} has another type", item.name), place(Some(&name), Some(&item.name))))
        }
        1 if method.list.len() > 2 => {
            let gone = method.list.pop()?.name;
            if schema.version() != version {
                return None;
            }
            Some((format!("{name}.{gone} is gone"), place(Some(&name), Some(&gone))))
        }
        2 => {
            method.list.push(Item::new("added".to_owned(), simple_type(random), 0));
            Some((format!("{name}.added is new and does not say so"), place(Some(&name), Some("added"))))
        }
        3 if !is_only => {
            schema.methods.remove(position);
            if schema.version() != version {
                return None;
            }
            Some((format!("{name} is gone"), place(Some(&name), None)))
        }
        4 => {
            method.is_answered = !method.is_answered;
            Some((format!("{name} is answered or not"), place(Some(&name), None)))
        }
        5 if method.since > 0 => {
            method.since += 1;
            Some((format!("{name} has another version"), place(Some(&name), None)))
        }
        _ => None,
    }
}

fn other_type(value_type: &str) -> String {
    let other = if value_type == "int32" || value_type == "int" { "uint32" } else { "int32" };
    other.to_owned()
}
