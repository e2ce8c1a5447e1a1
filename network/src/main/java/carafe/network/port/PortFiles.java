package carafe.network.port;

import carafe.spec.EngineException;
import carafe.spec.network.IpAddress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/// A file per running container in the run directory that says which ports of the host are its own: written before the
/// first of them leads anywhere, so that an engine that comes later finds all of them. Gone at a reboot, as they are.
final class PortFiles {

    private static final System.Logger LOG = System.getLogger("carafe.network");
    private static final long MOST_BYTES = 16 << 20;

    private final Path directory;

    /// `directory` is made where it is missing.
    PortFiles(Path directory) throws EngineException {
        this.directory = directory;
        try {
            Files.createDirectories(directory,
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        } catch (IOException e) {
            throw failure("cannot make " + directory, e);
        }
    }

    void write(String containerId, String name, List<PortBinding> bindings) throws EngineException {
        String text = bindings.stream().map(PortFiles::line).collect(Collectors.joining("", name + "\n", "end\n"));
        try {
            Files.writeString(file(containerId), text);
        } catch (IOException e) {
            throw failure("cannot write down the ports of container " + name, e);
        }
    }

    private static String line(PortBinding binding) {
        return binding.protocol() + " " + binding.address() + " " + binding.hostPort() + " " + binding.containerPort()
                + "\n";
    }

    /// The container's name and ports; empty when there is no whole file.
    Optional<Entry> read(String containerId) {
        try {
            var file = file(containerId);
            if (Files.size(file) > MOST_BYTES) {
                throw new IOException("too large");
            }
            var lines = Files.readAllLines(file);
            if (lines.size() < 2 || !lines.getLast().equals("end")) {
                return Optional.empty(); // its engine died while writing, before anything was published
            }
            var bindings = new ArrayList<PortBinding>();
            for (String line : lines.subList(1, lines.size() - 1)) {
                String[] fields = line.split(" ");
                bindings.add(new PortBinding(Protocol.of(fields[0]), Integer.parseInt(fields[3]),
                        IpAddress.parse(fields[1]), Integer.parseInt(fields[2])));
            }
            return Optional.of(new Entry(lines.getFirst(), bindings));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (IOException | EngineException | RuntimeException e) {
            LOG.log(System.Logger.Level.WARNING, "the ports of container " + containerId + " are not known any more", e);
            return Optional.empty();
        }
    }

    /// What one file says.
    record Entry(String name, List<PortBinding> bindings) {}

    void delete(String containerId) {
        try {
            Files.deleteIfExists(file(containerId));
        } catch (IOException e) {
            LOG.log(System.Logger.Level.WARNING, "a file of ports stays: " + e.getMessage());
        }
    }

    /// The containers that have a file.
    List<String> list() throws EngineException {
        try (var names = Files.list(directory)) {
            return names.map(path -> path.getFileName().toString()).toList();
        } catch (IOException e) {
            throw failure("cannot list " + directory, e);
        }
    }

    private Path file(String containerId) {
        if (!containerId.matches("[0-9a-zA-Z_.-]+")) {
            throw new IllegalArgumentException("not an id: " + containerId);
        }
        return directory.resolve(containerId);
    }

    private static EngineException failure(String what, IOException cause) {
        return new EngineException.Internal(what + ": " + cause.getMessage(), cause);
    }
}
