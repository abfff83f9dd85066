//! Values by the schema alone: what is encoded is decoded, and whatever arrives ends in a value or in a fault.

use std::fs;
use std::path::Path;

use magen::dynamic::{self, Body, FaultKind, Interface, Random, Shape};

const ROUNDS: usize = 40;

fn shapes(interface: Interface<'_>) -> Vec<(String, Shape<'_>)> {
    let mut shapes = Vec::new();
    for method in interface.methods() {
        let name = format!("{}.{}", interface.name(), method.name());
        shapes.extend(method.answer().map(|answer| (format!("{name} =>"), answer)));
        shapes.push((name, method.parameters()));
    }
    shapes
}

/// Calls `examine` with every shape of the golden files and of the corpus.
fn for_every_shape(mut examine: impl FnMut(&str, Shape<'_>)) {
    let mut count = 0;
    for directory in ["tests/golden", "corpus"] {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join(directory);
        let mut paths: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        for path in paths.iter().filter(|path| path.extension().is_some_and(|e| e == "magen")) {
            let used = dynamic::with_file(path, |types| {
                for (name, shape) in types.interfaces().flat_map(shapes) {
                    examine(&name, shape);
                    count += 1;
                }
            });
            used.unwrap_or_else(|error| panic!("{error}"));
        }
    }
    assert!(count > 100, "only {count} shapes");
}

#[test]
fn what_is_encoded_is_decoded() {
    let mut random = Random::new(1);
    for_every_shape(|name, shape| {
        for _ in 0..ROUNDS {
            let value = shape.random(&mut random).unwrap_or_else(|fault| panic!("{name}: {fault}"));
            let body = shape.encode(&value).unwrap_or_else(|fault| panic!("{name}: {fault} in {value}"));
            let decoded = shape.decode(&body).unwrap_or_else(|fault| panic!("{name}: {fault} in {value}"));
            assert_eq!(decoded, value, "{name}");
        }
    });
}

#[test]
fn a_message_that_is_cut_off_is_refused() {
    let mut random = Random::new(2);
    let mut extensible = 0;
    for_every_shape(|name, shape| {
        let value = shape.random(&mut random).unwrap();
        let body = shape.encode(&value).unwrap();
        for end in 0..body.bytes.len() {
            let cut = Body { bytes: body.bytes[..end].to_vec(), ..body.clone() };
            if let Ok(value) = shape.decode(&cut) {
                // Only what was added later may be missing.
                assert_eq!(shape.decode(&shape.encode(&value).unwrap()).unwrap(), value, "{name}");
            }
        }
        let mut longer = body;
        longer.pipes.push(0);
        match shape.decode(&longer) {
            Err(fault) => assert_eq!(fault.kind(), FaultKind::TrailingData, "{name}"),
            Ok(_) => extensible += 1,
        }
    });
    assert!(extensible > 0, "nothing is passed over where more may follow");
}

#[test]
fn whatever_arrives_ends_in_a_value_or_a_fault() {
    let mut random = Random::new(3);
    for_every_shape(|name, shape| {
        for _ in 0..ROUNDS {
            let mut body = shape.encode(&shape.random(&mut random).unwrap()).unwrap();
            for _ in 0..=random.below(3) {
                let place = random.below(body.bytes.len());
                if let Some(byte) = body.bytes.get_mut(place) {
                    *byte = random.next_u64() as u8;
                }
            }
            match shape.decode(&body) {
                Ok(value) => {
                    // The value of a member that is not known here was not kept, so it cannot be sent.
                    let is_whole = !value.to_string().contains("unknown member");
                    assert_eq!(shape.encode(&value).is_ok(), is_whole, "{name}: {value}");
                }
                Err(fault) => assert!(fault.offset().is_none_or(|offset| offset <= body.bytes.len())),
            }
        }
    });
}

#[test]
fn a_fault_says_where_it_is() {
    let source =
        "struct Size { int width; bool on; } interface I { M(array<Size> sizes, map<int, bool> m); }";
    dynamic::with_source(source, "i.magen", |types| {
        let shape = types.interface("I").unwrap().method(0).unwrap().parameters();
        let bytes = [1, 0, 0, 0, 7, 0, 0, 0, 9].to_vec();
        let fault = shape.decode(&Body { bytes, ..Body::default() }).unwrap_err();
        assert_eq!(fault.to_string(), "`sizes[0].on`: the value is none that this type has, at byte 8");
        let bytes = [0, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0].to_vec();
        let fault = shape.decode(&Body { bytes, ..Body::default() }).unwrap_err();
        assert_eq!(fault.to_string(), "`m[1]`: the value is none that this type has, at byte 13");
    })
    .unwrap();
}

#[test]
fn values_are_shown_with_their_names() {
    let source = "
        enum Mode { FAST, SLOW } union U { int number; string text; }
        struct Size { int width; Mode mode; U u; bytes data; int? maybe; }
        interface I { M(array<Size> sizes, map<int, bool> m) => () error string; }";
    dynamic::with_source(source, "i.magen", |types| {
        let method = types.interfaces().next().unwrap().method(0).unwrap();
        let mut bytes = [1, 0, 0, 0, 7, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, b'x'].to_vec();
        bytes.extend([2, 0, 0, 0, b'a', 0, 0, 0, 0, 0, 0]);
        let value = method.parameters().decode(&Body { bytes, ..Body::default() }).unwrap();
        let shown =
            r#"{ sizes: [{ width: 7, mode: SLOW, u: text("x"), data: "a\x00", maybe: absent }], m: {} }"#;
        assert_eq!(value.to_string(), shown);
        let bytes = [1, 1, 0, 0, 0, b'!'].to_vec();
        let answer = method.answer().unwrap().decode(&Body { bytes, ..Body::default() }).unwrap();
        assert_eq!(answer.to_string(), r#"error "!""#);
    })
    .unwrap();
}
