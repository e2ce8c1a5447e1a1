package carafe.cli;

import carafe.cli.session.Files;
import carafe.spec.build.FileStamp;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/// Files of a command whose process sees what this one sees. Directories are listed here, and what lies in them is read
/// here: there are thousands. All others (a pipe that would block, `/dev/stdin`) are the process's to open.
final class SharedFiles implements Files {

    /// What each process has of its own.
    private static final List<Path> DIFFERENT = List.of(Path.of("/proc"), Path.of("/dev/fd"), Path.of("/dev/stdin"),
            Path.of("/dev/stdout"), Path.of("/dev/stderr"), Path.of("/dev/tty"));

    private final Files here;
    private final Files there;
    private final Set<Path> listed = ConcurrentHashMap.newKeySet();

    SharedFiles(Files here, Files there) {
        this.here = here;
        this.there = there;
    }

    private static boolean differs(Path file) {
        return DIFFERENT.stream().anyMatch(file::startsWith);
    }

    @Override
    public InputStream read(Path file) throws IOException {
        Path parent = file.getParent();
        return (parent != null && listed.contains(parent) ? here : there).read(file);
    }

    @Override
    public List<FileEntry> list(Path directory) throws IOException {
        if (differs(directory)) {
            return there.list(directory);
        }
        listed.add(directory);
        return here.list(directory);
    }

    @Override
    public List<byte[]> capabilities(Path directory, List<String> names) throws IOException {
        return (differs(directory) ? there : here).capabilities(directory, names);
    }

    @Override
    public FileStamp stamp(Path file) throws IOException {
        return (differs(file) ? there : here).stamp(file);
    }

    @Override
    public OutputStream create(Path file) throws IOException {
        return there.create(file);
    }

    @Override
    public OutputStream overwrite(Path file) throws IOException {
        return there.overwrite(file);
    }

    @Override
    public void replacePrivately(Path file, byte[] content) throws IOException {
        there.replacePrivately(file, content);
    }

    @Override
    public void rename(Path file, Path other) throws IOException {
        there.rename(file, other);
    }

    @Override
    public boolean exists(Path file) {
        return there.exists(file);
    }

    @Override
    public boolean isDirectory(Path file) {
        return there.isDirectory(file);
    }

    @Override
    public boolean isSpecial(Path file) {
        return there.isSpecial(file);
    }

    @Override
    public void remove(Path file) throws IOException {
        there.remove(file);
    }
}
