//! Output files that are written completely or not at all.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// An output that appears under its name only once it is complete: a run that is refused half-way leaves no
/// partial file behind. `-` is standard output.
#[derive(Debug)]
pub struct Output {
    writer: BufWriter<File>,
    partial: PathBuf,
    target: Option<PathBuf>,
}

impl Output {
    /// Begins an output.
    ///
    /// # Errors
    /// When the file cannot be created.
    pub fn create(target: &Path) -> io::Result<Self> {
        let is_stdout = target == Path::new("-");
        let partial = if is_stdout {
            std::env::temp_dir().join(format!("duewatch-{}.partial", std::process::id()))
        } else {
            let mut name = target.as_os_str().to_owned();
            name.push(".partial");
            PathBuf::from(name)
        };
        let file = File::create(&partial)
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", partial.display())))?;
        let target = (!is_stdout).then(|| target.to_owned());
        Ok(Self { writer: BufWriter::with_capacity(1 << 20, file), partial, target })
    }

    /// Moves the output to its place.
    ///
    /// # Errors
    /// When the rest cannot be written or the file cannot be moved.
    pub fn finish(mut self) -> io::Result<()> {
        self.writer.flush()?;
        match &self.target {
            Some(target) => fs::rename(&self.partial, target),
            None => io::copy(&mut File::open(&self.partial)?, &mut io::stdout().lock()).map(drop),
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        // Gone already where the output was finished under its name.
        let _ = fs::remove_file(&self.partial);
    }
}
