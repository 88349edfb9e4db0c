//! Draws one of everything from made-up records: `cargo run -p thalweg-report --example gallery [FOLDER]`.
//!
//! The records look like what the laboratory hands over; nothing was trained for them.

mod records;

use std::path::PathBuf;

use thalweg_report::Page;

fn main() -> std::io::Result<()> {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "runs/gallery".to_owned()));
    std::fs::create_dir_all(&folder)?;
    let page: Page = records::page();
    let figures = page.sections.iter().flat_map(|section| &section.figures);
    for (k, figure) in figures.enumerate() {
        std::fs::write(folder.join(format!("figure-{}.svg", k + 1)), figure.svg())?;
        std::fs::write(folder.join(format!("figure-{}.png", k + 1)), figure.png(2.0))?;
    }
    std::fs::write(folder.join("report.html"), page.html())?;
    std::fs::write(folder.join("report.json"), serde_json::to_string(&page)?)
}
