package carafe.cli;

import carafe.cli.session.Files.FileEntry;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

final class OsFilesListTest extends ListerContract {

    private final OsFiles files = new OsFiles((_, names) -> names.stream().map(_ -> new byte[0]).toList());

    @Override
    protected List<FileEntry> list(Path directory) throws IOException {
        return files.list(directory);
    }
}
