//! Every kind of record, sound and odd, becomes a sound picture: the same drawing in both formats, the same bytes each
//! time, nothing outside its rim, and never a crash.

use roxmltree::{Document, Node};
use thalweg_report::{
    At, Axis, Curves, Dress, Eigenvalues, Figure, Mark, Path, RecordError, Scale, Series, Spectrum, Style,
    Surface,
};

const NAN: f64 = f64::NAN;
const INF: f64 = f64::INFINITY;

fn axes() -> [Axis; 3] {
    [Axis::new("δ"), Axis::new("η"), Axis::new("loss").unit("nats")]
}

fn curves(x: Axis, y: Axis, xs: &[f64], ys: &[f64]) -> Figure {
    Curves::new("t", x, y).with(Series::new("s", xs.to_vec(), ys.to_vec()).unwrap()).into()
}

fn sound() -> Vec<Figure> {
    let xs: Vec<f64> = (0..40).map(f64::from).collect();
    let ys: Vec<f64> = xs.iter().map(|x| (-x / 9.0).exp() + 0.01).collect();
    let edge = |f: f64| ys.iter().map(|y| y * f).collect();
    let lines = Curves::new("Loss & its band", Axis::new("step"), Axis::new("loss").unit("nats").log())
        .caption("Lines are medians; bands reach from the least to the greatest.")
        .with(
            Series::new("train <median>", xs.clone(), ys.clone())
                .unwrap()
                .band(edge(0.8), edge(1.3))
                .unwrap(),
        )
        .with(Series::new("test", xs, edge(2.0)).unwrap())
        .mark(Mark::x(20.0, "lr ÷ 10"))
        .mark(Mark::y(0.1, "target"));
    let axis: Vec<f64> = (0..21).map(|k| f64::from(k) / 10.0 - 1.0).collect();
    let bowl: Vec<f64> =
        axis.iter().flat_map(|y| axis.iter().map(move |x| 0.1 + x * x + 3.0 * y * y)).collect();
    let surface = Surface::new("A bowl", axes(), axis.clone(), axis, bowl)
        .unwrap()
        .path(Path::new("gradient descent", vec![0.9, 0.5, 0.1], vec![0.8, 0.1, 0.0]).unwrap())
        .point("minimum", 0.0, 0.0);
    let spectrum = Spectrum::new("Spectrum", Axis::new("λ").sym_log())
        .with(Eigenvalues::new("at the start", vec![3.0, 1.0, -0.5]).residuals(vec![0.1, 0.2, 0.01]).unwrap())
        .with(Eigenvalues::new("at the end", vec![90.0, 10.0, 1.0, -0.01]))
        .mark(40.0, "2/η");
    vec![lines.into(), surface.into(), spectrum.into()]
}

fn odd() -> Vec<Figure> {
    let mut figures = vec![
        Curves::new("", Axis::new(""), Axis::new("")).into(),
        Curves::new("no points", Axis::new("x"), Axis::new("y").log())
            .with(Series::new("", vec![], vec![]).unwrap())
            .into(),
        curves(Axis::new("x"), Axis::new("y").range(3.0, 1.0), &[0.0, 1.0], &[0.0, 1.0]),
        curves(Axis::new("x").range(NAN, INF), Axis::new("y").range(5.0, 5.0), &[0.0, 1.0], &[0.0, 1.0]),
        Spectrum::new("none", Axis::new("λ")).into(),
        Spectrum::new("empty row", Axis::new("λ").log()).with(Eigenvalues::new("r", vec![])).into(),
        Spectrum::new("odd", Axis::new("λ").sym_log())
            .with(
                Eigenvalues::new("r", vec![NAN, INF, 0.0, -1e-300])
                    .residuals(vec![NAN, INF, 1e300, 0.0])
                    .unwrap(),
            )
            .mark(NAN, "nowhere")
            .into(),
    ];
    let marked = Curves::new("marks", Axis::new("x").log(), Axis::new("y"))
        .mark(Mark::x(-1.0, "nowhere"))
        .mark(Mark::y(NAN, "nowhere"))
        .mark(Mark { at: At::Y(2.0), label: "a very long label of a line that must be broken ".repeat(3) });
    figures.push(marked.into());
    for scale in [Scale::Linear, Scale::Log, Scale::SymLog] {
        for ys in [
            vec![NAN; 3],
            vec![INF, -INF, NAN],
            vec![0.0; 3],
            vec![7.0; 3],
            vec![-1.0, 0.0, 1.0],
            vec![1e300, -1e300, 1e-300],
            vec![f64::MAX, f64::MIN, 0.0],
            vec![f64::MIN_POSITIVE, 5e-324, 1e-310],
            vec![NAN, 2.0, NAN],
        ] {
            let [x, y, z] = axes();
            figures.push(curves(x.clone().scale(scale), y.clone().scale(scale), &ys, &ys));
            let row = Eigenvalues::new("row", ys.clone()).residuals(ys.clone()).unwrap();
            figures.push(Spectrum::new("s", y.scale(scale)).with(row).into());
            let grid = [ys.clone(), ys.clone(), ys].concat();
            let coordinates = vec![-1.0, 0.0, 4.0];
            let axes = [x, axes()[1].clone(), z.scale(scale)];
            figures.push(Surface::new("g", axes, coordinates.clone(), coordinates, grid).unwrap().into());
        }
    }
    for (nx, ny) in [(0, 0), (1, 0), (1, 1), (1, 5), (5, 1), (2, 2)] {
        let coordinates = |n: usize| (0..n).map(|k| k as f64).collect::<Vec<f64>>();
        let heights = (0..nx * ny).map(|k| k as f64).collect();
        let surface = Surface::new("small", axes(), coordinates(nx), coordinates(ny), heights)
            .unwrap()
            .path(Path::new("p", vec![NAN, 0.0, 9.0, INF], vec![0.0, 0.0, 9.0, 0.0]).unwrap())
            .path(Path::new("empty", vec![], vec![]).unwrap())
            .point("far away", 1e9, 0.0)
            .point("nowhere", NAN, 0.0);
        figures.push(surface.into());
    }
    figures
}

fn number(node: Node<'_, '_>, attribute: &str) -> f64 {
    node.attribute(attribute).unwrap().parse().unwrap()
}

#[test]
fn every_svg_is_well_formed_and_has_only_finite_numbers() {
    for figure in sound().into_iter().chain(odd()) {
        let svg = figure.svg();
        let document = Document::parse(&svg).unwrap_or_else(|error| panic!("{error} in {}", figure.title()));
        let root = document.root_element();
        assert_eq!(root.tag_name().name(), "svg");
        assert!(number(root, "width") > 100.0 && number(root, "height") > 100.0);
        for attribute in document.descendants().filter(Node::is_element).flat_map(|node| node.attributes()) {
            let value = attribute.value();
            assert!(!value.contains("NaN") && !value.contains("inf "), "{} {value}", figure.title());
        }
        let title = document.descendants().find(|n| n.has_tag_name("title")).unwrap();
        assert_eq!(title.text().unwrap_or(""), figure.title());
    }
}

#[test]
fn every_png_has_the_size_of_its_svg() {
    for figure in sound().into_iter().chain(odd()) {
        for scale in [1.0, 1.5] {
            let png = figure.png(scale);
            assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
            let side = |at: usize| f64::from(u32::from_be_bytes(png[at..at + 4].try_into().unwrap()));
            let svg = figure.svg();
            let document = Document::parse(&svg).unwrap();
            let root = document.root_element();
            assert_eq!(side(16), (number(root, "width") * scale).ceil(), "{}", figure.title());
            assert_eq!(side(20), (number(root, "height") * scale).ceil(), "{}", figure.title());
        }
    }
}

#[test]
fn scales_out_of_reason_are_kept_within_it() {
    let figure = &sound()[0];
    for scale in [0.0, -1.0, NAN, INF, 1e-9] {
        assert_eq!(&figure.png(scale)[1..4], b"PNG", "{scale}");
    }
}

#[test]
fn the_same_record_gives_the_same_bytes() {
    for figure in sound() {
        assert_eq!(figure.svg(), figure.clone().svg());
        assert_eq!(figure.png(1.0), figure.clone().png(1.0));
    }
}

fn words(figure: &Figure) -> String {
    let svg = figure.svg();
    let document = Document::parse(&svg).unwrap();
    let texts = document.descendants().filter(|n| n.has_tag_name("text"));
    texts.filter_map(|n| n.text()).collect::<Vec<_>>().join("\n")
}

#[test]
fn pictures_say_what_they_show() {
    let [lines, surface, spectrum] = &sound()[..] else { panic!("three kinds") };
    for word in ["Loss & its band", "train <median>", "test", "step", "loss (nats)", "lr ÷ 10", "target"] {
        assert!(words(lines).contains(word), "{word}");
    }
    for word in ["A bowl", "gradient descent", "minimum", "δ", "η", "loss (nats)"] {
        assert!(words(surface).contains(word), "{word}");
    }
    for word in ["Spectrum", "at the start", "at the end", "λ", "2/η", "max 90.0", "min −0.0100"] {
        assert!(words(spectrum).contains(word), "{word}");
    }
}

#[test]
fn names_are_set_and_scales_say_where_they_are_linear() {
    let row = Eigenvalues::new("λ_max", vec![3.0, -0.02]).residuals(vec![1e-9, 1e-9]).unwrap();
    let rug = Spectrum::new("s", Axis::new("λ").sym_log()).with(row);
    // Titles are set at 16 pixels.
    let titled = Figure::from(Curves::new("λ_max over η", Axis::new("x"), Axis::new("y"))).svg();
    let expected =
        ">λ<tspan dy=\"3.2\" font-size=\"11.84\">max</tspan><tspan dy=\"-3.2\"> over η</tspan></text>";
    assert!(titled.contains(expected), "{titled}");
    assert!(words(&rug.clone().into()).contains("λ, linear within ±0.01"));
    assert!(!words(&rug.into()).contains("Bars above"), "no bar is wide enough to be seen");
    let wide = Eigenvalues::new("a", vec![3.0, 1.0]).residuals(vec![0.5, 0.5]).unwrap();
    let wide = Spectrum::new("s", Axis::new("λ")).with(wide);
    assert!(words(&wide.into()).contains("Bars above the stems"));
    let steps = curves(Axis::new("step").sym_log(), Axis::new("y"), &[0.0, 1.0, 900.0], &[0.0, 1.0, 2.0]);
    assert!(words(&steps).contains("step, linear below 1"));
}

/// Heads that would cover each other are left out, and every stem stays.
#[test]
fn crowded_eigenvalues_are_a_rug() {
    let drawn = |values: Vec<f64>| {
        let svg = Figure::from(Spectrum::new("s", Axis::new("λ")).with(Eigenvalues::new("r", values))).svg();
        (svg.matches("<circle").count(), svg.matches("stroke-width=\"1.2\"").count())
    };
    assert_eq!(drawn(vec![0.0, 5.0, 10.0]), (3, 3));
    assert_eq!(drawn(vec![0.0, 9.99, 10.0]), (0, 3));
}

/// A word beside a path stands beside a dot, also where the path has too many vertices for dots.
#[test]
fn labelled_vertices_have_dots() {
    let n = 500;
    let line: Vec<f64> = (0..n).map(|k| f64::from(k) / 250.0 - 1.0).collect();
    let labels = (0..n).map(|k| if k == 100 { "step 100".to_owned() } else { String::new() }).collect();
    let path = Path::new("p", line.clone(), line.clone()).unwrap().labels(labels).unwrap();
    let grid = vec![-1.0, 0.0, 1.0];
    let surface = |named: bool| {
        let surface =
            Surface::new("s", axes(), grid.clone(), grid.clone(), vec![0.0; 9]).unwrap().path(path.clone());
        let last = line[line.len() - 1];
        Figure::from(if named {
            surface.point("start", -1.0, -1.0).point("end", last, last)
        } else {
            surface
        })
        .svg()
    };
    assert!(surface(true).contains("step 100"));
    assert_eq!(surface(true).matches("<circle").count(), 1, "the ends are named places");
    assert_eq!(
        surface(false).matches("<circle").count(),
        1 + 3 + 3,
        "both ends, on the path and in the legend"
    );
}

#[test]
fn what_is_not_drawn_is_said() {
    let gaps = curves(Axis::new("x"), Axis::new("y").log(), &[1.0, 2.0, 3.0, 4.0], &[1.0, NAN, -2.0, 5.0]);
    assert!(
        words(&gaps)
            .contains("Not drawn: 2 of 4 points (not finite, or not positive on a logarithmic axis).")
    );
    let plain = curves(Axis::new("x"), Axis::new("y"), &[1.0, 2.0], &[1.0, 2.0]);
    assert!(!words(&plain).contains("Not drawn"));
    let outside = Surface::new("s", axes(), vec![0.0, 1.0], vec![0.0, 1.0], vec![0.0, 1.0, 2.0, INF])
        .unwrap()
        .path(Path::new("p", vec![0.0, 3.0], vec![0.0, 0.0]).unwrap());
    let said = words(&outside.into());
    assert!(said.contains("Not drawn: 1 of 4 heights (not finite)."), "{said}");
    assert!(said.contains("Not drawn: 1 vertex of a path lies outside the grid."), "{said}");
}

#[test]
fn dress_takes_off_title_and_caption() {
    let figure = &sound()[0];
    let plain = figure.svg_dressed(Dress::PLAIN);
    assert!(!plain.contains("<text x=\"16\""), "only title and caption stand at the rim");
    assert!(plain.len() < figure.svg().len());
}

/// Words end up inside the picture: their anchors do, and those that begin or end at an anchor near the rim were
/// measured against it.
#[test]
fn nothing_stands_outside_the_rim() {
    let long =
        "An exceedingly long title that goes on about the loss of a network until it must be broken twice "
            .repeat(2);
    let many = (0..30).fold(Curves::new(long, Axis::new("x"), Axis::new("y")), |figure, k| {
        let name = format!("series {k} with a long name that needs a row");
        figure
            .with(Series::new(name, vec![0.0, 1.0], vec![f64::from(k), 1e6]).unwrap().style(Style::default()))
    });
    for figure in sound().into_iter().chain(odd()).chain([Figure::from(many)]) {
        let svg = figure.svg();
        let document = Document::parse(&svg).unwrap();
        let (width, height) =
            (number(document.root_element(), "width"), number(document.root_element(), "height"));
        for word in document.descendants().filter(|n| n.has_tag_name("text")) {
            let (x, y) = (number(word, "x"), number(word, "y"));
            assert!((0.0..=width).contains(&x) && (8.0..=height).contains(&y), "{:?} {x} {y}", word.text());
        }
    }
}

#[test]
fn a_million_points_stay_a_small_picture() {
    let n = 1_000_000;
    let xs: Vec<f64> = (0..n).map(f64::from).collect();
    let ys: Vec<f64> = xs.iter().map(|x| (x * 0.01).sin()).collect();
    let figure = curves(Axis::new("step"), Axis::new("loss"), &xs, &ys);
    let size = figure.svg().len();
    assert!(size < 200_000, "{size}");
}

#[test]
fn unfit_arrays_are_refused_with_both_lengths() {
    let error = Series::new("s", vec![1.0], vec![]).unwrap_err();
    assert_eq!(error, RecordError::SeriesLength { name: "s".into(), x: 1, y: 0 });
    let error = Surface::new("g", axes(), vec![0.0, 1.0], vec![0.0], vec![1.0]).unwrap_err();
    assert_eq!(error.to_string(), "surface `g`: expected 1 rows (ys) of 2 values (xs), that is 2, found 1");
    let error = Surface::new("g", axes(), vec![0.0, 0.0], vec![0.0], vec![1.0, 1.0]).unwrap_err();
    assert_eq!(error, RecordError::GridOrder { title: "g".into(), axis: "xs", at: 1, found: 0.0 });
    let error = Surface::new("g", axes(), vec![0.0], vec![NAN], vec![1.0]).unwrap_err();
    assert!(matches!(error, RecordError::GridOrder { axis: "ys", at: 0, .. }), "{error}");
    assert!(Series::new("s", vec![1.0], vec![1.0]).unwrap().band(vec![], vec![1.0]).is_err());
    assert!(Path::new("p", vec![1.0], vec![]).is_err());
    assert!(Path::new("p", vec![1.0], vec![1.0]).unwrap().labels(vec![String::new(); 2]).is_err());
    assert!(Eigenvalues::new("e", vec![1.0]).residuals(vec![]).is_err());
}

#[test]
fn records_survive_json_to_the_last_bit() {
    for figure in sound().into_iter().chain(odd()) {
        let json = serde_json::to_string(&figure).unwrap();
        let back: Figure = serde_json::from_str(&json).unwrap();
        // NaN is not equal to itself, its text is.
        assert_eq!(serde_json::to_string(&back).unwrap(), json);
        assert_eq!(back.svg(), figure.svg());
    }
    let tenth = curves(Axis::new("x"), Axis::new("y"), &[0.1 + 0.2, INF], &[1.0 / 3.0, -INF]);
    let back: Figure = serde_json::from_str(&serde_json::to_string(&tenth).unwrap()).unwrap();
    assert_eq!(back, tenth);
}

#[test]
fn json_that_does_not_fit_is_refused() {
    let unfit = r#"{"name":"s","x":[1,2],"y":[1],"band":null}"#;
    let error = serde_json::from_str::<Series>(unfit).unwrap_err().to_string();
    assert!(error.contains("expected as many y as x values (2), found 1"), "{error}");
    let unknown = r#"{"name":"s","x":[],"y":[],"colour":"red"}"#;
    assert!(serde_json::from_str::<Series>(unknown).unwrap_err().to_string().contains("colour"));
    let word = r#"{"name":"s","x":["inf"],"y":[1]}"#;
    assert!(serde_json::from_str::<Series>(word).unwrap_err().to_string().contains("\"Infinity\""));
    let null: Series = serde_json::from_str(r#"{"name":"s","x":[null],"y":[1]}"#).unwrap();
    assert!(null.x()[0].is_nan());
}
