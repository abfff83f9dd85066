//! Which name means what.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;

use super::{Place, signature};
use crate::ast::{Argument, Body, Declaration, Docs, Field, File, Literal, LiteralKind, Method, Name, Type};
use crate::diagnostic::Reporter;
use crate::loader::{Sources, on_disk};
use crate::parser;
use crate::span::Span;

/// Something that a name stands for, seen from a place where the name stands.
#[derive(Clone, Debug)]
pub struct Symbol {
    kind: SymbolKind,
    range: Range<usize>,
    definition: Place,
    signature: String,
    docs: String,
}

/// What a name can stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SymbolKind {
    /// A whole file: the name of a module, or the path of an import.
    File,
    /// An interface.
    Interface,
    /// A struct.
    Struct,
    /// A union.
    Union,
    /// An enum.
    Enum,
    /// A constant.
    Const,
    /// A method of an interface.
    Method,
    /// A field of a struct, a member of a union, a parameter or a response value.
    Field,
    /// A value of an enum.
    EnumValue,
}

impl Symbol {
    /// What it is.
    pub fn kind(&self) -> SymbolKind {
        self.kind
    }

    /// Where the name stands, in the file that was asked about.
    pub fn range(&self) -> Range<usize> {
        self.range.clone()
    }

    /// Where it is defined.
    pub fn definition(&self) -> &Place {
        &self.definition
    }

    /// It, as it is written, in a line or a few.
    pub fn signature(&self) -> &str {
        &self.signature
    }

    /// Its documentation, as Markdown.
    pub fn docs(&self) -> &str {
        &self.docs
    }
}

/// A definition.
struct Defined<'source> {
    kind: SymbolKind,
    file: usize,
    span: Span,
    /// What is written there.
    item: Item<'source>,
}

/// What a definition is in the tree.
#[derive(Clone, Copy)]
enum Item<'source> {
    File,
    Declaration(usize),
    Method(usize, usize),
    Field(&'source str),
    EnumValue(usize, usize),
}

/// Every name of the first file, and what it means.
pub(super) struct Index<'source> {
    texts: Vec<&'source str>,
    paths: Vec<PathBuf>,
    files: Vec<File<'source>>,
    defined: Vec<Defined<'source>>,
    /// Names of the first file, and the places of what they mean in `defined`.
    names: Vec<(Span, usize)>,
}

impl<'source> Index<'source> {
    pub(super) fn new(sources: &'source Sources) -> Self {
        let mut index = Self { texts: vec![], paths: vec![], files: vec![], defined: vec![], names: vec![] };
        for source in sources.iter() {
            let mut silent = Reporter::default();
            let text = crate::decoded(&source.text, &mut silent);
            index.texts.push(text);
            index.paths.push(source.path.as_deref().map(on_disk).unwrap_or_default());
            index.files.push(parser::parse(text, &mut silent));
        }
        let imports: Vec<(Span, usize)> = match sources.iter().next() {
            Some(source) => {
                let found = source.imports.iter().filter_map(|import| match import.found {
                    Some(Ok(place)) => Some((import.span, place)),
                    _ => None,
                });
                found.collect()
            }
            None => Vec::new(),
        };
        let scope = index.scope(&imports);
        let mut names = Vec::new();
        if let Some(file) = index.files.first() {
            let mut resolver = Resolver { index: &index, scope: &scope, names: &mut names, fields: vec![] };
            resolver.file(file, &imports);
            let fields = resolver.fields;
            for (name, text) in fields {
                names.push((name.span, index.defined.len()));
                index.define(SymbolKind::Field, 0, name.span, Item::Field(text));
            }
        }
        names.sort_by_key(|(span, _)| *span);
        index.names = names;
        index
    }

    fn define(&mut self, kind: SymbolKind, file: usize, span: Span, item: Item<'source>) -> usize {
        self.defined.push(Defined { kind, file, span, item });
        self.defined.len() - 1
    }

    /// Everything that can be named in the first file.
    fn scope(&mut self, imports: &[(Span, usize)]) -> Scope {
        let mut scope = Scope::default();
        // What the file declares itself hides what it imports.
        for place in imports.iter().map(|(_, place)| *place).chain([0]) {
            let Some(file) = self.files.get(place) else { continue };
            let module = file.module;
            let mut declared = Vec::new();
            for (position, declaration) in file.declarations.iter().enumerate() {
                let mut members = Vec::new();
                match &declaration.body {
                    Body::Interface { methods, .. } => {
                        members.extend(methods.iter().enumerate().map(|(method, written)| {
                            (SymbolKind::Method, written.name, Item::Method(position, method))
                        }))
                    }
                    Body::Enum { values, .. } => {
                        members.extend(values.iter().enumerate().map(|(value, written)| {
                            (SymbolKind::EnumValue, written.name, Item::EnumValue(position, value))
                        }))
                    }
                    _ => {}
                }
                declared.push((declaration.name, kind_of(&declaration.body), position, members));
            }
            let whole = self.define(
                SymbolKind::File,
                place,
                module.map_or_else(|| Span::new(0, 0), |name| name.span),
                Item::File,
            );
            scope.files.insert(place, whole);
            if let Some(module) = module {
                scope.modules.insert(module.text.to_owned(), whole);
            }
            for (name, kind, position, members) in declared {
                let id = self.define(kind, place, name.span, Item::Declaration(position));
                if let Some(module) = module {
                    scope.declarations.insert(format!("{}.{}", module.text, name.text), id);
                }
                scope.declarations.insert(name.text.to_owned(), id);
                for (kind, name, item) in members {
                    let member = self.define(kind, place, name.span, item);
                    scope.members.insert((id, name.text.to_owned()), member);
                }
            }
        }
        scope
    }

    pub(super) fn symbol_at(&self, offset: usize) -> Option<Symbol> {
        let at = |(span, _): &&(Span, usize)| span.start <= offset && offset <= span.end;
        // Of two names that touch, the one that begins here.
        let (span, id) = self.names.iter().rev().find(at)?;
        let defined = self.defined.get(*id)?;
        let (signature, docs) = self.described(defined);
        Some(Symbol {
            kind: defined.kind,
            range: span.range(),
            definition: self.place(defined)?,
            signature,
            docs,
        })
    }

    pub(super) fn occurrences(&self, definition: &Place) -> Vec<Range<usize>> {
        let means_it = |id: usize| {
            self.defined
                .get(id)
                .and_then(|defined| self.place(defined))
                .is_some_and(|place| place == *definition)
        };
        let mut ranges: Vec<Range<usize>> =
            self.names.iter().filter(|(_, id)| means_it(*id)).map(|(span, _)| span.range()).collect();
        ranges.dedup();
        ranges
    }

    /// The text and the tree of the file that is asked about.
    pub(super) fn first(&self) -> Option<(&'source str, &File<'source>)> {
        Some((self.texts.first()?, self.files.first()?))
    }

    /// The file of the declaration that the name at `span` means, if it means one.
    pub(super) fn declared_in(&self, span: Span) -> Option<PathBuf> {
        let place = self.names.binary_search_by_key(&span, |(name, _)| *name).ok()?;
        let defined = self.names.get(place).and_then(|(_, id)| self.defined.get(*id))?;
        match defined.item {
            Item::Declaration(_) => self.paths.get(defined.file).cloned(),
            _ => None,
        }
    }

    fn place(&self, defined: &Defined<'_>) -> Option<Place> {
        Some(Place { path: self.paths.get(defined.file)?.clone(), range: defined.span.range() })
    }

    fn described(&self, defined: &Defined<'source>) -> (String, String) {
        let (Some(text), Some(file)) = (self.texts.get(defined.file), self.files.get(defined.file)) else {
            return Default::default();
        };
        let declaration = |position: usize| file.declarations.get(position);
        let described = match defined.item {
            Item::File => {
                let module = file.module.map(|name| format!("module {};", name.text));
                Some((module.unwrap_or_else(|| "a file without a module".to_owned()), None))
            }
            Item::Field(written) => Some((written.to_owned(), None)),
            Item::Declaration(position) => declaration(position)
                .map(|written| (signature::declaration(written, file, text), Some(&written.docs))),
            Item::Method(position, method) => declaration(position)
                .and_then(|written| match &written.body {
                    Body::Interface { methods, .. } => methods.get(method),
                    _ => None,
                })
                .map(|method| (signature::method(method, text), Some(&method.docs))),
            Item::EnumValue(position, value) => declaration(position).and_then(|written| {
                let Body::Enum { values, .. } = &written.body else { return None };
                let value = values.get(value)?;
                Some((signature::enum_value(written, value), Some(&value.docs)))
            }),
        };
        let (signature, docs) = described.unwrap_or_default();
        (signature, docs.map(text_of).unwrap_or_default())
    }
}

pub(super) fn text_of(docs: &Docs<'_>) -> String {
    let lines: Vec<&str> = docs.lines.iter().map(|line| line.strip_prefix(' ').unwrap_or(line)).collect();
    lines.join("\n")
}

pub(super) fn kind_of(body: &Body<'_>) -> SymbolKind {
    match body {
        Body::Interface { .. } => SymbolKind::Interface,
        Body::Struct { .. } => SymbolKind::Struct,
        Body::Union { .. } => SymbolKind::Union,
        Body::Enum { .. } => SymbolKind::Enum,
        Body::Const { .. } => SymbolKind::Const,
    }
}

/// What names stand for, by their places in [`Index::defined`].
#[derive(Default)]
struct Scope {
    files: BTreeMap<usize, usize>,
    modules: BTreeMap<String, usize>,
    declarations: BTreeMap<String, usize>,
    /// Methods and values, by what declares them.
    members: BTreeMap<(usize, String), usize>,
}

/// Walks over a file, and looks every name up.
struct Resolver<'a, 'source> {
    index: &'a Index<'source>,
    scope: &'a Scope,
    names: &'a mut Vec<(Span, usize)>,
    /// Fields and parameters, with all that is written of each. Nothing refers to them, so they are only defined here.
    fields: Vec<(Name<'source>, &'source str)>,
}

impl<'source> Resolver<'_, 'source> {
    fn file(&mut self, file: &File<'source>, imports: &[(Span, usize)]) {
        if let (Some(module), Some(id)) = (file.module, self.scope.files.get(&0)) {
            self.names.push((module.span, *id));
        }
        for (span, place) in imports {
            self.names.extend(self.scope.files.get(place).map(|id| (*span, *id)));
        }
        for declaration in &file.declarations {
            self.declaration(declaration);
        }
    }

    fn declaration(&mut self, declaration: &Declaration<'source>) {
        let found = self.scope.declarations.get(declaration.name.text).copied();
        self.names.extend(found.map(|id| (declaration.name.span, id)));
        match &declaration.body {
            Body::Interface { methods, .. } => {
                for method in methods {
                    self.member(found, method.name);
                    self.method(method);
                }
            }
            Body::Struct { fields } | Body::Union { members: fields, .. } => self.fields(fields),
            Body::Enum { values, .. } => {
                for value in values {
                    self.member(found, value.name);
                    self.literal(value.value, None);
                }
            }
            Body::Const { value_type, value } => {
                self.value_type(value_type);
                self.literal(Some(*value), Some(value_type));
            }
        }
    }

    fn member(&mut self, declaration: Option<usize>, name: Name<'source>) {
        let found = declaration.and_then(|id| self.scope.members.get(&(id, name.text.to_owned())));
        self.names.extend(found.map(|id| (name.span, *id)));
    }

    fn method(&mut self, method: &Method<'source>) {
        self.fields(&method.parameters);
        self.fields(method.response.as_deref().unwrap_or_default());
        if let Some(error) = &method.error {
            self.value_type(error);
        }
    }

    fn fields(&mut self, fields: &[Field<'source>]) {
        for field in fields {
            self.value_type(&field.value_type);
            self.literal(field.default, Some(&field.value_type));
            let text = self.index.texts.first().copied().unwrap_or_default();
            let end = field.default.map_or(field.name.span.end, |value| value.span.end);
            self.fields.push((field.name, Span::new(field.value_type.span.start, end).text(text)));
        }
    }

    fn value_type(&mut self, written: &Type<'source>) {
        self.reference(written.head);
        self.literal(written.bound, None);
        for argument in &written.arguments {
            match argument {
                Argument::Type(written) => self.value_type(written),
                Argument::Literal(literal) => self.literal(Some(*literal), None),
            }
        }
    }

    /// A declaration, with its module before it or not.
    fn reference(&mut self, name: Name<'source>) -> Option<usize> {
        let id = self.scope.declarations.get(name.text).copied()?;
        let last = name.text.rfind('.').map_or(0, |dot| dot + 1);
        self.names.push((Span::new(name.span.start + last, name.span.end), id));
        if let Some(module) = name.text.get(..last.saturating_sub(1)).filter(|module| !module.is_empty()) {
            let found = self.scope.modules.get(module);
            let span = Span::new(name.span.start, name.span.start + module.len());
            self.names.extend(found.map(|id| (span, *id)));
        }
        Some(id)
    }

    /// A constant, or a value of the enum that is wanted here: `FAST` or `Mode.FAST`.
    fn literal(&mut self, literal: Option<Literal<'source>>, wanted: Option<&Type<'source>>) {
        let Some(literal) = literal.filter(|literal| literal.kind == LiteralKind::Name) else { return };
        let declared = wanted.and_then(|wanted| self.scope.declarations.get(wanted.head.text)).copied();
        let name = literal.text.rfind('.').map_or(0, |dot| dot + 1);
        let value = literal.text.get(name..).unwrap_or_default();
        let member = declared.and_then(|id| self.scope.members.get(&(id, value.to_owned())));
        match (member, declared) {
            (Some(member), Some(declared)) => {
                self.names.push((Span::new(literal.span.start + name, literal.span.end), *member));
                if name > 0 {
                    let span = Span::new(literal.span.start, literal.span.start + name - 1);
                    self.names.push((span, declared));
                }
            }
            _ => _ = self.reference(Name { text: literal.text, span: literal.span }),
        }
    }
}
