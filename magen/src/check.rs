//! From the tree to the schema: names are looked up, and every one is held against the others and against Rust.

mod attributes;
mod constants;
mod fields;
mod interfaces;
mod names;
mod namespace;
mod recursion;
mod report;
mod sizes;
mod types;
mod versions;

use std::collections::BTreeMap;

use crate::ast::{self, Body, Declaration};
use crate::diagnostic::Reporter;
use crate::schema::{
    Const, Definition, DefinitionId, Enum, Interface, Kind, Schema, SourceFile, Struct, Union, ValueType,
};
use crate::span::Span;
pub(crate) use attributes::ATTRIBUTES;
use attributes::Place;
use fields::additions_of;

/// Adds the declarations of `file` to `schema`. They are only meant for use if nothing was reported, here or before.
///
/// `imports` are the files of `schema` whose declarations it can name.
pub(crate) fn check<'source>(
    file: ast::File<'source>,
    source_file: SourceFile<'source>,
    imports: &[usize],
    schema: &mut Schema<'source>,
    reporter: &mut Reporter,
) {
    let index = schema.files.len();
    schema.files.push(source_file);
    let first = schema.definitions.len();
    let mut checker = Checker {
        schema,
        reporter,
        file: index,
        symbols: BTreeMap::new(),
        ambiguous: BTreeMap::new(),
        field_spans: BTreeMap::new(),
    };
    checker.find_imported(imports);
    let mut declarations = checker.declare(file.declarations);
    // Constants stand in types, and values of enums are defaults; so they come first.
    declarations.sort_by_key(|(_, declaration)| match declaration.body {
        Body::Const { .. } => 0,
        Body::Enum { .. } => 1,
        _ => 2,
    });
    for (id, declaration) in declarations {
        checker.define(id, declaration);
    }
    let field_spans = checker.field_spans;
    recursion::check(first, schema, &field_spans, reporter);
    sizes::check(first, schema, &field_spans, reporter);
    versions::check(first, schema, reporter);
}

/// Where the fields of structs and the members of unions are written.
type FieldSpans = BTreeMap<(DefinitionId, usize), Span>;

struct Checker<'source, 'a> {
    schema: &'a mut Schema<'source>,
    reporter: &'a mut Reporter,
    file: usize,
    /// What can be named in this file, also with its module before it.
    symbols: BTreeMap<String, DefinitionId>,
    /// Names that several imported files declare, and the two first of these.
    ambiguous: BTreeMap<String, [DefinitionId; 2]>,
    field_spans: FieldSpans,
}

impl<'source> Checker<'source, '_> {
    /// Everything that the imported files declare can be named.
    fn find_imported(&mut self, imports: &[usize]) {
        let mut imported = Vec::new();
        for (id, definition) in self.schema.ids().filter(|(_, definition)| imports.contains(&definition.file))
        {
            imported.push((definition.name.to_owned(), id));
            if self.schema.files[definition.file].module.is_some() {
                imported.push((self.schema.qualified_name(id), id));
            }
        }
        for (name, id) in imported {
            if let Some(first) = self.symbols.insert(name.clone(), id)
                && first != id
            {
                self.ambiguous.insert(name, [first, id]);
            }
        }
    }

    /// Gives every declaration its place in the schema, still empty.
    fn declare(
        &mut self,
        declarations: Vec<Declaration<'source>>,
    ) -> Vec<(DefinitionId, Declaration<'source>)> {
        namespace::check(&declarations, self.reporter);
        let mut declared = Vec::with_capacity(declarations.len());
        for mut declaration in declarations {
            names::check_declaration(&declaration, self.reporter);
            let id = DefinitionId(self.schema.definitions.len());
            let kind = match &declaration.body {
                Body::Interface { .. } => Kind::Interface(Interface::default()),
                Body::Struct { .. } => Kind::Struct(Struct::default()),
                Body::Union { .. } => Kind::Union(Union::default()),
                Body::Enum { .. } => Kind::Enum(Enum::default()),
                Body::Const { .. } => Kind::Const(Const { value_type: ValueType::Bool, value: None }),
            };
            let name = declaration.name.text;
            let span = declaration.name.span;
            let docs = std::mem::take(&mut declaration.docs);
            self.schema.definitions.push(Definition { file: self.file, docs, name, span, kind });
            self.symbols.insert(name.to_owned(), id);
            self.ambiguous.remove(name);
            self.symbols.insert(self.schema.qualified_name(id), id);
            declared.push((id, declaration));
        }
        declared
    }

    fn define(&mut self, id: DefinitionId, declaration: Declaration<'source>) {
        let attributes = &declaration.attributes;
        let kind = match declaration.body {
            Body::Const { value_type, value } => {
                self.attributes(attributes, Place::Const);
                Kind::Const(self.constant(&value_type, value))
            }
            Body::Enum { values, reserved } => {
                let is_extensible = self.attributes(attributes, Place::Enum).is_extensible;
                Kind::Enum(self.enumeration(values, &reserved, is_extensible))
            }
            Body::Struct { fields } => {
                let is_extensible = self.attributes(attributes, Place::Struct).is_extensible;
                self.keep_spans(id, &fields);
                let written = additions_of(&fields);
                let fields = self.fields(fields, Place::Field);
                self.check_additions(&written, is_extensible, Some(0));
                Kind::Struct(Struct { fields, is_extensible, ..Struct::default() })
            }
            Body::Union { members, reserved } => {
                let is_extensible = self.attributes(attributes, Place::Union).is_extensible;
                self.keep_spans(id, &members);
                let written = additions_of(&members);
                let members = self.members(declaration.name, members, &reserved, is_extensible);
                self.check_additions(&written, is_extensible, None);
                Kind::Union(Union { members, is_extensible, ..Union::default() })
            }
            Body::Interface { methods, reserved } => {
                let is_extensible = self.attributes(attributes, Place::Interface).is_extensible;
                let lists = methods.iter().map(|method| (&method.parameters, &method.response));
                let fields =
                    lists.flat_map(|(parameters, values)| parameters.iter().chain(values.iter().flatten()));
                self.keep_spans(id, fields);
                Kind::Interface(self.interface(methods, &reserved, is_extensible))
            }
        };
        self.schema.definitions[id.0].kind = kind;
    }

    /// The fields of an interface are those of its methods, one list behind the other.
    fn keep_spans<'a>(&mut self, id: DefinitionId, fields: impl IntoIterator<Item = &'a ast::Field<'source>>)
    where
        'source: 'a,
    {
        for (index, field) in fields.into_iter().enumerate() {
            self.field_spans.insert((id, index), field.value_type.span);
        }
    }
}
