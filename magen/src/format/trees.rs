//! Random trees, written with any layout: what is laid out anew is the same tree, and laying it out again changes nothing. A tree
//! that fails is printed with its seed; `MAGEN_SEED=n` tries only that one.

use std::env;

use crate::ast::{
    Argument, Attribute, Body, Declaration, Docs, EnumValue, Field, File, Import, Literal, LiteralKind,
    Method, Name, Number, Type,
};
use crate::diagnostic::Reporter;
use crate::dynamic::Random;
use crate::parser;
use crate::span::Span;

const SEEDS: u64 = 2000;

#[test]
fn any_tree_in_any_layout_gets_a_final_one() {
    let seeds = match env::var("MAGEN_SEED") {
        Ok(seed) => [seed.parse().expect("MAGEN_SEED is a number")].to_vec(),
        Err(_) => (0..SEEDS).collect(),
    };
    let mut moved = 0;
    for seed in seeds {
        let mut random = Random::new(seed);
        let tree = Maker(&mut random).file();
        let source = laid_out(&words(&tree), &mut random);
        let what = format!("MAGEN_SEED={seed}\n{source}");
        assert_eq!(words(&parsed(&source, &what)), words(&tree), "{what}");
        let once = super::format(&source, "once.magen").unwrap_or_else(|error| panic!("{what}{error}"));
        assert_eq!(words(&parsed(&once, &what)), words(&tree), "{what}--- laid out\n{once}");
        assert_eq!(comments(&once), comments(&source), "{what}--- laid out\n{once}");
        let twice = super::format(&once, "twice.magen").unwrap_or_else(|error| panic!("{what}{error}"));
        assert!(once == twice, "{what}--- once\n{once}--- twice\n{twice}");
        moved += usize::from(once != source);
    }
    assert!(env::var_os("MAGEN_SEED").is_some() || moved > 1000, "nothing is laid out");
}

fn parsed<'source>(source: &'source str, what: &str) -> File<'source> {
    let mut reporter = Reporter::default();
    let file = parser::parse(source, &mut reporter);
    reporter.finish(file, "tree.magen", source).unwrap_or_else(|error| panic!("{what}\n{error}"))
}

/// The plain comments; no text of a tree has a slash in it.
fn comments(source: &str) -> Vec<&str> {
    let behind = source.lines().filter_map(|line| line.find("//").map(|start| &line[start..]));
    behind.filter(|comment| !comment.starts_with("///")).map(str::trim_end).collect()
}

// ---- from a tree to its words

/// What a tree is written with, one behind the other: two trees are the same if these are.
fn words(file: &File<'_>) -> Vec<String> {
    let mut words = Words(Vec::new());
    if let Some(module) = file.module {
        words.all(&["module", module.text, ";"]);
    }
    for import in &file.imports {
        words.all(&["import", &format!("\"{}\"", import.path), ";"]);
    }
    for declaration in &file.declarations {
        words.declaration(declaration);
    }
    words.0
}

struct Words(Vec<String>);

impl Words {
    fn all(&mut self, words: &[&str]) {
        self.0.extend(words.iter().copied().map(str::to_owned));
    }

    fn declaration(&mut self, declaration: &Declaration<'_>) {
        let Declaration { docs, attributes, name, body } = declaration;
        self.before(docs, attributes);
        self.all(&[body.keyword()]);
        if let Body::Const { value_type, value } = body {
            self.value_type(value_type);
            self.all(&[name.text, "="]);
            self.literal(value);
            return self.all(&[";"]);
        }
        self.all(&[name.text, "{"]);
        match body {
            Body::Interface { methods, reserved } => {
                self.reserved(reserved);
                methods.iter().for_each(|method| self.method(method));
            }
            Body::Struct { fields } => fields.iter().for_each(|field| self.member(field)),
            Body::Union { members, reserved } => {
                self.reserved(reserved);
                members.iter().for_each(|member| self.member(member));
            }
            Body::Enum { values, reserved } => {
                self.reserved(reserved);
                values.iter().for_each(|value| self.enum_value(value));
            }
            Body::Const { .. } => {}
        }
        self.all(&["}"]);
    }

    fn before(&mut self, docs: &Docs<'_>, attributes: &[Attribute<'_>]) {
        self.0.extend(docs.lines.iter().map(|line| format!("///{line}")));
        for Attribute { name, value } in attributes {
            self.all(&["[", name.text]);
            self.equals(value.as_ref());
            self.all(&["]"]);
        }
    }

    fn reserved(&mut self, reserved: &[Number]) {
        for number in reserved {
            self.all(&["reserved", &number.value.to_string(), ";"]);
        }
    }

    fn method(&mut self, method: &Method<'_>) {
        let Method { docs, attributes, name, ordinal, parameters, response, error } = method;
        self.before(docs, attributes);
        self.all(&[name.text]);
        self.ordinal(*ordinal);
        self.list(parameters);
        if let Some(values) = response {
            self.all(&["=>"]);
            self.list(values);
        }
        if let Some(error) = error {
            self.all(&["error"]);
            self.value_type(error);
        }
        self.all(&[";"]);
    }

    fn list(&mut self, fields: &[Field<'_>]) {
        self.all(&["("]);
        for (position, field) in fields.iter().enumerate() {
            if position > 0 {
                self.all(&[","]);
            }
            self.field(field);
        }
        self.all(&[")"]);
    }

    fn member(&mut self, field: &Field<'_>) {
        self.field(field);
        self.all(&[";"]);
    }

    fn field(&mut self, field: &Field<'_>) {
        let Field { docs, attributes, value_type, name, ordinal, default } = field;
        self.before(docs, attributes);
        self.value_type(value_type);
        self.all(&[name.text]);
        self.ordinal(*ordinal);
        self.equals(default.as_ref());
    }

    fn enum_value(&mut self, value: &EnumValue<'_>) {
        let EnumValue { docs, attributes, name, value } = value;
        self.before(docs, attributes);
        self.all(&[name.text]);
        self.equals(value.as_ref());
        self.all(&[","]);
    }

    fn ordinal(&mut self, ordinal: Option<Number>) {
        if let Some(number) = ordinal {
            self.all(&["@", &number.value.to_string()]);
        }
    }

    fn equals(&mut self, value: Option<&Literal<'_>>) {
        if let Some(value) = value {
            self.all(&["="]);
            self.literal(value);
        }
    }

    fn value_type(&mut self, value_type: &Type<'_>) {
        let Type { head, arguments, bound, optional, .. } = value_type;
        self.all(&[head.text]);
        for (position, argument) in arguments.iter().enumerate() {
            self.all(&[if position == 0 { "<" } else { "," }]);
            match argument {
                Argument::Type(inner) => self.value_type(inner),
                Argument::Literal(literal) => self.literal(literal),
            }
        }
        if !arguments.is_empty() {
            self.all(&[">"]);
        }
        if let Some(bound) = bound {
            self.all(&["max"]);
            self.literal(bound);
        }
        if optional.is_some() {
            self.all(&["?"]);
        }
    }

    fn literal(&mut self, literal: &Literal<'_>) {
        match literal.kind {
            LiteralKind::Text => self.all(&[&format!("\"{}\"", literal.text)]),
            LiteralKind::Number | LiteralKind::Name => self.all(&[literal.text]),
        }
    }
}

// ---- from words to a source

/// The words with any white space and comments between them.
fn laid_out(words: &[String], random: &mut Random) -> String {
    let gaps =
        ["", "", " ", " ", "  ", "\t", "\n", "\r\n", "\n\n\n", " // a\n", "\n// b; {\n\n", "//// c\n// d\n"];
    // Some sources are wild, and some have hardly anything that has to be moved.
    let wildness = random.below(4);
    let mut source = String::new();
    for (position, word) in words.iter().enumerate() {
        let next_is_docs = word.starts_with("///");
        let before = position.checked_sub(1).and_then(|position| words.get(position));
        let is_behind_docs = before.is_some_and(|word| word.starts_with("///"));
        let must_part =
            before.is_some_and(|before| is_word(before.chars().last()) && is_word(word.chars().next()));
        let gap = if random.below(4) < wildness { gaps[random.below(gaps.len())] } else { " " };
        if is_behind_docs {
            source.push('\n');
        }
        source.push_str(gap);
        if gap.is_empty() && must_part || next_is_docs {
            source.push(' ');
        }
        source.push_str(word);
    }
    source.push_str(["", "\n", "\n\n", " // end", "\n// end\n"][random.below(5)]);
    source
}

/// Whether it would become one word with a letter beside it.
fn is_word(character: Option<char>) -> bool {
    character.is_some_and(|character| character.is_ascii_alphanumeric() || "_-.".contains(character))
}

// ---- trees

struct Maker<'random>(&'random mut Random);

/// Names of values: no word is reserved.
const NAMES: [&str; 12] = [
    "a",
    "max",
    "reserved",
    "interface",
    "struct",
    "error",
    "module",
    "FetchURL",
    "snake_case",
    "import",
    "T2",
    "x",
];
const TYPES: [&str; 9] = [
    "int",
    "string",
    "Foo",
    "a.b.Foo",
    "array",
    "map",
    "pending_remote",
    "bytes",
    "AVeryLongNameOfATypeThatFillsALine",
];
const LITERALS: [(LiteralKind, &str); 10] = [
    (LiteralKind::Number, "0"),
    (LiteralKind::Number, "-12"),
    (LiteralKind::Number, "0x1F"),
    (LiteralKind::Number, "1.5"),
    (LiteralKind::Number, "-2.5e-3"),
    (LiteralKind::Text, ""),
    (LiteralKind::Text, "a  text; { } , => 'x'"),
    (LiteralKind::Name, "true"),
    (LiteralKind::Name, "LIMIT"),
    (LiteralKind::Name, "Mode.FAST"),
];
const DOCS: [&str; 4] = [" One line.", "", "  indented { code; }", " - [a] \"list\""];

impl Maker<'_> {
    fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.0.below(choices.len())]
    }

    fn some<T>(&mut self, times: usize, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.0.one_in(times).then(|| make(self))
    }

    fn many<T>(&mut self, count_max: usize, mut make: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let count = self.0.below(count_max + 1);
        (0..count).map(|_| make(self)).collect()
    }

    fn file(&mut self) -> File<'static> {
        File {
            module: self.some(2, |_| name("a.b")),
            imports: self.many(2, |_| Import { path: "../x y.magen", span: NOWHERE }),
            declarations: self.many(4, Self::declaration),
        }
    }

    fn declaration(&mut self) -> Declaration<'static> {
        let docs = self.docs();
        let attributes = self.attributes();
        let body = match self.0.below(5) {
            0 => Body::Const { value_type: self.value_type(0), value: self.literal() },
            1 => Body::Struct { fields: self.many(5, Self::field) },
            2 => Body::Union { members: self.many(5, Self::field), reserved: self.many(1, Self::number) },
            3 => Body::Enum { values: self.many(5, Self::enum_value), reserved: self.many(1, Self::number) },
            _ => {
                Body::Interface { methods: self.many(5, Self::method), reserved: self.many(1, Self::number) }
            }
        };
        Declaration { docs, attributes, name: self.name(), body }
    }

    fn method(&mut self) -> Method<'static> {
        let response = self.some(2, |maker| maker.many(3, Self::field));
        let error = response.as_ref().and_then(|_| self.some(3, |maker| maker.value_type(0)));
        Method {
            docs: self.docs(),
            attributes: self.attributes(),
            name: self.name(),
            ordinal: self.some(4, Self::number),
            parameters: self.many(4, Self::field),
            response,
            error,
        }
    }

    fn field(&mut self) -> Field<'static> {
        Field {
            docs: self.docs(),
            attributes: self.attributes(),
            value_type: self.value_type(0),
            name: self.name(),
            ordinal: self.some(6, Self::number),
            default: self.some(4, Self::literal),
        }
    }

    fn enum_value(&mut self) -> EnumValue<'static> {
        let (docs, attributes) = (self.docs(), self.attributes());
        EnumValue { docs, attributes, name: self.name(), value: self.some(3, Self::literal) }
    }

    fn docs(&mut self) -> Docs<'static> {
        let lines = self.some(4, |maker| maker.many(3, |maker| maker.pick(&DOCS)));
        Docs { lines: lines.unwrap_or_default() }
    }

    fn attributes(&mut self) -> Vec<Attribute<'static>> {
        let attributes = self.some(5, |maker| {
            maker.many(2, |maker| Attribute { name: maker.name(), value: maker.some(2, Self::literal) })
        });
        attributes.unwrap_or_default()
    }

    fn value_type(&mut self, depth: usize) -> Type<'static> {
        let arguments = if self.0.one_in(3) && depth < 4 {
            self.many(2, |maker| match maker.0.one_in(4) {
                true => Argument::Literal(literal(maker.pick(&LITERALS[..7]))),
                false => Argument::Type(maker.value_type(depth + 1)),
            })
        } else {
            Vec::new()
        };
        let bound = self.some(6, |maker| {
            literal(maker.pick(&[(LiteralKind::Number, "9"), (LiteralKind::Name, "LIMIT")]))
        });
        Type {
            head: name(self.pick(&TYPES)),
            arguments,
            bound,
            optional: self.some(5, |_| NOWHERE),
            span: NOWHERE,
        }
    }

    fn literal(&mut self) -> Literal<'static> {
        literal(self.pick(&LITERALS))
    }

    fn number(&mut self) -> Number {
        Number { value: self.pick(&[0, 7, u32::MAX]), span: NOWHERE }
    }

    fn name(&mut self) -> Name<'static> {
        name(self.pick(&NAMES))
    }
}

/// Where what was never read stands.
const NOWHERE: Span = Span { start: 0, end: 0 };

fn name(text: &'static str) -> Name<'static> {
    Name { text, span: NOWHERE }
}

fn literal((kind, text): (LiteralKind, &'static str)) -> Literal<'static> {
    Literal { kind, text, span: NOWHERE }
}
