package carafe.daemon;

import carafe.spec.EngineException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/// The file that names the running daemon's process. A file left by a daemon that was killed is taken over; one whose
/// process still is a carafe daemon refuses the start.
final class PidFile implements AutoCloseable {

    private final Path path;

    private PidFile(Path path) {
        this.path = path;
    }

    /// Writes our process id.
    /// @throws EngineException.Conflict another daemon runs under it
    static PidFile claim(Path path) throws EngineException {
        try {
            Files.createDirectories(path.toAbsolutePath().getParent());
            if (Files.exists(path)) {
                String text = Files.readString(path).strip();
                if (isDaemon(text)) {
                    throw new EngineException.Conflict("a carafe daemon already runs as process " + text + " (" + path
                            + "); stop it, or give this one its own --pidfile, --data-root and --exec-root");
                }
            }
            Path temporary = path.resolveSibling(path.getFileName() + ".new");
            Files.writeString(temporary, ProcessHandle.current().pid() + "\n");
            Files.move(temporary, path, StandardCopyOption.ATOMIC_MOVE);
            return new PidFile(path);
        } catch (IOException e) {
            throw new EngineException.Unavailable("cannot write the pid file " + path + ": " + reason(e), e);
        }
    }

    private static boolean isDaemon(String text) throws IOException {
        if (!text.matches("[1-9][0-9]{0,9}") || text.equals(String.valueOf(ProcessHandle.current().pid()))) {
            return false;
        }
        Path commandLine = Path.of("/proc", text, "cmdline");
        try {
            return Files.readString(commandLine).contains(Main.class.getName());
        } catch (IOException e) {
            if (Files.exists(commandLine.getParent())) {
                throw e;
            }
            return false; // it ended meanwhile
        }
    }

    static String reason(IOException e) {
        return switch (e) {
            case java.nio.file.AccessDeniedException _ -> "permission denied";
            case java.nio.file.NoSuchFileException _ -> "no such file or directory";
            case java.nio.file.FileSystemException fs when fs.getReason() != null -> fs.getReason();
            default -> String.valueOf(e.getMessage());
        };
    }

    @Override
    public void close() {
        try {
            Files.deleteIfExists(path);
        } catch (IOException e) {
            // A stale file is taken over by the next start.
        }
    }
}
