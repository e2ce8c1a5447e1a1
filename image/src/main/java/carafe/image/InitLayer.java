package carafe.image;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Set;

/// The lowest layer of every container's root: what engines mount on, `/.dockerenv` by which programs find out that they
/// are in a container, `/etc/mtab`. Docker lays the same names over an image; below it they yield to the image's own, no
/// start has to make them, and they are in no difference and no commit. Shared by all containers, written once.
final class InitLayer {

    private static final Set<String> DIRECTORIES = Set.of("dev", "etc", "proc", "sys");
    private static final List<String> FILES = List.of(".dockerenv", "etc/hostname", "etc/hosts", "etc/resolv.conf");

    private InitLayer() {}

    /// Makes it at `place` if it is missing, by way of `temporary`, on the same filesystem.
    static void make(Path place, Path temporary) throws IOException {
        if (Files.exists(place)) {
            return;
        }
        Files.createDirectory(temporary);
        open(temporary);
        for (String directory : DIRECTORIES) {
            open(Files.createDirectory(temporary.resolve(directory)));
        }
        for (String file : FILES) {
            open(Files.createFile(temporary.resolve(file)));
        }
        Files.createSymbolicLink(temporary.resolve("etc/mtab"), Path.of("/proc/mounts"));
        Files.move(temporary, place, StandardCopyOption.ATOMIC_MOVE);
    }

    private static void open(Path path) throws IOException {
        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwxr-xr-x"));
    }
}
