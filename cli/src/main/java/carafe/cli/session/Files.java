package carafe.cli.session;

import carafe.spec.build.FileStamp;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.List;

/// Opens the caller's files with the caller's rights. Whoever gets a stream closes it.
public interface Files {

    /// Reads a file. Source: open(2) O_RDONLY.
    /// @throws IOException the message is a sentence: `open /x: no such file or directory`
    InputStream read(Path file) throws IOException;

    /// Makes a file that must not exist yet, mode 0644. Source: open(2) O_CREAT|O_EXCL.
    OutputStream create(Path file) throws IOException;

    /// Begins a file anew, mode 0644 where there is none, or writes to what is no file: a device, a pipe. A link is followed.
    /// Source: open(2) O_CREAT|O_TRUNC.
    OutputStream overwrite(Path file) throws IOException;

    /// Puts a file of mode 0600 in the place of what was there, at once or not at all; directories that are missing are
    /// made with mode 0700. A symbolic link keeps pointing, and its target is replaced.
    void replacePrivately(Path file, byte[] content) throws IOException;

    /// Gives `file` the name `other`, taking it from a file that has it. Source: rename(2).
    void rename(Path file, Path other) throws IOException;

    /// Whether a name exists.
    boolean exists(Path file);

    /// Whether a name is a directory.
    boolean isDirectory(Path file);

    /// Whether a name is something else than a file or a directory: a device, a pipe, a socket.
    boolean isSpecial(Path file);

    /// What a directory holds, in no order. Links are not followed. Several threads may ask.
    List<FileEntry> list(Path directory) throws IOException;

    /// The `security.capability` of each of these names in a directory, in their order; empty for those that have none or are
    /// gone. Source: getxattr(2), capabilities(7).
    List<byte[]> capabilities(Path directory, List<String> names) throws IOException;

    /// What tells the file or directory from any other that was or will be here; a link is not followed.
    /// @return `NONE` if there is nothing
    FileStamp stamp(Path file) throws IOException;

    /// One name in a directory: `kind` is what it is itself, `target` what a link holds; `mode` has the permissions, setuid,
    /// setgid and sticky (07777). Names and targets are texts as [PathText] has them. `linked`: it is a file that has other
    /// names, somewhere.
    record FileEntry(String name, Kind kind, int mode, long size, long modifiedSeconds, String target, FileStamp stamp,
            boolean linked) {
        /// Without a stamp.
        public FileEntry(String name, Kind kind, int mode, long size, long modifiedSeconds, String target) {
            this(name, kind, mode, size, modifiedSeconds, target, FileStamp.NONE, false);
        }

        /// What a name is.
        public enum Kind { FILE, DIRECTORY, LINK, OTHER }
    }

    /// Takes a file away that [#create] made; one that is not there is fine.
    void remove(Path file) throws IOException;
}
