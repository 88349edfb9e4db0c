//! Tables that are read, and those that are refused.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;

fn read(table: &Table, text: &str) -> Result<Dataset, String> {
    table.read(text.as_bytes(), Path::new("t.csv")).map_err(|error| error.to_string())
}

fn zipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn of_label(label: Column) -> Table {
    Table { label: Some(label), ..Table::default() }
}

#[test]
fn headers_are_seen_and_labels_found() {
    let plain = read(&Table::default(), "0.5,-1e2,1\n2,3,0\n").unwrap();
    assert_eq!((plain.inputs(), plain.labels()), (&[0.5, -100.0, 2.0, 3.0][..], &[1, 0][..]));
    assert_eq!((plain.name(), plain.shape(), plain.classes()), ("t.csv", &[2][..], 2));
    let headed =
        "\u{feff}width, \"the, class\" ,\"say \"\"so\"\"\"\r\n0.5,1,-100\r\n\r\n2,\"0.0\", 3 \r\n\r\n";
    let named = read(&of_label(Column::Name("the, class".to_owned())), headed).unwrap();
    assert_eq!((named.inputs(), named.labels()), (plain.inputs(), plain.labels()));
    let numbered = read(&of_label(Column::Number(2)), headed).unwrap();
    assert_eq!(numbered, named);
    let quoted =
        read(&of_label(Column::Name("say \"so\"".to_owned())), "x,\"say \"\"so\"\"\"\n1,0\n").unwrap();
    assert_eq!(quoted.labels(), [0]);
    // Numbers as names.
    let years = Table { header: Some(true), ..of_label(Column::Name("1998".to_owned())) };
    assert_eq!(read(&years, "1997,1998\n5,1\n").unwrap().labels(), [1]);
    let shaped = Table { shape: Some(vec![1, 2, 1]), number_of_classes: Some(7), ..Table::default() };
    let shaped = read(&shaped, "1,2,0\n").unwrap();
    assert_eq!((shaped.shape(), shaped.classes()), (&[1, 2, 1][..], 7));
    let unzipped = Table::default().read(&zipped(b"0.5,-1e2,1\n2,3,0\n"), Path::new("t.csv")).unwrap();
    assert_eq!(unzipped, plain);
}

#[test]
fn wrong_rows_are_refused_with_their_place() {
    let refused = |text: &str| read(&Table::default(), text).unwrap_err();
    assert_eq!(refused("a,b,c\n1,2,0\n1,2\n"), "t.csv, line 3: expected 3 fields, found 2");
    assert_eq!(refused("1,2,0\n1,2,0,4\n"), "t.csv, line 2: expected 3 fields, found 4");
    let finite = "t.csv, line 2, field 1: expected a finite number, found ";
    for wrong in ["nan", "-inf", "1e99", "", "0x10", "eins"] {
        assert_eq!(refused(&format!("1,2,0\n{wrong},2,0\n")), format!("{finite}{wrong:?}"));
    }
    // A first line of numbers is an example, whatever numbers.
    assert_eq!(refused("NaN,2,0\n"), "t.csv, line 1, field 1: expected a finite number, found \"NaN\"");
    let whole = "t.csv, line 2, field 3: expected a whole number, the label, found ";
    for wrong in ["0.5", "nan", "setosa", "1e300"] {
        assert_eq!(refused(&format!("1,2,0\n1,2,{wrong}\n")), format!("{whole}{wrong:?}"));
    }
    assert_eq!(refused("1,2,1\n\n1,2,-1\n"), "t.csv, line 3: expected a label from 0 to 1, found -1");
    let most = "t.csv: expected from 1 to 16384 classes, found the label 9000000000";
    assert_eq!(refused("1,2,9000000000\n"), most);
    let two = Table { number_of_classes: Some(2), ..Table::default() };
    assert_eq!(
        read(&two, "1,2,1\n1,2,2\n").unwrap_err(),
        "t.csv, line 2: expected a label from 0 to 1, found 2"
    );
    let no_header = Table { header: Some(false), ..Table::default() };
    assert_eq!(
        read(&no_header, "a,b\n1,0\n").unwrap_err(),
        "t.csv, line 1, field 1: expected a finite number, found \"a\""
    );
}

#[test]
fn what_is_no_such_table_is_refused() {
    let refused = |table: &Table, text: &str| read(table, text).unwrap_err();
    for nothing in ["", "\n\n", "a,b\n"] {
        let expected = "t.csv: expected at least one of examples, found none";
        assert_eq!(refused(&Table::default(), nothing), expected);
    }
    assert_eq!(refused(&Table::default(), "1\n0\n"), "t.csv: expected at least one of features, found none");
    let named = of_label(Column::Name("y".to_owned()));
    assert_eq!(refused(&named, "a,b\n1,0\n"), "t.csv: expected a column \"y\", found a, b");
    assert_eq!(refused(&named, "1,0\n"), "t.csv: expected a column \"y\", found none");
    assert_eq!(refused(&named, "y,x,y\n1,2,0\n"), "t.csv: expected one column \"y\", found 2");
    let numbered = of_label(Column::Number(3));
    let expected = "t.csv: expected at least 3 columns, the last of them that of the labels, found 2";
    assert_eq!(refused(&numbered, "1,0\n"), expected);
    let lone = Table { shape: Some(vec![]), ..Table::default() };
    assert_eq!(refused(&lone, "1,0\n"), "t.csv: expected a shape of at least one axis, found none");
    let shaped = Table { shape: Some(vec![2, 2]), ..Table::default() };
    let expected = "t.csv: shape [2, 2] has 4 entries, expected one for each of 3 features";
    assert_eq!(refused(&shaped, "1,2,3,0\n"), expected);
    assert!(
        refused(&Table::default(), "\"1,2\n").contains("at least one of examples"),
        "an open quote is a header"
    );
}

#[test]
fn broken_streams_are_refused_and_long_lines_before_they_are_whole() {
    let refused = |bytes: &[u8]| Table::default().read(bytes, Path::new("t.csv")).unwrap_err().to_string();
    let rows: String = (0..500).map(|i| format!("{},{},{}\n", i * 7919 % 1000, i * i, i % 3)).collect();
    let stream = zipped(rows.as_bytes());
    for cut in [5, 11, stream.len() / 2, stream.len() - 1] {
        let error = refused(&stream[..cut]);
        assert!(error.starts_with("t.csv, line "), "{cut}: {error}");
    }
    let bomb = zipped(&vec![b'1'; 1 << 24]);
    assert!(bomb.len() < 1 << 15);
    assert_eq!(refused(&bomb), "t.csv, line 1: expected a line of at most 4194304 bytes, found more");
    let bytes: Vec<u8> = (0..=255).cycle().take(4000).collect();
    assert!(refused(&bytes).starts_with("t.csv"));
}

#[test]
fn columns_are_names_or_numbers() {
    let column = |text: &str| serde_json::from_str::<Column>(text).map_err(|error| error.to_string());
    assert_eq!(column("\"y\""), Ok(Column::Name("y".to_owned())));
    assert_eq!(column("1"), Ok(Column::Number(1)));
    for wrong in ["0", "-1", "true", "1.5"] {
        assert!(column(wrong).unwrap_err().contains("the name of a column, or its number from 1"), "{wrong}");
    }
    for own in [Column::Name("y".to_owned()), Column::Number(3)] {
        assert_eq!(column(&serde_json::to_string(&own).unwrap()), Ok(own));
    }
}
