package carafe.registry;

import carafe.http.Origin;
import carafe.http.Trust;
import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Looks up what certs.d says about a host: `*.crt` are authorities, `*.cert` with the `*.key` of the same name are
/// certificates of ours. Source: Docker, "Verify repository client with certificates".
final class Certificates {

    private final RegistryConfig config;

    Certificates(RegistryConfig config) {
        this.config = config;
    }

    /// What certs.d has for a host cannot be read or is none; only the host's owner can change that.
    static final class Unusable extends IOException {
        Unusable(IOException cause) {
            super(cause.getMessage(), cause);
        }
    }

    /// Whether the host's owner keeps authorities for this origin.
    boolean known(Origin origin) {
        return directories(origin).stream().anyMatch(Files::isDirectory);
    }

    /// What lies in certs.d for this origin and since when; another answer says to ask [#of] again.
    Map<Path, Since> state(Origin origin) throws IOException {
        var found = new HashMap<Path, Since>();
        for (Path directory : directories(origin)) {
            if (Files.isDirectory(directory)) {
                for (Path file : files(directory)) {
                    try {
                        found.put(file, new Since(Files.getLastModifiedTime(file), Files.size(file)));
                    } catch (NoSuchFileException e) {
                        continue; // it is gone, or a link that leads nowhere
                    }
                }
            }
        }
        return found;
    }

    /// One file of certs.d.
    record Since(FileTime modified, long size) {}

    /// Whom to trust, and how to prove who we are, at an origin. A host without proof is believed where it may be, but
    /// not if an authority is kept for it.
    Trust of(Origin origin) throws IOException {
        var authorities = new ArrayList<Path>();
        var pairs = new ArrayList<Trust.Pair>();
        for (Path directory : directories(origin)) {
            if (Files.isDirectory(directory)) {
                read(directory, authorities, pairs);
            }
        }
        boolean near = HostRange.isLoopback(origin.host()) && authorities.isEmpty();
        boolean verify = !config.believes(origin) && !near;
        return new Trust(authorities, pairs, verify);
    }

    private static void read(Path directory, List<Path> authorities, List<Trust.Pair> pairs) throws IOException {
        for (Path file : files(directory)) {
            String name = file.getFileName().toString();
            if (name.endsWith(".crt")) {
                authorities.add(file);
            } else if (name.endsWith(".cert")) {
                Path key = directory.resolve(name.substring(0, name.length() - 5) + ".key");
                if (!Files.exists(key)) {
                    throw new IOException("missing key " + key.getFileName() + " for client certificate " + name
                            + " in " + directory + "; CA certificates must use the extension .crt");
                }
                pairs.add(new Trust.Pair(file, key));
            }
        }
    }

    /// What lies in a directory, nothing if it is gone by now.
    private static List<Path> files(Path directory) throws IOException {
        var found = new ArrayList<Path>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
            files.forEach(found::add);
        } catch (NoSuchFileException e) {
            return List.of();
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
        return found;
    }

    private List<Path> directories(Origin origin) {
        var found = new ArrayList<Path>();
        for (Path root : config.certificates()) {
            found.add(root.resolve(origin.hostPort()));
            if (!origin.hostPort().endsWith(":" + origin.port())) {
                found.add(root.resolve(origin.hostPort() + ":" + origin.port()));
            }
        }
        return found;
    }
}
