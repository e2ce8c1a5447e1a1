package carafe.daemon;

import carafe.cli.ListerContract;
import carafe.cli.session.Files.FileEntry;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

final class ContextFilesTest extends ListerContract {

    @Override
    protected List<FileEntry> list(Path directory) throws IOException {
        return ContextFiles.list(directory);
    }
}
