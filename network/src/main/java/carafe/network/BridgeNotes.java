package carafe.network;

import carafe.spec.EngineException;
import carafe.spec.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Which networks add addresses to bridges of the host's, one small file each beside those of [SandboxNotes]. Written
/// before the first address is added, removed after the last is gone: a bridge of the engine's own says itself whose it
/// is, an address cannot.
final class BridgeNotes {

    /// What their names begin with, and the id of no container.
    static final String PREFIX = "bridge-";

    private static final int MOST_BYTES = 1 << 20;
    private static final String TEMPORARY = ".new";

    private final Path directory;

    /// `directory` is there.
    BridgeNotes(Path directory) {
        this.directory = directory;
    }

    void write(Network network) throws IOException {
        Path file = file(network.id());
        Path temporary = file.resolveSibling(file.getFileName() + TEMPORARY);
        Files.write(temporary, NetworkCodec.print(network).printBytes());
        Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
    }

    void remove(String networkId) throws IOException {
        Files.deleteIfExists(file(networkId));
    }

    private Path file(String networkId) {
        return directory.resolve(PREFIX + networkId);
    }

    /// All networks that are noted. What is no note (half written when the engine died) goes.
    List<Network> all() throws EngineException {
        var networks = new ArrayList<Network>();
        try (var files = Files.newDirectoryStream(directory, PREFIX + "*")) {
            for (Path file : files) {
                var network = file.toString().endsWith(TEMPORARY) ? Optional.<Network>empty() : read(file);
                network.ifPresent(networks::add);
                if (network.isEmpty()) {
                    Files.deleteIfExists(file);
                }
            }
            return networks;
        } catch (IOException e) {
            throw Trouble.of("cannot read the directory " + directory, e);
        }
    }

    private static Optional<Network> read(Path file) throws IOException {
        try (var in = Files.newInputStream(file)) {
            return Optional.of(NetworkCodec.parse(Json.parseObject(in.readNBytes(MOST_BYTES))));
        } catch (NoSuchFileException | EngineException e) {
            return Optional.empty();
        }
    }
}
