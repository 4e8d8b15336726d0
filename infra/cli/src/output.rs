//! Output files: checked before any work, and then either complete under their names or not there at all.
//!
//! A regular file is written beside its place and moved there, so a run that fails leaves the old file. A device or
//! a pipe is written as it is, and a link leads to the file that it names: none of them is ever replaced. `-` is
//! standard output, and so is `/dev/stdout`.

use std::fs::{self, File, Metadata, Permissions};
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};

use duewatch_domain::escaped;
use tempfile::NamedTempFile;

use crate::screen;

/// The names of standard output.
const STDOUT: [&str; 4] = ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"];
const BUFFER_BYTES: usize = 1 << 20;

/// Whether a path names standard output.
#[must_use]
pub fn is_stdout(path: &Path) -> bool {
    STDOUT.iter().any(|name| path == Path::new(name))
}

/// Why an output cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// The path is none that an output may take.
    #[error("{option} {}: {problem}", shown(path))]
    Unfit {
        /// The option that names the path.
        option: &'static str,
        path: PathBuf,
        problem: String,
    },
    /// The file system failed.
    #[error("{option} {}: {source}", shown(path))]
    Failed {
        /// The option that names the path.
        option: &'static str,
        path: PathBuf,
        source: io::Error,
    },
}

fn shown(path: &Path) -> String {
    escaped(&path.display().to_string()).into_owned()
}

/// A path that an option of the command line names.
#[derive(Clone, Copy, Debug)]
pub struct NamedPath<'a> {
    pub option: &'static str,
    pub path: &'a Path,
}

impl<'a> NamedPath<'a> {
    /// The path of an option.
    #[must_use]
    pub const fn new(option: &'static str, path: &'a Path) -> Self {
        Self { option, path }
    }

    fn unfit(&self, problem: impl Into<String>) -> OutputError {
        OutputError::Unfit { option: self.option, path: self.path.to_owned(), problem: problem.into() }
    }

    fn failed(&self, source: io::Error) -> OutputError {
        OutputError::Failed { option: self.option, path: self.path.to_owned(), source }
    }
}

/// Checks the outputs of a command before it begins: each may be written, and none is an input or another output of
/// the same command, under whatever name.
///
/// # Errors
/// The first [`OutputError`].
pub fn check_outputs(outputs: &[NamedPath<'_>], inputs: &[NamedPath<'_>]) -> Result<(), OutputError> {
    let mut taken: Vec<(&str, Identity)> = Vec::new();
    for input in inputs {
        taken.extend(Identity::of(input.path).map(|identity| (input.option, identity)));
    }
    for output in outputs {
        let identity = match Destination::of(output)? {
            Destination::Stdout => Some(Identity::Stdout),
            // Two outputs may go to a device: nobody expects to find one of them there.
            Destination::Through { is_device: true } => None,
            Destination::Through { is_device: false } | Destination::File { .. } => Identity::of(output.path),
        };
        let Some(identity) = identity else { continue };
        if let Some((option, _)) = taken.iter().find(|(_, other)| *other == identity) {
            return Err(output.unfit(format!("it is what {option} names too; name another file")));
        }
        taken.push((output.option, identity));
    }
    Ok(())
}

/// What a path leads to, the same for all of its names.
#[derive(Debug, PartialEq, Eq)]
enum Identity {
    Stdout,
    /// A file or a pipe that is there.
    #[cfg(unix)]
    Node(u64, u64),
    /// A file by its whole path.
    Path(PathBuf),
}

impl Identity {
    /// The identity of a path; `None` where not even its folder is there.
    fn of(path: &Path) -> Option<Self> {
        #[cfg(unix)]
        if let Ok(metadata) = fs::metadata(path) {
            use std::os::unix::fs::MetadataExt;
            return Some(Self::Node(metadata.dev(), metadata.ino()));
        }
        fs::canonicalize(path).or_else(|_| beside(path)).ok().map(Self::Path)
    }
}

/// The whole path of a file that is not there yet.
fn beside(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidFilename)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    Ok(fs::canonicalize(folder.unwrap_or_else(|| Path::new(".")))?.join(name))
}

/// Where an output goes.
#[derive(Debug)]
enum Destination {
    Stdout,
    /// A device or a pipe, written as it is.
    Through {
        is_device: bool,
    },
    /// A regular file, there or not.
    File {
        target: PathBuf,
        /// Those of the file that is there.
        permissions: Option<Permissions>,
    },
}

impl Destination {
    fn of(output: &NamedPath<'_>) -> Result<Self, OutputError> {
        if is_stdout(output.path) {
            return Ok(Self::Stdout);
        }
        if fs::symlink_metadata(output.path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
            let target = beside(output.path);
            let target = target.map_err(|_| output.unfit("its folder is not there, or it names no file"))?;
            return Ok(Self::File { target, permissions: None });
        }
        // From here on a link is followed.
        let metadata = fs::metadata(output.path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => output.unfit("it is a link to a file that is not there"),
            _ => output.failed(error),
        })?;
        if let Some(is_device) = written_through(&metadata) {
            return Ok(Self::Through { is_device });
        }
        if !metadata.is_file() {
            let kind = if metadata.is_dir() { "a directory" } else { "no regular file" };
            return Err(output.unfit(format!("it is {kind}; name a file")));
        }
        if metadata.permissions().readonly() {
            return Err(output.unfit("the file that is there may not be written"));
        }
        let target = fs::canonicalize(output.path).map_err(|error| output.failed(error))?;
        Ok(Self::File { target, permissions: Some(metadata.permissions()) })
    }
}

/// Whether a path is a device, for what is written as it is: character devices and pipes. A block device holds a
/// disk, and is no place for lines.
#[cfg(unix)]
fn written_through(metadata: &Metadata) -> Option<bool> {
    use std::os::unix::fs::FileTypeExt;
    let kind = metadata.file_type();
    (kind.is_char_device() || kind.is_fifo()).then(|| kind.is_char_device())
}

#[cfg(not(unix))]
fn written_through(_: &Metadata) -> Option<bool> {
    None
}

/// An output that appears under its name only once it is complete: a run that is refused half-way leaves no
/// partial file behind, and the old one as it was.
#[derive(Debug)]
pub struct Output {
    option: &'static str,
    path: PathBuf,
    writer: BufWriter<Partial>,
    destination: Destination,
}

impl Output {
    /// Begins the output of an option.
    ///
    /// # Errors
    /// When the path is none that an output may take, or the file system fails.
    pub fn create(option: &'static str, path: &Path) -> Result<Self, OutputError> {
        let output = NamedPath::new(option, path);
        let destination = Destination::of(&output)?;
        let partial = match &destination {
            Destination::File { target, .. } => named_partial(target).map(Partial::Beside),
            Destination::Stdout | Destination::Through { .. } => tempfile::tempfile().map(Partial::Unnamed),
        };
        let partial = partial.map_err(|error| output.failed(error))?;
        let writer = BufWriter::with_capacity(BUFFER_BYTES, partial);
        Ok(Self { option, path: path.to_owned(), writer, destination })
    }

    /// Moves the output to its place, or writes it through.
    ///
    /// # Errors
    /// When the rest cannot be written or the file cannot be moved.
    pub fn finish(self) -> Result<(), OutputError> {
        let Self { option, path, writer, destination } = self;
        let written = writer.into_inner().map_err(io::IntoInnerError::into_error);
        let finished = written.and_then(|partial| match (partial, destination) {
            (Partial::Beside(file), Destination::File { target, permissions }) => {
                if let Some(permissions) = permissions {
                    file.as_file().set_permissions(permissions)?;
                }
                file.as_file().sync_all()?;
                file.persist(target).map(drop).map_err(|error| error.error)
            }
            (Partial::Unnamed(file), Destination::Through { .. }) => {
                copy(file, &mut fs::OpenOptions::new().write(true).open(&path)?)
            }
            // To a terminal the lines go as any text from outside does.
            (Partial::Unnamed(file), _) if io::stdout().is_terminal() => copy(file, &mut screen::json()),
            (Partial::Unnamed(file), _) => copy(file, &mut io::stdout().lock()),
            (Partial::Beside(_), _) => Ok(()),
        });
        finished.map_err(|source| OutputError::Failed { option, path, source })
    }
}

/// The file in which an output is made, beside its place, so that it can be moved there. It goes with the output
/// that is not finished.
fn named_partial(target: &Path) -> io::Result<NamedTempFile> {
    let folder = target.parent().unwrap_or_else(|| Path::new("."));
    let mut partial = tempfile::Builder::new();
    partial.prefix(".duewatch-").suffix(".partial");
    // As a file that is created under its own name: others may read it where the umask lets them.
    #[cfg(unix)]
    partial.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    partial.tempfile_in(folder)
}

fn copy(mut from: File, to: &mut impl Write) -> io::Result<()> {
    io::Seek::rewind(&mut from)?;
    io::copy(&mut from, to)?;
    to.flush()
}

/// The place of an output that is not complete yet.
#[derive(Debug)]
enum Partial {
    Beside(NamedTempFile),
    /// Without a name: it is copied in the end.
    Unnamed(File),
}

impl Write for Partial {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Beside(file) => file.write(bytes),
            Self::Unnamed(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Beside(file) => file.flush(),
            Self::Unnamed(file) => file.flush(),
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Self { option, path, writer, .. } = self;
        let named =
            |error: io::Error| io::Error::new(error.kind(), format!("{option} {}: {error}", shown(path)));
        writer.write(bytes).map_err(named)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// Writes a whole file.
///
/// # Errors
/// As of [`Output::create`] and [`Output::finish`].
pub fn write_file(option: &'static str, path: &Path, text: &str) -> Result<(), OutputError> {
    let mut output = Output::create(option, path)?;
    let written = output.write_all(text.as_bytes());
    written.map_err(|source| NamedPath::new(option, path).failed(source))?;
    output.finish()
}
