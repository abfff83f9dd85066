//! What editors are told holds together, of right files and of whatever else they have open.

use std::fs;
use std::path::{Path, PathBuf};

use magen::editor::{Analysis, SymbolKind, Unsaved, canonical};
use proptest::prelude::*;

fn corpus() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let mut paths: Vec<PathBuf> =
        fs::read_dir(directory).unwrap().map(|entry| canonical(&entry.unwrap().path())).collect();
    paths.sort();
    paths
}

#[test]
fn every_name_of_the_corpus_is_among_the_occurrences_of_what_it_means() {
    let mut symbols = 0;
    for path in corpus() {
        let text = fs::read_to_string(&path).unwrap();
        let analysis = Analysis::new(&path, &Unsaved::new()).unwrap();
        assert!(analysis.diagnostics().is_empty());
        // Every seventh byte meets most names, and keeps the test short.
        for offset in (0..text.len()).step_by(7) {
            let Some(symbol) = analysis.symbol_at(offset) else { continue };
            symbols += 1;
            assert!(symbol.range().start <= offset && offset <= symbol.range().end);
            let definition = symbol.definition();
            assert!(analysis.occurrences(definition).contains(&symbol.range()), "{symbol:?}");
            if symbol.kind() != SymbolKind::File {
                let defining = fs::read_to_string(&definition.path).unwrap();
                assert_eq!(defining.get(definition.range.clone()), text.get(symbol.range()), "{symbol:?}");
                assert!(symbol.signature().contains(&text[symbol.range()]), "{symbol:?}");
            }
        }
    }
    assert!(symbols > 1000, "{symbols}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_place_of_any_text_is_survived(
        file in 0..74_usize,
        cut in any::<prop::sample::Index>(),
        length in 0..200_usize,
        other in "[ a-zA-Z{}()<>=.,;@\\[\\]\"/é🧙\n]{0,12}",
        offset in any::<prop::sample::Index>(),
    ) {
        let path = corpus().remove(file);
        let text: Vec<char> = fs::read_to_string(&path).unwrap().chars().collect();
        let cut = cut.index(text.len());
        let rest = text.get(cut + length..).unwrap_or_default();
        let text: String = text[..cut].iter().copied().chain(other.chars()).chain(rest.iter().copied()).collect();
        let offset = offset.index(text.len() + 2);
        let analysis = Analysis::new(&path, &Unsaved::from([(path.clone(), text)])).unwrap();
        analysis.diagnostics();
        analysis.completions(offset);
        if let Some(symbol) = analysis.symbol_at(offset) {
            prop_assert!(analysis.occurrences(symbol.definition()).contains(&symbol.range()));
        }
    }
}
