//! Tables in columns, for people to read.

use std::fmt;

use duewatch_domain::escaped;

/// Text in columns, each as wide as its widest cell.
#[derive(Debug)]
pub struct TextTable {
    rows: Vec<Vec<String>>,
    right: Vec<bool>,
}

impl TextTable {
    /// A table with these headings.
    #[must_use]
    pub fn new(headings: &[&str]) -> Self {
        let headings: Vec<String> = headings.iter().map(|&one| one.to_owned()).collect();
        Self { right: vec![false; headings.len()], rows: vec![headings] }
    }

    /// Aligns the columns from this one on to the right, for figures.
    #[must_use]
    pub fn figures_from(mut self, column: usize) -> Self {
        self.right.iter_mut().skip(column).for_each(|right| *right = true);
        self
    }

    /// Adds a row, with a cell for each heading. A cell is one line, whatever it holds.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().map(|cell| escaped(&cell).into_owned()).collect());
    }

    /// Whether the table has no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.len() == 1
    }
}

impl fmt::Display for TextTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |column: usize| {
            self.rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max()
        };
        let widths: Vec<usize> = (0..self.right.len()).map(|column| width(column).unwrap_or(0)).collect();
        for row in &self.rows {
            let cells = row.iter().zip(&widths).zip(&self.right).map(|((cell, width), right)| {
                if *right { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
            });
            writeln!(f, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
        }
        Ok(())
    }
}
