package carafe.cli;

import carafe.cli.session.Files.FileEntry;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/// Says what a directory of this process holds, where somebody can ask the kernel with less ado than Java's library does. Any
/// thread may ask.
@FunctionalInterface
public interface Lister {

    /// As [carafe.cli.session.Files#list], with the same stamps.
    List<FileEntry> list(Path directory) throws IOException;
}
