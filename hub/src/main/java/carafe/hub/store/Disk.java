package carafe.hub.store;

import carafe.image.CommitSteps;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Objects;

/// Files and directories that survive a power cut once a method here has returned. Only for names the hub made itself.
final class Disk {

    private Disk() {}

    /// Makes `directory` (mode 0700) and its parents, durably.
    static void makeDirectory(Path directory) throws IOException {
        if (Files.isDirectory(directory)) {
            return;
        }
        Path parent = Objects.requireNonNull(directory.toAbsolutePath().getParent());
        makeDirectory(parent);
        try {
            Files.createDirectory(directory,
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        } catch (FileAlreadyExistsException e) {
            if (!Files.isDirectory(directory)) {
                throw e;
            }
        }
        syncDirectory(parent);
    }

    /// Makes the names in `directory` durable.
    static void syncDirectory(Path directory) throws IOException {
        try (var channel = FileChannel.open(directory, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    /// Replaces `file` by `bytes`, put together in `temporary`: readers and crashes see the old bytes or the new ones.
    static void replace(Path file, Path temporary, byte[] bytes, CommitSteps steps) throws IOException {
        steps.before("write facts anew");
        try (var channel = FileChannel.open(temporary, StandardOpenOption.CREATE, StandardOpenOption.WRITE,
                StandardOpenOption.TRUNCATE_EXISTING)) {
            write(channel, ByteBuffer.wrap(bytes));
            steps.before("sync new facts");
            channel.force(true);
        }
        steps.before("rename facts");
        move(temporary, file);
    }

    /// Renames over whatever `to` is, durably.
    static void move(Path from, Path to) throws IOException {
        Files.move(from, to, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        syncDirectory(Objects.requireNonNull(to.toAbsolutePath().getParent()));
    }

    static void write(FileChannel channel, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }
}
